// The head of a column: it orders by a click, is as wide as it is drawn, and can be pinned.

import { useRef, type CSSProperties, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";
import { Icon } from "../ui/icon";

const WIDTH_MIN = 56;
const WIDTH_MAX = 900;
const KEY_STEP = 16;

interface Props {
  title: string;
  id: string;
  /** What tells more than the title. */
  told?: string;
  order: string | undefined;
  orderBy: string;
  /** Counted from 1. */
  place: number;
  style: CSSProperties;
  width: number;
  isNumber?: boolean;
  isPinned?: boolean;
  onOrder: (orderBy: string) => void;
  onResize: (id: string, width: number) => void;
  onPin?: (id: string) => void;
}

export function HeaderCell(props: Props): ReactNode {
  const { title, order, orderBy } = props;
  const direction =
    order && orderBy === `${order} DESC` ? "descending" : order && orderBy === `${order} ASC` ? "ascending" : "none";
  // Of numbers the largest are asked for first, of words the first ones.
  const turns = props.isNumber ? ["DESC", "ASC"] : ["ASC", "DESC"];
  const orderNext = (): void => {
    const at = turns.findIndex((turn) => orderBy === `${order} ${turn}`);
    const next = turns[at + 1];
    props.onOrder(next ? `${order} ${next}` : "");
  };
  return (
    <div
      className={props.isPinned ? "cell pinned" : "cell"}
      role="columnheader"
      aria-sort={direction}
      aria-colindex={props.place}
      style={props.style}
      title={props.told ?? title}
      // Browsers leave alone what is in sight in part.
      onFocus={({ target }) => target.scrollIntoView({ block: "nearest", inline: "nearest" })}
    >
      {order ? (
        <button className="order clipped" onClick={orderNext}>
          <span className="clipped">{title}</span>
          {direction !== "none" && <Icon name={direction === "ascending" ? "up" : "down"} size={12} />}
        </button>
      ) : (
        <span className="order clipped">{title}</span>
      )}
      {props.onPin && (
        <button
          className="pin"
          aria-pressed={props.isPinned ?? false}
          aria-label={`${props.isPinned ? "Unpin" : "Pin"} column ${title}`}
          onClick={() => props.onPin?.(props.id)}
        >
          <Icon name="pin" size={12} />
        </button>
      )}
      <Handle {...props} />
    </div>
  );
}

function Handle({ id, title, width, onResize }: Props): ReactNode {
  const start = useRef<{ x: number; width: number } | null>(null);
  const resize = (wanted: number): void => onResize(id, Math.round(Math.max(WIDTH_MIN, Math.min(WIDTH_MAX, wanted))));
  return (
    <div
      className="handle"
      role="slider"
      tabIndex={0}
      aria-label={`Width of column ${title}`}
      aria-orientation="horizontal"
      aria-valuenow={width}
      aria-valuemin={WIDTH_MIN}
      aria-valuemax={WIDTH_MAX}
      onPointerDown={(event: PointerEvent<HTMLDivElement>) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = { x: event.clientX, width };
        event.preventDefault();
      }}
      onPointerMove={(event) => {
        if (start.current) resize(start.current.width + event.clientX - start.current.x);
      }}
      onPointerUp={() => {
        start.current = null;
      }}
      onKeyDown={(event: KeyboardEvent) => {
        const by = { ArrowLeft: -KEY_STEP, ArrowRight: KEY_STEP }[event.key];
        if (by === undefined) return;
        resize(width + by);
        event.preventDefault();
        event.stopPropagation();
      }}
    />
  );
}

// Marks of runs on a canvas, axes over them, and one run that is pointed at, by the mouse or by keys.

import { useEffect, useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";
import type { RunRow } from "../runs/run-row";
import { addressOf, go } from "../router";
import { Painter, type Painting } from "./painter";

export interface Mark {
  readonly left: number;
  readonly top: number;
}

interface Props {
  /** What the plot is called, and what its picture is. */
  label: string;
  picture: string;
  rows: readonly RunRow[];
  /** Memoised: it is drawn again where it changes. */
  painting: Painting;
  /** Runs in the order in which keys go from one to the next. */
  walk: readonly number[];
  /** The run whose mark is there, -1 for none. */
  nearest: (left: number, top: number) => number;
  markOf: (at: number) => Mark;
  /** What is told of a run, below its name: what is the same is told once. */
  linesOf: (at: number) => readonly string[];
  /** Whether what is told stands where the mouse is, and not at the mark. */
  tellsAtPointer?: boolean;
  /** Below the marks and over them, as SVG. */
  under?: ReactNode;
  renderOver: (pointed: number) => ReactNode;
}

const TOLD_WIDTH = 240;

export function PlotArea(props: Props): ReactNode {
  const { rows, painting, nearest, markOf } = props;
  const { width, height } = painting;
  const [pointed, setPointed] = useState<{ runId: string; mouse: Mark | null } | null>(null);
  const at = pointed === null ? -1 : rows.findIndex(({ runId }) => runId === pointed.runId);
  const point = (next: number, mouse: Mark | null = null): void => {
    const runId = rows[next]?.runId;
    setPointed(runId === undefined ? null : { runId, mouse });
  };
  const open = (): void => {
    const run = rows[at];
    if (run) go(addressOf(`/experiments/${run.experimentId}/runs/${run.runId}`));
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>): void => {
    const place = event.currentTarget.getBoundingClientRect();
    const mouse = { left: event.clientX - place.left, top: event.clientY - place.top };
    point(nearest(mouse.left, mouse.top), props.tellsAtPointer ? mouse : null);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = keyed(event.key, props.walk, at);
    if (next !== undefined) point(next);
    else if (event.key === "Enter" && at >= 0) open();
    else if (event.key === "Escape" && at >= 0) point(-1);
    else return;
    event.preventDefault();
  };
  return (
    <div
      className={at >= 0 ? "plot-area pointed" : "plot-area"}
      role="group"
      aria-label={props.label}
      // Arrows go from run to run.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      style={{ width, height }}
      onPointerMove={onPointerMove}
      onPointerDown={onPointerMove}
      onPointerLeave={() => point(-1)}
      onClick={open}
      onKeyDown={onKeyDown}
    >
      <svg width={width} height={height} aria-hidden="true">
        {props.under}
      </svg>
      <Marks painting={painting} picture={props.picture} />
      <svg width={width} height={height} aria-hidden="true">
        {props.renderOver(at)}
      </svg>
      <Told
        row={rows[at]}
        mark={at < 0 ? null : (pointed?.mouse ?? markOf(at))}
        width={width}
        height={height}
        lines={at < 0 ? [] : props.linesOf(at)}
      />
    </div>
  );
}

/** The run to which a key leads; undefined for other keys. */
function keyed(key: string, walk: readonly number[], at: number): number | undefined {
  const last = walk.length - 1;
  const here = walk.indexOf(at);
  if (last < 0) return undefined;
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[key];
  if (key === "Home") return walk[0];
  if (key === "End") return walk[last];
  if (by === undefined) return undefined;
  return here < 0 ? walk[by > 0 ? 0 : last] : walk[Math.max(0, Math.min(last, here + by))];
}

function Marks({ painting, picture }: { painting: Painting; picture: string }): ReactNode {
  const place = useRef<HTMLCanvasElement>(null);
  const painter = useRef<Painter | null>(null);
  useEffect(() => {
    if (!place.current) return;
    painter.current ??= new Painter(place.current);
    painter.current.paint(painting);
  }, [painting]);
  useEffect(
    () => () => {
      painter.current?.stop();
      painter.current = null;
    },
    [],
  );
  return (
    <canvas ref={place} role="img" aria-label={picture} style={{ width: painting.width, height: painting.height }} />
  );
}

interface ToldProps {
  row: RunRow | undefined;
  mark: Mark | null;
  width: number;
  height: number;
  lines: readonly string[];
}

function Told({ row, mark, width, height, lines }: ToldProps): ReactNode {
  const style = mark && {
    ...(mark.left > width - TOLD_WIDTH ? { right: width - mark.left + 10 } : { left: mark.left + 10 }),
    ...(mark.top > height / 2 ? { bottom: height - mark.top + 10 } : { top: mark.top + 14 }),
  };
  return (
    <div className="plot-told" role="status" style={style ?? undefined}>
      {row && mark && (
        <>
          <strong className="clipped">{row.runName}</strong>
          {[...new Set(lines)].map((line) => (
            <span key={line} className="clipped number">
              {line}
            </span>
          ))}
        </>
      )}
    </div>
  );
}

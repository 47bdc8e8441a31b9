// The table of runs: as many rows as there are, of which only those in sight are in the page.

import { useVirtualizer } from "@tanstack/react-virtual";
import {
  useEffect,
  useMemo,
  useRef,
  useState,
  type CSSProperties,
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
} from "react";
import { go } from "../router";
import { isTyping } from "../ui/typing";
import { toldOf, type Column } from "./columns";
import { HeaderCell } from "./header-cell";
import type { Line } from "./nesting";
import { useNow } from "./run-status";
import "./table.css";
import { FIXED_COLUMNS, layoutOf, NAME_COLUMN, NAME_STYLE, useShownColumns } from "./table-layout";
import { addressOfRun, RunLine } from "./table-line";

const ROW_HEIGHT = 32;
// Rows out of sight, above and below, that are ready.
const OVERSCAN = 2;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

interface Props {
  lines: readonly Line[];
  /** Whether no more lines are on their way. */
  isWhole: boolean;
  columns: readonly Column[];
  /** How many of the first columns stay in sight, beside the name. */
  pinned: number;
  widths: ReadonlyMap<string, number>;
  orderBy: string;
  selected: ReadonlySet<string>;
  /** The colours of the runs that charts show. */
  slots: ReadonlyMap<string, number>;
  onResize: (id: string, width: number) => void;
  onPin: (id: string) => void;
  onOrder: (orderBy: string) => void;
  onSelect: (runIds: readonly string[], selected: boolean) => void;
  onFold: (runId: string) => void;
}

export function RunTable(props: Props): ReactNode {
  const { lines, columns, selected, onSelect, onFold } = props;
  const place = useRef<HTMLDivElement>(null);
  const layout = useMemo(() => layoutOf(columns, props.pinned, props.widths), [columns, props.pinned, props.widths]);
  const shown = useShownColumns(layout, place);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => place.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: OVERSCAN,
  });
  const nowMs = useNow(true);
  const { active, press } = useKeys(lines, rows, props);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target === event.currentTarget && !isModified(event) && press(event.key)) event.preventDefault();
  };
  useEffect(() => {
    // From anywhere on the page but a field or a dialog.
    const begin = (event: globalThis.KeyboardEvent): void => {
      const { key, target } = event;
      if (isModified(event) || (key !== "j" && key !== "k")) return;
      if (target === place.current || isTyping(target) || document.querySelector("dialog[open]")) return;
      place.current?.focus();
      press(key);
    };
    window.addEventListener("keydown", begin);
    return () => window.removeEventListener("keydown", begin);
  }, [press]);
  // Titles of all cells would take longer than the cells.
  const tell = ({ target }: PointerEvent<HTMLElement>): void => {
    const cell = (target as Element).closest<HTMLElement>("[aria-colindex]");
    const line = lines[Number(cell?.parentElement?.ariaRowIndex) - 2];
    const column = columns[Number(cell?.ariaColIndex) - 1 - FIXED_COLUMNS];
    if (cell && line) cell.title = column ? toldOf(line.row, column, nowMs) : line.row.runName;
  };
  const all = lines.length > 0 && lines.every(({ row }) => selected.has(row.runId));
  // A row that leaves at one end comes back at the other as another line: far cheaper than a new one.
  const places = Math.ceil((rows.scrollRect?.height ?? 0) / ROW_HEIGHT) + 2 * OVERSCAN + 2;
  return (
    <div
      ref={place}
      className="run-table"
      role="grid"
      tabIndex={0}
      aria-label="Runs"
      aria-rowcount={lines.length + 1}
      aria-colcount={columns.length + 2}
      aria-activedescendant={active >= 0 ? `run-line-${active}` : undefined}
      aria-multiselectable
      onKeyDown={onKeyDown}
      style={
        {
          "--columns": layout.template,
          "--width": `${layout.width}px`,
          scrollPaddingLeft: layout.fixedWidth,
        } as CSSProperties
      }
    >
      <div className="run-head run-line" role="row" aria-rowindex={1}>
        <div className="cell pinned check" role="columnheader" aria-colindex={1}>
          <input
            type="checkbox"
            aria-label="Select all runs"
            checked={all}
            disabled={!props.isWhole || lines.length === 0}
            onChange={() =>
              onSelect(
                lines.map(({ row }) => row.runId),
                !all,
              )
            }
          />
        </div>
        <HeaderCell
          title="Name"
          id={NAME_COLUMN}
          order="run_name"
          orderBy={props.orderBy}
          place={2}
          style={NAME_STYLE}
          isPinned
          width={layout.nameWidth}
          onOrder={props.onOrder}
          onResize={props.onResize}
        />
        {shown.map((placed) => (
          <HeaderCell
            key={placed.column.id}
            title={placed.column.title}
            id={placed.column.id}
            told={placed.column.told}
            order={placed.column.order}
            orderBy={props.orderBy}
            place={placed.place}
            style={placed.style}
            width={placed.width}
            isNumber={placed.column.isNumber}
            isPinned={placed.isPinned}
            onOrder={props.onOrder}
            onResize={props.onResize}
            onPin={props.onPin}
          />
        ))}
      </div>
      <div role="rowgroup" className="run-rows" style={{ height: rows.getTotalSize() }} onPointerMove={tell}>
        {rows.getVirtualItems().map((item) => {
          const line = lines[item.index];
          if (!line) return null;
          return (
            <RunLine
              key={item.index % places}
              line={line}
              index={item.index}
              top={item.start}
              columns={shown}
              isSelected={selected.has(line.row.runId)}
              slot={props.slots.get(line.row.runId)}
              isActive={active === item.index}
              nowMs={isTimed(line, nowMs) ? nowMs : nowMs - (nowMs % MINUTE_MS)}
              onSelect={onSelect}
              onFold={onFold}
            />
          );
        })}
      </div>
    </div>
  );
}

/** Others change by the hour at most. */
function isTimed({ row }: Line, nowMs: number): boolean {
  return row.endTimeMs === undefined || nowMs - row.startTimeMs < HOUR_MS;
}

/** Arrows (or j and k) move, space selects, Enter opens, and left and right fold. */
function useKeys(
  lines: readonly Line[],
  rows: { scrollToIndex: (index: number) => void },
  props: Pick<Props, "selected" | "onSelect" | "onFold">,
): { active: number; press: (key: string) => boolean } {
  // A run, as lines move when others begin.
  const [activeId, setActiveId] = useState("");
  const active = activeId === "" ? -1 : lines.findIndex(({ row }) => row.runId === activeId);
  const moved = (by: number): void => {
    const next = Math.max(0, Math.min(lines.length - 1, active + by));
    setActiveId(lines[next]?.row.runId ?? "");
    rows.scrollToIndex(next);
  };
  const press = (key: string): boolean => {
    const line = lines[active];
    const moves: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 20, PageUp: -20 };
    const by = moves[key] ?? { Home: -lines.length, End: lines.length }[key];
    if (by !== undefined) moved(by);
    else if (!line) return false;
    else if (key === " ") props.onSelect([line.row.runId], !props.selected.has(line.row.runId));
    else if (key === "Enter") go(addressOfRun(line));
    else if ((key === "ArrowRight" && !line.isOpen && line.children > 0) || (key === "ArrowLeft" && line.isOpen))
      props.onFold(line.row.runId);
    else return false;
    return true;
  };
  return { active, press };
}

function isModified(event: { ctrlKey: boolean; metaKey: boolean; altKey: boolean }): boolean {
  return event.ctrlKey || event.metaKey || event.altKey;
}

// The table of runs: as many rows as there are, of which only those in sight are in the page.

import { useVirtualizer } from "@tanstack/react-virtual";
import {
  memo,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
  type CSSProperties,
  type KeyboardEvent,
  type ReactNode,
} from "react";
import { RunStatus } from "../api/generated/trackwire/v1/runs_pb";
import { addressOf, go } from "../router";
import { Icon } from "../ui/icon";
import { useDark } from "../ui/theme";
import { colorOf } from "./colors";
import { cellOf, type Column } from "./columns";
import { HeaderCell } from "./header-cell";
import type { Line } from "./nesting";
import "./table.css";

const ROW_HEIGHT = 32;
const MINUTE_MS = 60_000;
const CHECK_WIDTH = 62;
const NAME_COLUMN = "name";
export const NAME_WIDTH = 220;

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

/** Where each column stands: its width, and its left edge if it stays in sight. */
interface Layout {
  readonly template: string;
  readonly width: number;
  readonly lefts: readonly (number | undefined)[];
}

function layoutOf(columns: readonly Column[], pinned: number, widths: ReadonlyMap<string, number>): Layout {
  const nameWidth = widths.get(NAME_COLUMN) ?? NAME_WIDTH;
  const each = columns.map((column) => widths.get(column.id) ?? column.width);
  let left = CHECK_WIDTH + nameWidth;
  const lefts = each.map((width, at) => {
    const here = at < pinned ? left : undefined;
    left += width;
    return here;
  });
  return { template: [CHECK_WIDTH, nameWidth, ...each].map((width) => `${width}px`).join(" "), width: left, lefts };
}

export function RunTable(props: Props): ReactNode {
  const { lines, columns, selected, onSelect, onFold } = props;
  const place = useRef<HTMLDivElement>(null);
  const layout = useMemo(() => layoutOf(columns, props.pinned, props.widths), [columns, props.pinned, props.widths]);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => place.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
  });
  const nowMs = useSeconds();
  const { active, onKeyDown } = useKeys(lines, rows, props);
  const all = lines.length > 0 && lines.every(({ row }) => selected.has(row.run.runId));
  const style = { "--columns": layout.template, width: layout.width } as CSSProperties;
  return (
    <div
      ref={place}
      className="run-table"
      role="grid"
      tabIndex={0}
      aria-label="Runs"
      aria-rowcount={lines.length + 1}
      aria-activedescendant={active >= 0 ? `run-line-${active}` : undefined}
      aria-multiselectable
      onKeyDown={onKeyDown}
    >
      <div className="run-head run-line" role="row" aria-rowindex={1} style={style}>
        <div className="cell pinned check" role="columnheader">
          <input
            type="checkbox"
            aria-label="Select all runs"
            checked={all}
            disabled={!props.isWhole || lines.length === 0}
            onChange={() =>
              onSelect(
                lines.map(({ row }) => row.run.runId),
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
          left={CHECK_WIDTH}
          width={props.widths.get(NAME_COLUMN) ?? NAME_WIDTH}
          onOrder={props.onOrder}
          onResize={props.onResize}
        />
        {columns.map((column, at) => (
          <HeaderCell
            key={column.id}
            title={column.title}
            id={column.id}
            kind={column.kind}
            order={column.order}
            orderBy={props.orderBy}
            left={layout.lefts[at]}
            width={props.widths.get(column.id) ?? column.width}
            isNumber={column.isNumber}
            isPinned={at < props.pinned}
            onOrder={props.onOrder}
            onResize={props.onResize}
            onPin={props.onPin}
          />
        ))}
      </div>
      <div role="rowgroup" style={{ height: rows.getTotalSize(), width: layout.width, position: "relative" }}>
        {rows.getVirtualItems().map((item) => {
          const line = lines[item.index];
          if (!line) return null;
          return (
            <RunLine
              key={line.row.run.runId}
              line={line}
              index={item.index}
              top={item.start}
              columns={columns}
              layout={layout}
              isSelected={selected.has(line.row.run.runId)}
              slot={props.slots.get(line.row.run.runId)}
              isActive={active === item.index}
              nowMs={isTimed(line) ? nowMs : nowMs - (nowMs % MINUTE_MS)}
              onSelect={onSelect}
              onFold={onFold}
            />
          );
        })}
      </div>
    </div>
  );
}

/** Only a run that goes on changes with the clock. */
function isTimed({ row }: Line): boolean {
  return row.run.endTimeMs === undefined;
}

function useSeconds(): number {
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    const clock = window.setInterval(() => setNowMs(Date.now()), 1000);
    return () => window.clearInterval(clock);
  }, []);
  return nowMs;
}

/** Arrows (or j and k) move, space selects, Enter opens, and left and right fold. */
function useKeys(
  lines: readonly Line[],
  rows: { scrollToIndex: (index: number) => void },
  props: Pick<Props, "selected" | "onSelect" | "onFold">,
): { active: number; onKeyDown: (event: KeyboardEvent) => void } {
  const [active, setActive] = useState(-1);
  const moved = (by: number): void => {
    const next = Math.max(0, Math.min(lines.length - 1, active + by));
    setActive(next);
    rows.scrollToIndex(next);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const line = lines[active];
    const moves: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 20, PageUp: -20 };
    const by = moves[event.key] ?? { Home: -lines.length, End: lines.length }[event.key];
    if (by !== undefined) moved(by);
    else if (!line) return;
    else if (event.key === " ") props.onSelect([line.row.run.runId], !props.selected.has(line.row.run.runId));
    else if (event.key === "Enter") go(addressOfRun(line));
    else if (
      (event.key === "ArrowRight" && !line.isOpen && line.children > 0) ||
      (event.key === "ArrowLeft" && line.isOpen)
    )
      props.onFold(line.row.run.runId);
    else return;
    event.preventDefault();
  };
  return { active: Math.min(active, lines.length - 1), onKeyDown };
}

function addressOfRun({ row: { run } }: Line): string {
  return addressOf(`/experiments/${run.experimentId}/runs/${run.runId}`);
}

interface LineProps {
  line: Line;
  index: number;
  top: number;
  columns: readonly Column[];
  layout: Layout;
  isSelected: boolean;
  slot: number | undefined;
  isActive: boolean;
  nowMs: number;
  onSelect: Props["onSelect"];
  onFold: Props["onFold"];
}

const RunLine = memo(function RunLine(props: LineProps): ReactNode {
  const { line, columns, layout, onSelect, onFold, isSelected } = props;
  const { run } = line.row;
  const dark = useDark();
  const select = useCallback(() => onSelect([run.runId], !isSelected), [onSelect, run.runId, isSelected]);
  const style = {
    "--columns": layout.template,
    width: layout.width,
    transform: `translateY(${props.top}px)`,
  } as CSSProperties;
  return (
    <div
      id={`run-line-${props.index}`}
      className={props.isActive ? "run-line run-row active" : "run-line run-row"}
      role="row"
      aria-rowindex={props.index + 2}
      aria-selected={isSelected}
      style={style}
    >
      <div className="cell pinned check" role="gridcell">
        <input type="checkbox" aria-label={`Select ${run.runName}`} checked={isSelected} onChange={select} />
        <span
          className="swatch"
          style={props.slot === undefined ? undefined : { background: colorOf(props.slot, dark) }}
        />
      </div>
      <div className="cell pinned name" role="rowheader" style={{ left: CHECK_WIDTH }}>
        {line.depth > 0 && <span style={{ width: line.depth * 16, flex: "none" }} />}
        {line.children > 0 && (
          <button
            className="fold"
            aria-label={`${line.isOpen ? "Fold" : "Unfold"} the ${line.children} runs of ${run.runName}`}
            aria-expanded={line.isOpen}
            onClick={() => onFold(run.runId)}
          >
            <Icon name={line.isOpen ? "down" : "right"} size={14} />
          </button>
        )}
        <a className="clipped" href={addressOfRun(line)} title={run.runName}>
          {run.runName}
        </a>
        {line.children > 0 && <span className="count">{line.children}</span>}
      </div>
      {columns.map((column, at) => {
        const [shown, told] = cellOf(line.row, column, props.nowMs);
        const left = layout.lefts[at];
        const kind = column.isNumber ? "cell number" : "cell";
        return (
          <div
            key={column.id}
            className={left === undefined ? kind : `${kind} pinned`}
            role="gridcell"
            title={told}
            style={left === undefined ? undefined : { left }}
          >
            {column.id === "status" ? <StatusWord status={run.status} stop={run.stopRequested} /> : shown}
          </div>
        );
      })}
    </div>
  );
});

const STATUS_LOOKS: Record<RunStatus, [string, string]> = {
  [RunStatus.UNSPECIFIED]: ["soft", "Unknown"],
  [RunStatus.RUNNING]: ["busy", "Running"],
  [RunStatus.SCHEDULED]: ["soft", "Scheduled"],
  [RunStatus.FINISHED]: ["good", "Finished"],
  [RunStatus.FAILED]: ["bad", "Failed"],
  [RunStatus.KILLED]: ["bad", "Killed"],
};

export function StatusWord({ status, stop = false }: { status: RunStatus; stop?: boolean }): ReactNode {
  const [look, word] = STATUS_LOOKS[status];
  const stops = stop && status === RunStatus.RUNNING;
  return <span className={`status ${look}`}>{stops ? "Stopping" : word}</span>;
}

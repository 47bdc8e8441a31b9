// Runs beside each other, a column each, and rows of what they have: only what is in sight is in the page.

import { useVirtualizer, type Virtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, type ReactNode } from "react";
import { addressOf } from "../router";
import { colorOf } from "../runs/colors";
import type { RunRow } from "../runs/run-row";
import { useDark } from "../ui/theme";
import { useWidth } from "../ui/use-width";
import "./compare.css";

export interface GridRow {
  readonly id: string;
  readonly height: number;
  readonly head: ReactNode;
  readonly className?: string;
  /** What a run has there, by its place; a row without is a title of those that follow. */
  readonly cell?: (at: number) => ReactNode;
}

interface Props {
  label: string;
  runs: readonly RunRow[];
  slots: ReadonlyMap<string, number>;
  rows: readonly GridRow[];
  corner: ReactNode;
  /** Columns are as wide as there is room, and no narrower. */
  columnWidthMin: number;
  /** What stands below a run's name. */
  below?: (at: number) => ReactNode;
  /** Is told which columns are in sight. */
  onShow?: (runIds: readonly string[]) => void;
}

const HEAD_HEIGHT = 34;
const BELOW_HEIGHT = 18;
const HEAD_WIDTH_MAX = 240;
const HEAD_SHARE = 0.28;

type Columns = Virtualizer<HTMLDivElement, Element>;

export function ComparedGrid(props: Props): ReactNode {
  const { runs, rows, below, onShow } = props;
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const headHeight = HEAD_HEIGHT + (below ? BELOW_HEIGHT : 0);
  const headWidth = Math.round(Math.min(HEAD_WIDTH_MAX, width * HEAD_SHARE));
  const columnWidth = Math.max(props.columnWidthMin, Math.floor((width - headWidth) / runs.length));
  const columns: Columns = useVirtualizer({
    horizontal: true,
    count: width === 0 ? 0 : runs.length,
    getScrollElement: () => place.current,
    estimateSize: () => columnWidth,
    paddingStart: headWidth,
    overscan: 1,
  });
  const lines = useVirtualizer({
    count: rows.length,
    getScrollElement: () => place.current,
    estimateSize: (at) => rows[at]?.height ?? 0,
    paddingStart: headHeight,
    overscan: 6,
  });
  useEffect(() => columns.measure(), [columns, columnWidth, headWidth]);
  useEffect(() => lines.measure(), [lines, rows]);
  const shown = columns.getVirtualItems().map(({ index }) => runs[index]?.runId ?? "");
  const names = shown.join(" ");
  useEffect(() => onShow?.(names.split(" ").filter(Boolean)), [onShow, names]);
  return (
    // What scrolls is reached by keys.
    <div
      ref={place}
      className="compare-scroll panel"
      role="table"
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      aria-label={props.label}
      aria-rowcount={rows.length + 1}
      aria-colcount={runs.length + 1}
    >
      <div className="compare-grid" style={{ height: lines.getTotalSize(), width: columns.getTotalSize() }}>
        <div role="rowgroup" className="compare-heads" style={{ height: headHeight }}>
          <div role="row" aria-rowindex={1} className="compare-row" style={{ height: headHeight }}>
            <div role="columnheader" aria-colindex={1} className="compare-corner" style={{ width: headWidth }}>
              {props.corner}
            </div>
            <Shown role="columnheader" columns={columns} headWidth={headWidth}>
              {(at) => <RunHead run={runs[at]} slots={props.slots} below={below?.(at)} />}
            </Shown>
          </div>
        </div>
        <div role="rowgroup">
          {lines.getVirtualItems().map(({ index, start }) => {
            const row = rows[index];
            return row && <Line key={row.id} {...{ row, index, start, columns, headWidth }} />;
          })}
        </div>
      </div>
    </div>
  );
}

interface ShownProps {
  role: "columnheader" | "cell";
  columns: Columns;
  headWidth: number;
  children: (at: number) => ReactNode;
}

/** The cells of the columns in sight, behind the room of those that are left of it. */
function Shown(props: ShownProps): ReactNode {
  const items = props.columns.getVirtualItems();
  return (
    <>
      <span style={{ width: (items[0]?.start ?? 0) - props.headWidth, flex: "none" }} />
      {items.map(({ index, size }) => (
        <div key={index} className="compare-cell" role={props.role} aria-colindex={index + 2} style={{ width: size }}>
          {props.children(index)}
        </div>
      ))}
    </>
  );
}

function RunHead(props: { run: RunRow | undefined; slots: Props["slots"]; below: ReactNode }): ReactNode {
  const dark = useDark();
  const { run, slots, below } = props;
  if (!run) return null;
  return (
    <>
      <span className="line-of">
        <span className="swatch" style={{ background: colorOf(slots.get(run.runId) ?? 0, dark) }} />
        <a
          className="clipped"
          title={run.runName}
          href={addressOf(`/experiments/${run.experimentId}/runs/${run.runId}`)}
        >
          {run.runName}
        </a>
      </span>
      {below !== undefined && <span className="soft clipped compare-below">{below}</span>}
    </>
  );
}

interface LineProps {
  row: GridRow;
  index: number;
  start: number;
  columns: Columns;
  headWidth: number;
}

function Line({ row, index, start, columns, headWidth }: LineProps): ReactNode {
  const { cell } = row;
  const style = { height: row.height, transform: `translateY(${start}px)` };
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className={`compare-row compare-line ${cell ? "" : "section"} ${row.className ?? ""}`}
      style={style}
    >
      <div role="rowheader" aria-colindex={1} className="compare-head-cell" style={{ width: headWidth }}>
        {row.head}
      </div>
      {cell && (
        <Shown role="cell" columns={columns} headWidth={headWidth}>
          {cell}
        </Shown>
      )}
    </div>
  );
}

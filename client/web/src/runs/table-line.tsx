// A row of the table of runs. It is used again for another run when its own scrolls out of sight.

import { memo, useCallback, useLayoutEffect, useRef, type ReactNode, type RefObject } from "react";
import { addressOf } from "../router";
import { Icon } from "../ui/icon";
import { useDark } from "../ui/theme";
import { colorOf } from "./colors";
import { cellOf } from "./columns";
import type { Line } from "./nesting";
import { StatusBadge } from "./run-status";
import { NAME_STYLE, type PlacedColumn } from "./table-layout";

interface Props {
  line: Line;
  index: number;
  top: number;
  columns: readonly PlacedColumn[];
  isSelected: boolean;
  /** The colour of the run in charts, if they show it. */
  slot: number | undefined;
  isActive: boolean;
  nowMs: number;
  onSelect: (runIds: readonly string[], selected: boolean) => void;
  onFold: (runId: string) => void;
}

export function addressOfRun({ row: { run } }: Line): string {
  return addressOf(`/experiments/${run.experimentId}/runs/${run.runId}`);
}

export const RunLine = memo(function RunLine(props: Props): ReactNode {
  const { line, columns, onSelect, onFold, isSelected } = props;
  const { run } = line.row;
  const dark = useDark();
  const place = useRef<HTMLDivElement>(null);
  useFocusLeft(place, run.runId);
  const select = useCallback(() => onSelect([run.runId], !isSelected), [onSelect, run.runId, isSelected]);
  return (
    <div
      ref={place}
      id={`run-line-${props.index}`}
      className={props.isActive ? "run-line run-row active" : "run-line run-row"}
      role="row"
      aria-rowindex={props.index + 2}
      aria-selected={isSelected}
      style={{ transform: `translateY(${props.top}px)` }}
    >
      <div className="cell pinned check" role="gridcell" aria-colindex={1}>
        <input type="checkbox" aria-label={`Select ${run.runName}`} checked={isSelected} onChange={select} />
        <span
          className="swatch"
          style={props.slot === undefined ? undefined : { background: colorOf(props.slot, dark) }}
        />
      </div>
      <div className="cell pinned name" role="rowheader" style={NAME_STYLE} aria-colindex={2}>
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
      {columns.map(({ column, place: at, isPinned, style }) => {
        const [shown, told] = cellOf(line.row, column, props.nowMs);
        return (
          <div
            key={column.id}
            className={`cell${column.isNumber ? " number" : ""}${isPinned ? " pinned" : ""}`}
            role="gridcell"
            aria-colindex={at}
            title={told}
            style={style}
          >
            {column.id === "status" ? <StatusBadge status={run.status} stop={run.stopRequested} /> : shown}
          </div>
        );
      })}
    </div>
  );
});

/** A row that becomes another run's gives the focus to the table: a key is not to act on a run that it wasn't meant for. */
function useFocusLeft(place: RefObject<HTMLDivElement | null>, runId: string): void {
  const last = useRef(runId);
  useLayoutEffect(() => {
    const row = place.current;
    if (last.current !== runId && row?.contains(document.activeElement))
      row.closest<HTMLElement>(".run-table")?.focus();
    last.current = runId;
  }, [place, runId]);
}

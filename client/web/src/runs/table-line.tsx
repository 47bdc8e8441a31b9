// A row of the table of runs. It is used again for another run when its own scrolls out of sight.

import { memo, useCallback, useLayoutEffect, useRef, type ReactNode, type RefObject } from "react";
import { addressOf } from "../router";
import { Icon } from "../ui/icon";
import { useDark } from "../ui/theme";
import { colorOf } from "./colors";
import { shownOf } from "./columns";
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

export function addressOfRun({ row }: Line): string {
  return addressOf(`/experiments/${row.experimentId}/runs/${row.runId}`);
}

export const RunLine = memo(function RunLine(props: Props): ReactNode {
  const { line, columns, onSelect, onFold, isSelected } = props;
  const { row } = line;
  const dark = useDark();
  const place = useRef<HTMLDivElement>(null);
  useFocusLeft(place, row.runId);
  const select = useCallback(() => onSelect([row.runId], !isSelected), [onSelect, row.runId, isSelected]);
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
        <input type="checkbox" aria-label={`Select ${row.runName}`} checked={isSelected} onChange={select} />
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
            aria-label={`${line.isOpen ? "Fold" : "Unfold"} the ${line.children} runs of ${row.runName}`}
            aria-expanded={line.isOpen}
            onClick={() => onFold(row.runId)}
          >
            <Icon name={line.isOpen ? "down" : "right"} size={14} />
          </button>
        )}
        <a className="clipped" href={addressOfRun(line)}>
          {row.runName}
        </a>
        {line.children > 0 && <span className="count">{line.children}</span>}
      </div>
      {columns.map(({ column, place: at, className, style }) => (
        <div key={column.id} className={className} role="gridcell" aria-colindex={at} style={style}>
          {column.id === "status" ? (
            <StatusBadge status={row.status} stop={row.stopRequested} />
          ) : (
            shownOf(row, column, props.nowMs)
          )}
        </div>
      ))}
    </div>
  );
});

/** A row that becomes another run's gives the focus to the table: a key is not to act on a run that it wasn't meant for. */
function useFocusLeft(place: RefObject<HTMLDivElement | null>, runId: string): void {
  const last = useRef(runId);
  useLayoutEffect(() => {
    const line = place.current;
    if (last.current !== runId && line?.contains(document.activeElement))
      line.closest<HTMLElement>(".run-table")?.focus();
    last.current = runId;
  }, [place, runId]);
}

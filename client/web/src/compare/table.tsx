// Runs beside each other, a column each: what differs stands first and is marked.

import { useContext, useMemo, type ReactNode } from "react";
import { formatCount, formatDuration, formatNumber, formatTime } from "../format";
import { useSetting } from "../router";
import { SlotsContext } from "../runs/colors";
import type { RunRow } from "../runs/run-row";
import { StatusBadge } from "../runs/run-status";
import { compared, PARTS, type Part, type Value } from "./differences";
import { ComparedGrid, type GridRow } from "./grid";

const COLUMN_WIDTH = 196;
const ROW_HEIGHT = 32;

export function CompareTable({ rows }: { rows: readonly RunRow[] }): ReactNode {
  const [only, setOnly] = useSetting("differences");
  const slots = useContext(SlotsContext);
  const parts = useMemo(() => PARTS.map((part) => ({ part, keys: compared(rows, part) })), [rows]);
  const lines = useMemo(
    () => [
      ...attributeLines(rows),
      ...parts.flatMap(({ part, keys }) => {
        const shown = only ? keys.filter(({ differs }) => differs) : keys;
        if (shown.length === 0) return [];
        return [titleLine(part.title, shown.length), ...shown.map((each) => keyLine(rows, part, each))];
      }),
    ],
    [rows, parts, only],
  );
  return (
    <ComparedGrid
      label="Compared runs"
      runs={rows}
      slots={slots}
      columnWidthMin={COLUMN_WIDTH}
      rows={lines}
      corner={
        <label>
          <input type="checkbox" checked={only === "1"} onChange={() => setOnly(only ? "" : "1")} /> Differences only
        </label>
      }
    />
  );
}

function attributeLines(runs: readonly RunRow[]): GridRow[] {
  const line = (head: string, of: (run: RunRow) => ReactNode): GridRow => ({
    id: `attribute ${head}`,
    height: ROW_HEIGHT,
    head,
    cell: (at) => {
      const run = runs[at];
      return run && of(run);
    },
  });
  return [
    line("Status", (run) => <StatusBadge status={run.status} stop={run.stopRequested} />),
    line("Started", (run) => formatTime(run.startTimeMs)),
    line("Duration", (run) => (run.endTimeMs === undefined ? "" : formatDuration(run.endTimeMs - run.startTimeMs))),
  ];
}

function titleLine(title: string, keys: number): GridRow {
  return {
    id: `title ${title}`,
    height: ROW_HEIGHT,
    head: <span title={formatCount(keys, "key")}>{title}</span>,
  };
}

function keyLine(rows: readonly RunRow[], part: Part, { key, differs }: { key: string; differs: boolean }): GridRow {
  return {
    id: `${part.title} ${key}`,
    height: ROW_HEIGHT,
    className: differs ? "differs" : "",
    head: (
      <span className="clipped" title={key}>
        {key}
      </span>
    ),
    cell: (at) => {
      const row = rows[at];
      return row && <ValueShown value={part.valueOf(row, key)} />;
    },
  };
}

function ValueShown({ value }: { value: Value }): ReactNode {
  if (value === undefined) return <span className="soft">not set</span>;
  const isNumber = typeof value === "number";
  return (
    <span className={isNumber ? "number" : undefined} title={String(value)}>
      {isNumber ? formatNumber(value) : value}
    </span>
  );
}

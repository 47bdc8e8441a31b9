// Runs beside each other, a column each: what differs stands first and is marked.

import type { ReactNode } from "react";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { formatDuration, formatNumber, formatTime } from "../format";
import { addressOf, useSetting } from "../router";
import { colorOf, slotsOf } from "../runs/colors";
import { StatusBadge } from "../runs/run-status";
import { useDark } from "../ui/theme";
import { compared, lastValues, ownTags, type Compared } from "./differences";

export function CompareTable({ runs }: { runs: readonly Run[] }): ReactNode {
  const [only, setOnly] = useSetting("differences");
  const dark = useDark();
  const slots = slotsOf(runs.map(({ runId }) => runId));
  const shown = (rows: Compared[]): Compared[] => (only ? rows.filter(({ differs }) => differs) : rows);
  return (
    <div className="compare-scroll panel">
      <table className="plain-table compare-table">
        <thead>
          <tr>
            <th scope="col">
              <label>
                <input type="checkbox" checked={only === "1"} onChange={() => setOnly(only ? "" : "1")} /> Differences
                only
              </label>
            </th>
            {runs.map((run) => (
              <th key={run.runId} scope="col">
                <span className="line-of">
                  <span className="swatch" style={{ background: colorOf(slots.get(run.runId) ?? 0, dark) }} />
                  <a className="clipped" href={addressOf(`/experiments/${run.experimentId}/runs/${run.runId}`)}>
                    {run.runName}
                  </a>
                </span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">Status</th>
            {runs.map((run) => (
              <td key={run.runId}>
                <StatusBadge status={run.status} stop={run.stopRequested} />
              </td>
            ))}
          </tr>
          <tr>
            <th scope="row">Started</th>
            {runs.map((run) => (
              <td key={run.runId}>{formatTime(run.startTimeMs)}</td>
            ))}
          </tr>
          <tr>
            <th scope="row">Duration</th>
            {runs.map((run) => (
              <td key={run.runId}>
                {run.endTimeMs === undefined ? "" : formatDuration(Number(run.endTimeMs - run.startTimeMs))}
              </td>
            ))}
          </tr>
        </tbody>
        <Section title="Params" rows={shown(compared(runs, (run) => run.params))} runs={runs} />
        <Section title="Metrics, last values" rows={shown(compared(runs, lastValues))} runs={runs} areNumbers />
        <Section title="Tags" rows={shown(compared(runs, ownTags))} runs={runs} />
      </table>
    </div>
  );
}

function Section(props: {
  title: string;
  rows: readonly Compared[];
  runs: readonly Run[];
  areNumbers?: boolean;
}): ReactNode {
  const { title, rows, runs, areNumbers = false } = props;
  if (rows.length === 0) return null;
  return (
    <tbody>
      <tr className="section">
        <th scope="rowgroup" colSpan={runs.length + 1}>
          {title}
        </th>
      </tr>
      {rows.map(({ key, values, differs }) => (
        <tr key={key} className={differs ? "differs" : undefined}>
          <th scope="row" title={key}>
            <span className="clipped">{key}</span>
          </th>
          {values.map((value, at) => (
            <td key={runs[at]?.runId} className={areNumbers ? "number" : undefined} title={value}>
              {value === undefined ? (
                <span className="soft">not set</span>
              ) : areNumbers ? (
                formatNumber(Number(value))
              ) : (
                value
              )}
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  );
}

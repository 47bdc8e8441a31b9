// What a run measured, by the summaries of its metrics; charts stand above it where there are some.

import { useMemo, useState, type ReactNode } from "react";
import { ChartGrid } from "../charts/grid";
import type { MetricSummary } from "../api/generated/trackwire/v1/metrics_pb";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { formatAge, formatNumber, formatTime } from "../format";
import { useSetting } from "../router";
import { isAtWork } from "./columns";
import { Empty } from "../ui/notice";
import { SearchBox } from "../ui/search-box";

interface Props {
  run: Run;
  /** Those of the machine, or those of the training. */
  system: boolean;
}

export const SYSTEM_PREFIX = "system/";
const ROWS = 300;

export function RunCharts({ run, system }: Props): ReactNode {
  const summaries = useMemo(
    () =>
      run.metrics
        .filter(({ key }) => key.startsWith(SYSTEM_PREFIX) === system)
        .toSorted((a, b) => a.key.localeCompare(b.key, "en", { numeric: true })),
    [run.metrics, system],
  );
  const keys = useMemo(() => summaries.map(({ key }) => key), [summaries]);
  const { runId, runName, status } = run;
  const charted = useMemo(() => [{ runId, name: runName, isAtWork: isAtWork({ status }) }], [runId, runName, status]);
  if (summaries.length === 0) return <NoMetrics system={system} />;
  return (
    <>
      <div className="run-chart-area">
        <ChartGrid runs={charted} keys={keys} />
      </div>
      <SummaryTable summaries={summaries} />
    </>
  );
}

export function SummaryTable({ summaries }: { summaries: MetricSummary[] }): ReactNode {
  const [search, setSearch] = useSetting("metric");
  const [shown, setShown] = useState(ROWS);
  const wanted = search.toLowerCase();
  const found = summaries.filter(({ key }) => key.toLowerCase().includes(wanted));
  return (
    <section className="panel section" aria-label="Summaries">
      <div className="section-head">
        <h2>
          Summaries <span className="soft number">{summaries.length.toLocaleString("en")}</span>
        </h2>
        <span className="grow" />
        <SearchBox label="Search metrics" value={search} onChange={setSearch} />
      </div>
      {found.length === 0 && <p className="soft section-empty">No metric has “{search}” in its name.</p>}
      {found.length > 0 && (
        // What scrolls is reached by keys.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <section className="scrolls-across" tabIndex={0} aria-label="Table of summaries">
          <table className="summaries">
            <thead>
              <tr>
                <th scope="col">Metric</th>
                <th scope="col">Last</th>
                <th scope="col">Min</th>
                <th scope="col">Max</th>
                <th scope="col">Step</th>
                <th scope="col">Points</th>
                <th scope="col">Logged</th>
              </tr>
            </thead>
            <tbody>
              {found.slice(0, shown).map((summary) => (
                <Row key={summary.key} summary={summary} />
              ))}
            </tbody>
          </table>
        </section>
      )}
      {found.length > shown && (
        <p className="section-empty">
          <button className="button small" onClick={() => setShown(shown + 5 * ROWS)}>
            Show more of {found.length.toLocaleString("en")}
          </button>
        </p>
      )}
    </section>
  );
}

function Row({ summary }: { summary: MetricSummary }): ReactNode {
  const { key, lastValue, minValue, maxValue, lastStep, count, nanCount, lastTimeMs } = summary;
  return (
    <tr>
      <th scope="row" title={key}>
        {key}
      </th>
      <Figure value={lastValue} />
      <Figure value={minValue} />
      <Figure value={maxValue} />
      <td>{lastStep.toLocaleString("en")}</td>
      <td>
        {count.toLocaleString("en")}
        {nanCount > 0n && <span className="soft"> ({nanCount.toLocaleString("en")} NaN)</span>}
      </td>
      <td className="soft" title={formatTime(lastTimeMs)}>
        {formatAge(lastTimeMs)}
      </td>
    </tr>
  );
}

function Figure({ value }: { value: number | undefined }): ReactNode {
  return (
    <td title={value === undefined ? undefined : String(value)}>{value === undefined ? "—" : formatNumber(value)}</td>
  );
}

function NoMetrics({ system }: { system: boolean }): ReactNode {
  return system ? (
    <Empty title="The machine was not measured">
      <p>A training measures it along with itself by</p>
      <pre>trackwire.start_run(log_system_metrics=True)</pre>
    </Empty>
  ) : (
    <Empty title="No metrics yet">
      <p>They are logged by</p>
      <pre>
        trackwire.log_metrics({"{"}&quot;loss&quot;: loss{"}"}, step)
      </pre>
    </Empty>
  );
}

// What a run measured: a line for each metric.

import { useMemo, useState, type ReactNode } from "react";
import type { MetricSummary } from "../api/generated/trackwire/v1/metrics_pb";
import { formatAge, formatNumber, formatTime } from "../format";
import { useSetting } from "../router";
import { SearchBox } from "../ui/search-box";

/** Metrics of the machine begin with it. */
export const SYSTEM_PREFIX = "system/";
const ROWS = 300;
const SEARCHABLE_FROM = 8;

export function Summaries({ metrics }: { metrics: readonly MetricSummary[] }): ReactNode {
  const summaries = useMemo(() => metrics.toSorted(inOrder), [metrics]);
  const [search, setSearch] = useSetting("metric");
  const [shown, setShown] = useState(ROWS);
  const wanted = search.toLowerCase();
  const found = summaries.filter(({ key }) => key.toLowerCase().includes(wanted));
  return (
    <section className="panel section" aria-label="Metrics">
      <div className="section-head">
        <h2>
          Metrics <span className="soft number">{summaries.length.toLocaleString("en")}</span>
        </h2>
        <span className="grow" />
        {(summaries.length >= SEARCHABLE_FROM || search) && (
          <SearchBox label="Search metrics" value={search} onChange={setSearch} />
        )}
      </div>
      {summaries.length === 0 && <p className="soft section-empty">No metrics were logged.</p>}
      {summaries.length > 0 && found.length === 0 && (
        <p className="soft section-empty">No metric has “{search}” in its name.</p>
      )}
      {found.length > 0 && (
        // What scrolls is reached by keys.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <section className="scrolls-across" tabIndex={0} aria-label="Table of metrics">
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

/** Those of the machine come last. */
function inOrder(a: MetricSummary, b: MetricSummary): number {
  const isSystem = ({ key }: MetricSummary): number => Number(key.startsWith(SYSTEM_PREFIX));
  return isSystem(a) - isSystem(b) || a.key.localeCompare(b.key, "en", { numeric: true });
}

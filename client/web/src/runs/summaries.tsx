// What a run measured: a line for each metric.

import { useMemo, type ReactNode } from "react";
import type { MetricSummary } from "../api/generated/trackwire/v1/metrics_pb";
import { formatAge, formatNumber, formatTime } from "../format";
import { SearchedSection } from "./searched-section";

/** Metrics of the machine begin with it. */
export const SYSTEM_PREFIX = "system/";

export function Summaries({ metrics }: { metrics: readonly MetricSummary[] }): ReactNode {
  const summaries = useMemo(() => metrics.toSorted(inOrder), [metrics]);
  return (
    <SearchedSection
      title="Metrics"
      setting="metric"
      items={summaries}
      textOf={({ key }) => key}
      empty="No metrics were logged."
      renderItems={(shown) => (
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
              {shown.map((summary) => (
                <Row key={summary.key} summary={summary} />
              ))}
            </tbody>
          </table>
        </section>
      )}
    />
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

// The run that a version comes from: what it was started with, and how far it came.

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { ModelVersion } from "../api/generated/trackwire/v1/model_registry_pb";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { formatAge, formatNumber, formatTime, STATUS_WORDS } from "../format";
import { addressOf } from "../router";
import { runById } from "../runs/run-queries";
import { Failure } from "../ui/notice";
import { Values, type NamedValue } from "./values";

export function Origin({ version }: { version: ModelVersion }): ReactNode {
  return (
    <section className="stacked" aria-label="Source run">
      <h2>Source run</h2>
      {version.runId ? <FromRun runId={version.runId} /> : <p className="soft">It comes from no run of this server.</p>}
      {/* What a client says is a link may be anything: only the web's are made one. */}
      {version.runLink &&
        (/^https?:\/\//i.test(version.runLink) ? (
          <p>
            <a className="breaks" href={version.runLink} target="_blank" rel="noreferrer noopener">
              {version.runLink}
            </a>
          </p>
        ) : (
          <p className="mono breaks">{version.runLink}</p>
        ))}
    </section>
  );
}

function FromRun({ runId }: { runId: string }): ReactNode {
  const run = useQuery(runById(runId));
  if (run.error) {
    return (
      <>
        <p className="mono breaks">{runId}</p>
        <Failure error={run.error} onRetry={() => void run.refetch()} />
      </>
    );
  }
  if (!run.data) return null;
  const { data } = run;
  const path = `/experiments/${encodeURIComponent(data.experimentId)}/runs/${encodeURIComponent(runId)}`;
  return (
    <>
      <p>
        <a href={addressOf(path)}>{data.runName || runId}</a>{" "}
        <span className="soft" title={formatTime(data.startTimeMs)}>
          {STATUS_WORDS[data.status]}, started {formatAge(data.startTimeMs)}
        </span>
      </p>
      <div className="origin-tables">
        <Metrics run={data} />
        <Values
          title="Params"
          isText
          values={Object.entries(data.params)
            .map(([name, value]) => ({ name, value }))
            .toSorted(byName)}
        />
      </div>
    </>
  );
}

function Metrics({ run }: { run: Run }): ReactNode {
  const last = run.metrics.filter((metric) => metric.primary && !metric.key.startsWith("system/"));
  return (
    <Values
      title="Metrics"
      values={last.map(({ key, lastValue }) => ({ name: key, value: formatNumber(lastValue) })).toSorted(byName)}
    />
  );
}

function byName(a: NamedValue, b: NamedValue): number {
  return a.name.localeCompare(b.name);
}

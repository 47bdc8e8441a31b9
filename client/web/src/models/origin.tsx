// The run that a version comes from: what it was started with, and how far it came.

import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import type { ModelVersion } from "../api/generated/trackwire/v1/model_registry_pb";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { formatAge, formatNumber, formatTime, STATUS_WORDS } from "../format";
import { addressOf } from "../router";
import { Failure } from "../ui/notice";
import { originOf } from "./queries";

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
  const run = useQuery(originOf(runId));
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
          rows={Object.entries(data.params).map(([key, value]) => ({ key, value, isNumber: false }))}
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
      rows={last.map(({ key, lastValue }) => ({ key, value: formatNumber(lastValue), isNumber: true }))}
    />
  );
}

interface RowValue {
  key: string;
  value: string;
  isNumber: boolean;
}

const FIRST_ROWS = 12;

function Values({ title, rows }: { title: string; rows: RowValue[] }): ReactNode {
  const [isWhole, setWhole] = useState(false);
  const ordered = rows.toSorted((a, b) => a.key.localeCompare(b.key));
  const shown = isWhole ? ordered : ordered.slice(0, FIRST_ROWS);
  if (rows.length === 0) return <p className="soft">{title}: none.</p>;
  return (
    <div className="stacked">
      <table className="plain-table value-table">
        <caption>{title}</caption>
        <tbody>
          {shown.map(({ key, value, isNumber }) => (
            <tr key={key}>
              <th scope="row" className="clipped" title={key}>
                {key}
              </th>
              <td className={isNumber ? "number clipped" : "mono clipped"} title={value}>
                {value}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown.length && (
        <p>
          <button className="button small" onClick={() => setWhole(true)}>
            Show all {rows.length} {title.toLowerCase()}
          </button>
        </p>
      )}
    </div>
  );
}

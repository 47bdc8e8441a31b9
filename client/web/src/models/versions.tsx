// All versions of a model, to be promoted, looked at, and compared by their runs.

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { useTrackingUri } from "../api/address";
import type { ModelVersion, RegisteredModel } from "../api/generated/trackwire/v1/model_registry_pb";
import { formatAge, formatTime } from "../format";
import { addressOf, useSetting } from "../router";
import { runById } from "../runs/run-queries";
import { Code } from "../ui/code";
import { Empty, Failure } from "../ui/notice";
import { Tags } from "../ui/tags";
import { versionAddress } from "./addresses";
import { PromoteDialog, promotedWords } from "./promote";
import { versionsOf } from "./queries";
import { Stage } from "./stages";

export function Versions({ model }: { model: RegisteredModel }): ReactNode {
  const found = useInfiniteQuery(versionsOf(model.name));
  const [promoted, setPromoted] = useState<ModelVersion | null>(null);
  const [selection, setSelection] = useSetting("selected");
  const shown = found.data?.pages.flatMap((page) => page.modelVersions) ?? [];
  const selected = new Set(selection.split(",").filter(Boolean));
  const select = (version: bigint): void => {
    const changed = new Set(selected);
    if (!changed.delete(String(version))) changed.add(String(version));
    setSelection([...changed].join(","));
  };
  return (
    <section className="stacked" aria-label="Versions">
      <div className="spread">
        <h2>Versions</h2>
        <Compare versions={shown.filter((version) => selected.has(String(version.version)))} />
      </div>
      {found.error && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {found.isSuccess && shown.length === 0 && <NoVersions name={model.name} />}
      {shown.length > 0 && (
        <div className="panel scrolls-across">
          <table className="plain-table versions-table">
            <thead>
              <tr>
                <th scope="col">
                  <span className="unseen">Select</span>
                </th>
                <th scope="col">Version</th>
                <th scope="col">Aliases</th>
                <th scope="col">Stage</th>
                <th scope="col">Source run</th>
                <th scope="col">Created</th>
                <th scope="col">Description</th>
                <th scope="col">Tags</th>
                <th scope="col">
                  <span className="unseen">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((version) => (
                <Row
                  key={String(version.version)}
                  version={version}
                  promoted={promotedWords(version, model)}
                  isSelected={selected.has(String(version.version))}
                  onSelect={() => select(version.version)}
                  onPromote={() => setPromoted(version)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {found.hasNextPage && (
        <p>
          <button className="button" disabled={found.isFetching} onClick={() => void found.fetchNextPage()}>
            Show more
          </button>
        </p>
      )}
      {promoted && <PromoteDialog version={promoted} model={model} onClose={() => setPromoted(null)} />}
    </section>
  );
}

interface RowProps {
  version: ModelVersion;
  promoted: string | undefined;
  isSelected: boolean;
  onSelect: () => void;
  onPromote: () => void;
}

function Row({ version, promoted, isSelected, onSelect, onPromote }: RowProps): ReactNode {
  const number = String(version.version);
  return (
    <tr aria-selected={isSelected}>
      <td>
        <input
          type="checkbox"
          aria-label={`Select version ${number}`}
          title={version.runId ? undefined : "It comes from no run that could be compared"}
          checked={isSelected}
          disabled={!version.runId}
          onChange={onSelect}
        />
      </td>
      <th scope="row">
        <a href={versionAddress(version.name, version.version)}>Version {number}</a>
      </th>
      <td>
        <span className="line-of">
          {version.aliases.toSorted().map((alias) => (
            <span key={alias} className="alias">
              {alias}
            </span>
          ))}
        </span>
      </td>
      <td>
        <Stage stage={version.currentStage} />
      </td>
      <td>{version.runId && <SourceRun runId={version.runId} />}</td>
      <td className="soft" title={formatTime(version.creationTimeMs)}>
        {formatAge(version.creationTimeMs)}
        {version.userId && ` by ${version.userId}`}
      </td>
      <td className="model-description">
        <span className="soft" title={version.description}>
          {version.description}
        </span>
      </td>
      <td>
        <Tags tags={version.tags} />
      </td>
      <td className="actions">
        {promoted ? (
          <span className="soft">{promoted}</span>
        ) : (
          <button className="button small" aria-label={`Promote version ${number}`} onClick={onPromote}>
            Promote
          </button>
        )}
      </td>
    </tr>
  );
}

function SourceRun({ runId }: { runId: string }): ReactNode {
  const run = useQuery(runById(runId));
  const name = run.data?.runName;
  return (
    <a
      className={name ? undefined : "mono"}
      href={addressOf(`/runs/${encodeURIComponent(runId)}`)}
      title={`Run ${runId}`}
    >
      {name || (runId.length > 12 ? `${runId.slice(0, 8)}…` : runId)}
    </a>
  );
}

function Compare({ versions }: { versions: ModelVersion[] }): ReactNode {
  const runIds = [...new Set(versions.map((version) => version.runId).filter(Boolean))];
  if (versions.length === 0) return <span className="soft">Select two or more to compare their runs.</span>;
  if (versions.length === 1) return <span className="soft">Select another one to compare with.</span>;
  if (runIds.length < 2) return <span className="soft">These are of the same run.</span>;
  return (
    <a className="button" href={addressOf("/compare-runs", { runs: runIds.join("~") })}>
      Compare the runs of {versions.length} versions
    </a>
  );
}

function NoVersions({ name }: { name: string }): ReactNode {
  const server = useTrackingUri();
  return (
    <Empty title="It has no versions yet">
      <p>
        What a run has logged becomes the first one: by a button at its artifacts, by “New version” above, or in Python:
      </p>
      {server !== undefined && <Code text={firstVersion(server, name)} />}
    </Empty>
  );
}

function firstVersion(server: string, name: string): string {
  return `import trackwire

trackwire.set_tracking_uri("${server}")
trackwire.register_model("runs:/RUN_ID/PATH", ${JSON.stringify(name)})`;
}

// Where a run comes from and what came of it: runs around it, datasets, models and versions of registered models.

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { LifecycleStage } from "../api/generated/trackwire/v1/experiments_pb";
import type { DatasetInput } from "../api/generated/trackwire/v1/run_inputs_pb";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { formatAge } from "../format";
import { addressOf } from "../router";
import { versionAddress } from "../models/addresses";
import { pathOf } from "../models/files";
import { versionsFrom } from "../models/queries";
import { RegisterButton, RegisteredAs } from "../models/register";
import { CopyButton } from "../ui/copy-button";
import { Failure } from "../ui/notice";
import { Value } from "./entries";
import { childrenOf, modelsOf, runById } from "./run-queries";
import { Duration, StatusBadge } from "./run-status";

export function Lineage({ run }: { run: Run }): ReactNode {
  return (
    <>
      {run.parentRunId && <Parent runId={run.parentRunId} />}
      <Children run={run} />
      <Datasets inputs={run.inputs?.datasets ?? []} />
      <Models run={run} />
      <Versions run={run} />
    </>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }): ReactNode {
  return (
    <section className="panel section" aria-label={title}>
      <div className="section-head">
        <h2>{title}</h2>
      </div>
      {children}
    </section>
  );
}

function addressOfRun(run: Run): string {
  return addressOf(`/experiments/${run.experimentId}/runs/${encodeURIComponent(run.runId)}`);
}

function Parent({ runId }: { runId: string }): ReactNode {
  const parent = useQuery(runById(runId));
  return (
    <Section title="Part of">
      <ul className="links">
        <li>
          {parent.data ? (
            <>
              <a className="grow clipped" href={addressOfRun(parent.data)}>
                {parent.data.runName}
              </a>
              <StatusBadge status={parent.data.status} />
            </>
          ) : (
            <span className="soft clipped">
              Run <span className="mono">{runId}</span>
              {parent.error ? ", which is not here" : ""}
            </span>
          )}
        </li>
      </ul>
    </Section>
  );
}

function Children({ run }: { run: Run }): ReactNode {
  const children = useInfiniteQuery({ ...childrenOf(run), refetchInterval: 10_000 });
  const found = children.data?.pages.flatMap((page) => page.runs) ?? [];
  if (children.error) return <Failure error={children.error} onRetry={() => void children.refetch()} />;
  if (found.length === 0) return null;
  return (
    <Section title="Child runs">
      <ul className="links">
        {found.map((child) => (
          <li key={child.runId}>
            <a className="grow clipped" href={addressOfRun(child)}>
              {child.runName}
            </a>
            <span className="soft number">
              <Duration run={child} />
            </span>
            <StatusBadge status={child.status} />
          </li>
        ))}
      </ul>
      {children.hasNextPage && (
        <p className="section-empty">
          <button
            className="button small"
            disabled={children.isFetchingNextPage}
            onClick={() => void children.fetchNextPage()}
          >
            Show more
          </button>
        </p>
      )}
    </Section>
  );
}

function Datasets({ inputs }: { inputs: DatasetInput[] }): ReactNode {
  if (inputs.length === 0) return null;
  return (
    <Section title="Datasets">
      <ul className="links">
        {inputs.map(({ dataset, tags }) => (
          <li key={`${dataset?.name} ${dataset?.digest}`} className="dataset">
            <details>
              <summary>
                <strong>{dataset?.name}</strong> <span className="soft">{tags["mlflow.data.context"]}</span>
              </summary>
              <dl className="about">
                {(["digest", "sourceType", "source", "schema", "profile"] as const).map((field) =>
                  dataset?.[field] ? (
                    <div key={field}>
                      <dt>{DATASET_WORDS[field]}</dt>
                      <dd className="mono">
                        <span>
                          <Value text={dataset[field]} />
                        </span>
                        <CopyButton text={dataset[field]} label={`Copy: ${DATASET_WORDS[field]}`} />
                      </dd>
                    </div>
                  ) : null,
                )}
              </dl>
            </details>
          </li>
        ))}
      </ul>
    </Section>
  );
}

const DATASET_WORDS = {
  digest: "Digest",
  sourceType: "Kind of source",
  source: "Source",
  schema: "Schema",
  profile: "Profile",
};

function Models({ run }: { run: Run }): ReactNode {
  const known = useQuery(modelsOf(run));
  const names = new Map((known.data ?? []).map((model) => [model.modelId, model.name]));
  const given = new Set((run.inputs?.models ?? []).map((model) => model.modelId));
  const made = new Map<string, bigint | null>((known.data ?? []).map((model) => [model.modelId, null]));
  for (const model of run.outputs?.models ?? []) made.set(model.modelId, model.step);
  if (known.error) return <Failure error={known.error} onRetry={() => void known.refetch()} />;
  if (given.size + made.size === 0) return null;
  return (
    <Section title="Models">
      <ul className="links">
        {[...made].map(([modelId, step]) => (
          <ModelLine key={modelId} run={run} modelId={modelId} name={names.get(modelId)} isMade>
            made{step !== null && step > 0n ? ` at step ${step.toLocaleString("en")}` : ""}
          </ModelLine>
        ))}
        {[...given].map((modelId) => (
          <ModelLine key={`given ${modelId}`} run={run} modelId={modelId} name={names.get(modelId)}>
            given
          </ModelLine>
        ))}
      </ul>
    </Section>
  );
}

interface ModelProps {
  run: Run;
  modelId: string;
  name: string | undefined;
  isMade?: boolean;
  children: ReactNode;
}

function ModelLine({ run, modelId, name = modelId, isMade = false, children }: ModelProps): ReactNode {
  const owner = { case: "modelId", value: modelId } as const;
  const versions = useQuery(versionsFrom({ case: "runId", value: run.runId }));
  const files = addressOf(`/experiments/${run.experimentId}/runs/${encodeURIComponent(run.runId)}`, {
    tab: "artifacts",
    model: modelId,
  });
  return (
    <li className="model-line">
      <a className="grow clipped" href={files} title={`The files of ${modelId}`}>
        {name}
      </a>
      <span className="soft">{children}</span>
      {isMade && run.lifecycleStage !== LifecycleStage.DELETED && (
        <RegisterButton place={{ owner, path: "" }} title={name} isModel />
      )}
      <CopyButton text={modelId} label={`Copy the id of ${name}`} />
      <RegisteredAs versions={(versions.data ?? []).filter((version) => pathOf(version, owner, "") === "")} />
    </li>
  );
}

function Versions({ run }: { run: Run }): ReactNode {
  const versions = useQuery(versionsFrom({ case: "runId", value: run.runId }));
  if (versions.error) return <Failure error={versions.error} onRetry={() => void versions.refetch()} />;
  if (!versions.data || versions.data.length === 0) return null;
  return (
    <Section title="Registered versions">
      <ul className="links">
        {versions.data.map(({ name, version, aliases, creationTimeMs }) => (
          <li key={`${name} ${version}`}>
            <a className="grow clipped" href={versionAddress(name, version)}>
              {name}, version {version.toString()}
            </a>
            {aliases.map((alias) => (
              <span key={alias} className="tag">
                @{alias}
              </span>
            ))}
            <span className="soft">{formatAge(creationTimeMs)}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

// A run's ids, its times and what it was started from.

import type { ReactNode } from "react";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { formatTime } from "../format";
import { CopyButton } from "../ui/copy-button";

const SOURCES: [string, string][] = [
  ["mlflow.source.name", "Source"],
  ["mlflow.source.type", "Kind of source"],
  ["mlflow.source.git.repoURL", "Repository"],
  ["mlflow.source.git.branch", "Branch"],
  ["mlflow.source.git.commit", "Commit"],
  ["mlflow.project.entryPoint", "Entry point"],
];

export function About({ run }: { run: Run }): ReactNode {
  return (
    <section className="panel section" aria-label="About this run">
      <div className="section-head">
        <h2>About</h2>
      </div>
      <dl className="about">
        <Copied name="Run id" text={run.runId} />
        <Copied name="Experiment id" text={run.experimentId} />
        <Copied name="Artifacts lie at" text={run.artifactUri} />
        <Plain name="Started" text={formatTime(run.startTimeMs)} />
        {run.endTimeMs !== undefined && <Plain name="Ended" text={formatTime(run.endTimeMs)} />}
        {run.heartbeatTimeMs !== undefined && <Plain name="Last heard of" text={formatTime(run.heartbeatTimeMs)} />}
        {SOURCES.map(([key, name]) => {
          const text = run.tags[key];
          return text ? <Copied key={key} name={name} text={text} /> : null;
        })}
      </dl>
    </section>
  );
}

function Plain({ name, text }: { name: string; text: string }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="number">{text}</dd>
    </div>
  );
}

function Copied({ name, text }: { name: string; text: string }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <span className="mono value">{text}</span>
        <CopyButton text={text} label={`Copy: ${name}`} />
      </dd>
    </div>
  );
}

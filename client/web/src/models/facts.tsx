// What is known of a version beside its words: tags, times, and where its files lie.

import type { ReactNode } from "react";
import type { ModelVersion } from "../api/generated/trackwire/v1/model_registry_pb";
import { formatAge, formatTime } from "../format";
import { CopyButton } from "../ui/copy-button";
import { Icon } from "../ui/icon";
import { Tags } from "../ui/tags";

export function Facts({ version, editTags }: { version: ModelVersion; editTags: () => void }): ReactNode {
  return (
    <section className="stacked" aria-label="About it">
      <h2>About it</h2>
      <dl className="facts">
        <dt>Tags</dt>
        <dd className="line-of wraps">
          <Tags tags={version.tags} empty="None" />
          <button className="button plain small" aria-label="Edit tags" title="Edit tags" onClick={editTags}>
            <Icon name="tag" />
          </button>
        </dd>
        <dt>Created</dt>
        <dd title={formatTime(version.creationTimeMs)}>
          {formatAge(version.creationTimeMs)}
          {version.userId && ` by ${version.userId}`}
        </dd>
        <dt>Changed</dt>
        <dd title={formatTime(version.lastUpdateTimeMs)}>{formatAge(version.lastUpdateTimeMs)}</dd>
        <Place label="Source" text={version.source} />
        <Place label="Files at" text={version.storageLocation} />
        <Place label="Logged model" text={version.modelId} />
        <Place label="Run" text={version.runId} />
      </dl>
    </section>
  );
}

function Place({ label, text }: { label: string; text: string }): ReactNode {
  if (!text) return null;
  return (
    <>
      <dt>{label}</dt>
      <dd className="place">
        <span className="mono breaks">{text}</span>
        <CopyButton text={text} label={`Copy ${label.toLowerCase()}`} />
      </dd>
    </>
  );
}

// One version of a model: promoted, described, loaded, and traced back to its run.

import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { models } from "../api/clients";
import {
  ModelVersionStatus,
  type ModelStage,
  type ModelVersion,
  type RegisteredModel,
} from "../api/generated/trackwire/v1/model_registry_pb";
import { addressOf } from "../router";
import { EditableText } from "../ui/editable-text";
import { Icon } from "../ui/icon";
import { Menu } from "../ui/menu";
import { Failure } from "../ui/notice";
import { modelAddress } from "./addresses";
import { Aliases } from "./aliases";
import { useChange } from "./changes";
import { Facts } from "./facts";
import { Loading } from "./loading";
import "./models.css";
import { Origin } from "./origin";
import { PromoteDialog, promotedWords, StageDialog } from "./promote";
import { modelByName, versionAt } from "./queries";
import { SignatureOf } from "./signature";
import { Stage, STAGE_WORDS, STAGES } from "./stages";
import { DeleteVersionDialog, VersionTagsDialog } from "./version-dialogs";

export function VersionPage({ parts }: { parts: Record<string, string> }): ReactNode {
  const { name = "", version: selector = "" } = parts;
  const model = useQuery(modelByName(name));
  const version = useQuery(versionAt(name, selector));
  const isThere = model.data !== undefined && version.data !== undefined;
  const error = version.error ?? model.error;
  const retry = (): void => void Promise.all([model.refetch(), version.refetch()]);
  return (
    <main className="page">
      <nav aria-label="Above this page" className="above">
        <a href={addressOf("/models")}>Models</a> / <a href={modelAddress(name)}>{name}</a>
      </nav>
      {!isThere && <h1 className="breaks">Version {selector}</h1>}
      {error && <Failure error={error} onRetry={retry} />}
      {isThere && <Shown model={model.data} version={version.data} />}
    </main>
  );
}

interface Props {
  model: RegisteredModel;
  version: ModelVersion;
}

type Asked = "promote" | "delete" | "tags" | { stage: ModelStage } | null;

function Shown({ model, version }: Props): ReactNode {
  const [asked, setAsked] = useState<Asked>(null);
  const given = { model, version, onClose: () => setAsked(null) };
  const { name } = version;
  const describe = useChange((description: string) =>
    models.updateModelVersion({ name, version: version.version, description }),
  );
  return (
    <>
      <Header model={model} version={version} ask={setAsked} />
      <Status version={version} />
      <div className="version-columns">
        <div className="panel version-main">
          <EditableText
            label="Description"
            text={version.description}
            empty="What is new in this version?"
            onSave={(text) => describe.mutateAsync(text)}
          />
          <Loading version={version} />
          <SignatureOf version={version} />
          <Origin version={version} />
        </div>
        <div className="panel version-side">
          <Aliases version={version} model={model} />
          <Facts version={version} editTags={() => setAsked("tags")} />
        </div>
      </div>
      {asked === "promote" && <PromoteDialog {...given} />}
      {asked === "delete" && <DeleteVersionDialog {...given} />}
      {asked === "tags" && <VersionTagsDialog {...given} />}
      {asked !== null && typeof asked === "object" && <StageDialog {...given} stage={asked.stage} />}
    </>
  );
}

function Header({ model, version, ask }: Props & { ask: (asked: Asked) => void }): ReactNode {
  const { currentStage } = version;
  const promoted = promotedWords(version, model);
  return (
    <div className="spread wraps">
      <div className="line-of wraps">
        <h1>Version {String(version.version)}</h1>
        {version.aliases.toSorted().map((alias) => (
          <span key={alias} className="alias">
            {alias}
          </span>
        ))}
      </div>
      <div className="line-of wraps">
        <Menu
          label="Move to another stage"
          items={STAGES.filter((stage) => stage !== currentStage).map((stage) => ({
            label: `Move to ${STAGE_WORDS[stage]}`,
            onSelect: () => ask({ stage }),
          }))}
        >
          Stage: <Stage stage={currentStage} /> <Icon name="down" />
        </Menu>
        {promoted ? (
          <span className="soft">{promoted}</span>
        ) : (
          <button className="button primary" onClick={() => ask("promote")}>
            <Icon name="up" /> Promote
          </button>
        )}
        <Menu
          label="More actions"
          items={[
            { label: "Edit tags", icon: "tag", onSelect: () => ask("tags") },
            { label: "Delete", icon: "trash", isDangerous: true, onSelect: () => ask("delete") },
          ]}
        />
      </div>
    </div>
  );
}

function Status({ version }: { version: ModelVersion }): ReactNode {
  const { status, statusMessage } = version;
  if (status === ModelVersionStatus.PENDING_REGISTRATION) {
    return <p className="notice busy">Its files are still being put in place. {statusMessage}</p>;
  }
  if (status === ModelVersionStatus.FAILED_REGISTRATION) {
    return (
      <p className="notice bad" role="alert">
        It can’t be used: its files could not be put in place. {statusMessage}
      </p>
    );
  }
  return statusMessage ? <p className="notice busy">{statusMessage}</p> : null;
}

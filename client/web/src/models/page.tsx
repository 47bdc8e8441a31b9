// One registered model: what it is, what its aliases stand for, and all its versions.

import { usePrefetchInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { models } from "../api/clients";
import type { RegisteredModel } from "../api/generated/trackwire/v1/model_registry_pb";
import { formatAge, formatTime } from "../format";
import { addressOf } from "../router";
import { EditableText } from "../ui/editable-text";
import { Icon } from "../ui/icon";
import { Menu } from "../ui/menu";
import { Failure } from "../ui/notice";
import { Tags } from "../ui/tags";
import { versionAddress } from "./addresses";
import { useChange } from "./changes";
import { CreateVersionDialog, DeleteModelDialog, ModelTagsDialog, RenameModelDialog } from "./dialogs";
import "./models.css";
import { modelByName, versionsOf } from "./queries";
import { Versions } from "./versions";

type Asked = "rename" | "delete" | "tags" | "version" | null;

export function ModelPage({ parts }: { parts: Record<string, string> }): ReactNode {
  const name = parts["name"] ?? "";
  usePrefetchInfiniteQuery(versionsOf(name));
  const model = useQuery(modelByName(name));
  const [asked, setAsked] = useState<Asked>(null);
  const close = (): void => setAsked(null);
  return (
    <main className="page">
      <nav aria-label="Above this page" className="above">
        <a href={addressOf("/models")}>Models</a>
      </nav>
      <div className="spread wraps">
        <h1 className="breaks">{name}</h1>
        {model.data && (
          <div className="line-of">
            <button className="button" onClick={() => setAsked("version")}>
              <Icon name="plus" /> New version
            </button>
            <Menu
              label="More actions"
              items={[
                { label: "Rename", icon: "pencil", onSelect: () => setAsked("rename") },
                { label: "Edit tags", icon: "tag", onSelect: () => setAsked("tags") },
                { label: "Delete", icon: "trash", isDangerous: true, onSelect: () => setAsked("delete") },
              ]}
            />
          </div>
        )}
      </div>
      {model.error && <Failure error={model.error} onRetry={() => void model.refetch()} />}
      {model.data && (
        <>
          <About model={model.data} editTags={() => setAsked("tags")} />
          <Versions model={model.data} />
          {asked === "rename" && <RenameModelDialog model={model.data} onClose={close} />}
          {asked === "delete" && <DeleteModelDialog model={model.data} onClose={close} />}
          {asked === "tags" && <ModelTagsDialog model={model.data} onClose={close} />}
          {asked === "version" && <CreateVersionDialog name={model.data.name} onClose={close} />}
        </>
      )}
    </main>
  );
}

function About({ model, editTags }: { model: RegisteredModel; editTags: () => void }): ReactNode {
  const { name, description, aliases } = model;
  const describe = useChange((text: string) => models.updateRegisteredModel({ name, description: text }));
  return (
    <div className="panel model-about">
      <EditableText
        label="Description"
        text={description}
        empty="What is it for, and what should one know before one uses it?"
        onSave={(text) => describe.mutateAsync(text)}
      />
      <dl className="facts">
        <dt>Aliases</dt>
        <dd>
          <Aliases name={name} aliases={aliases} />
        </dd>
        <dt>Tags</dt>
        <dd className="line-of wraps">
          <Tags tags={model.tags} empty="None" />
          <button className="button plain small" aria-label="Edit tags" title="Edit tags" onClick={editTags}>
            <Icon name="tag" />
          </button>
        </dd>
        <dt>Created</dt>
        <dd title={formatTime(model.creationTimeMs)}>{formatAge(model.creationTimeMs)}</dd>
        <dt>Changed</dt>
        <dd title={formatTime(model.lastUpdateTimeMs)}>{formatAge(model.lastUpdateTimeMs)}</dd>
      </dl>
    </div>
  );
}

function Aliases({ name, aliases }: { name: string; aliases: Record<string, bigint> }): ReactNode {
  const entries = Object.entries(aliases).toSorted(([a], [b]) => a.localeCompare(b));
  if (entries.length === 0) return <span className="soft">None. Promote a version to give it one.</span>;
  return (
    <ul className="plain-list">
      {entries.map(([alias, version]) => (
        <li key={alias}>
          <span className="alias">{alias}</span> is{" "}
          <a href={versionAddress(name, version)}>version {String(version)}</a>
        </li>
      ))}
    </ul>
  );
}

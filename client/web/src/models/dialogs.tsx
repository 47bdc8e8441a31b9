// What is asked before a registered model is made or changed.

import { useState, type ReactNode } from "react";
import { models } from "../api/clients";
import type { RegisteredModel } from "../api/generated/trackwire/v1/model_registry_pb";
import { newRequestId } from "../api/request-id";
import { addressOf, go } from "../router";
import { AskForm } from "../ui/ask-form";
import { Dialog } from "../ui/dialog";
import { TagEditor } from "../ui/tag-editor";
import { modelAddress, versionAddress } from "./addresses";
import { useChange, useRefresh } from "./changes";

export function CreateModelDialog({ onClose }: { onClose: () => void }): ReactNode {
  const [text, setText] = useState("");
  const [description, setDescription] = useState("");
  const name = text.trim();
  const create = useChange(
    () => models.createRegisteredModel({ name, description }),
    () => {
      onClose();
      go(modelAddress(name));
    },
  );
  return (
    <Dialog title="New model" onClose={onClose}>
      <AskForm action="Create" isReady={name !== ""} changing={create} onClose={onClose}>
        <label>
          Name
          <input className="field" value={text} onChange={(event) => setText(event.target.value)} />
        </label>
        <label>
          Description
          <textarea
            className="field"
            rows={3}
            value={description}
            onChange={(event) => setDescription(event.target.value)}
          />
        </label>
      </AskForm>
    </Dialog>
  );
}

interface ModelProps {
  model: RegisteredModel;
  onClose: () => void;
}

export function RenameModelDialog({ model, onClose }: ModelProps): ReactNode {
  const [text, setText] = useState(model.name);
  const name = text.trim();
  const rename = useChange(
    () => models.renameRegisteredModel({ name: model.name, newName: name }),
    () => go(modelAddress(name), { replace: true }),
  );
  return (
    <Dialog title={`Rename ${model.name}`} onClose={onClose}>
      <AskForm action="Rename" isReady={name !== "" && name !== model.name} changing={rename} onClose={onClose}>
        <label>
          New name
          <input className="field" value={text} onChange={(event) => setText(event.target.value)} />
        </label>
        <p className="soft">Whoever loads it by its old name finds it no more.</p>
      </AskForm>
    </Dialog>
  );
}

export function DeleteModelDialog({ model, onClose }: ModelProps): ReactNode {
  const { name } = model;
  const remove = useChange(
    () => models.deleteRegisteredModel({ name }),
    () => go(addressOf("/models"), { replace: true }),
  );
  return (
    <Dialog title={`Delete ${name}?`} onClose={onClose}>
      <AskForm action="Delete for good" isReady isDangerous changing={remove} onClose={onClose}>
        <p>
          All its versions and aliases are deleted with it, and can’t be restored. The runs that they come from stay,
          and so do their files.
        </p>
      </AskForm>
    </Dialog>
  );
}

export function ModelTagsDialog({ model, onClose }: ModelProps): ReactNode {
  const { name } = model;
  const refresh = useRefresh();
  return (
    <Dialog title={`Tags of ${name}`} onClose={onClose}>
      <TagEditor
        tags={model.tags}
        onSet={(key, value) => models.setRegisteredModelTags({ name, tags: { [key]: value } })}
        onDelete={(key) => models.deleteRegisteredModelTag({ name, key })}
        onChanged={refresh}
      />
    </Dialog>
  );
}

export function CreateVersionDialog({ name, onClose }: { name: string; onClose: () => void }): ReactNode {
  const [source, setSource] = useState("");
  const [description, setDescription] = useState("");
  // The same for every try: a call whose answer was lost makes no second version.
  const [requestId, setRequestId] = useState(newRequestId);
  const create = useChange(async () => {
    const { modelVersion } = await models.createModelVersion({ requestId, name, source: source.trim(), description });
    onClose();
    if (modelVersion) go(versionAddress(name, modelVersion.version));
  });
  return (
    <Dialog title={`New version of ${name}`} onClose={onClose}>
      <AskForm action="Create" isReady={source.trim() !== ""} changing={create} onClose={onClose}>
        <label>
          Where its files lie
          <input
            className="field mono"
            placeholder="runs:/RUN_ID/PATH"
            value={source}
            onChange={(event) => {
              setSource(event.target.value);
              setRequestId(newRequestId());
            }}
          />
        </label>
        <p className="soft">
          What a run has logged, as <span className="mono">runs:/RUN_ID/PATH</span>, or any other URI, such as{" "}
          <span className="mono">s3://bucket/model</span>.
        </p>
        <label>
          Description
          <textarea
            className="field"
            rows={3}
            value={description}
            onChange={(event) => setDescription(event.target.value)}
          />
        </label>
      </AskForm>
    </Dialog>
  );
}

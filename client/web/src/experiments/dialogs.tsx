// What is asked before an experiment is made or changed.

import { useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { experiments } from "../api/clients";
import type { Experiment } from "../api/generated/trackwire/v1/experiments_pb";
import { addressOf, go } from "../router";
import { AskForm, TextField } from "../ui/ask-form";
import { useChange } from "../ui/change";
import { Dialog } from "../ui/dialog";
import { TagEditor } from "../ui/tag-editor";

const STALE = [["experiments"], ["experiment"]];

interface Props {
  experiment: Experiment;
  onClose: () => void;
}

export function CreateDialog({ onClose }: Pick<Props, "onClose">): ReactNode {
  const [name, setName] = useState("");
  const change = async (): Promise<void> => {
    const { experiment } = await experiments.createExperiment({ name: name.trim() });
    go(addressOf(`/experiments/${experiment?.experimentId}`));
  };
  const create = useChange(change, STALE, onClose);
  return (
    <Dialog title="New experiment" onClose={onClose}>
      <AskForm action="Create" isReady={name.trim() !== ""} changing={create} onClose={onClose}>
        <TextField label="Name" value={name} onChange={setName} />
      </AskForm>
    </Dialog>
  );
}

export function RenameDialog({ experiment, onClose }: Props): ReactNode {
  const { experimentId } = experiment;
  const [name, setName] = useState(experiment.name);
  const rename = useChange(() => experiments.updateExperiment({ experimentId, name: name.trim() }), STALE, onClose);
  return (
    <Dialog title={`Rename ${experiment.name}`} onClose={onClose}>
      <AskForm action="Rename" isReady={name.trim() !== ""} changing={rename} onClose={onClose}>
        <TextField label="New name" value={name} onChange={setName} />
      </AskForm>
    </Dialog>
  );
}

export function DeleteDialog({ experiment, onClose }: Props): ReactNode {
  const { experimentId } = experiment;
  const remove = useChange(() => experiments.deleteExperiment({ experimentId }), STALE, onClose);
  return (
    <Dialog title={`Delete ${experiment.name}?`} onClose={onClose}>
      <AskForm action="Delete" isDangerous changing={remove} onClose={onClose}>
        <p>All its runs are deleted with it. They can be restored until garbage is collected.</p>
      </AskForm>
    </Dialog>
  );
}

export function TagsDialog({ experiment, onClose }: Props): ReactNode {
  const queries = useQueryClient();
  const { experimentId } = experiment;
  return (
    <Dialog title={`Tags of ${experiment.name}`} onClose={onClose}>
      <TagEditor
        tags={experiment.tags}
        onSet={(key, value) => experiments.setExperimentTags({ experimentId, tags: { [key]: value } })}
        onDelete={(key) => experiments.deleteExperimentTag({ experimentId, key })}
        onChanged={() => queries.invalidateQueries({ queryKey: ["experiments"] })}
      />
    </Dialog>
  );
}

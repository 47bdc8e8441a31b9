// What is asked before an experiment is made or changed.

import { useMutation, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { experiments } from "../api/clients";
import type { Experiment } from "../api/generated/trackwire/v1/experiments_pb";
import { addressOf, go } from "../router";
import { Dialog } from "../ui/dialog";
import { Failure } from "../ui/notice";
import { TagEditor } from "../ui/tag-editor";

type Changing<Input> = UseMutationResult<unknown, Error, Input>;

/** A change of experiments, after which lists are asked for anew. */
function useChange<Input>(change: (input: Input) => Promise<unknown>, onDone: () => void): Changing<Input> {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: async () => {
      onDone();
      await Promise.all(["experiments", "experiment"].map((key) => queries.invalidateQueries({ queryKey: [key] })));
    },
  });
}

interface FormProps {
  label: string;
  action: string;
  initial: string;
  changing: Changing<string>;
  onClose: () => void;
}

function NameForm({ label, action, initial, changing, onClose }: FormProps): ReactNode {
  const [name, setName] = useState(initial);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        changing.mutate(name);
      }}
    >
      <label>
        {label}
        <input className="field" value={name} maxLength={500} onChange={(event) => setName(event.target.value)} />
      </label>
      {changing.error && <Failure error={changing.error} />}
      <div className="actions">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button className="button primary" disabled={!name.trim() || changing.isPending}>
          {action}
        </button>
      </div>
    </form>
  );
}

export function CreateDialog({ onClose }: { onClose: () => void }): ReactNode {
  const create = useChange(async (name: string) => {
    const { experiment } = await experiments.createExperiment({ name });
    go(addressOf(`/experiments/${experiment?.experimentId}`));
  }, onClose);
  return (
    <Dialog title="New experiment" onClose={onClose}>
      <NameForm label="Name" action="Create" initial="" changing={create} onClose={onClose} />
    </Dialog>
  );
}

export function RenameDialog({ experiment, onClose }: { experiment: Experiment; onClose: () => void }): ReactNode {
  const { experimentId } = experiment;
  const rename = useChange((name: string) => experiments.updateExperiment({ experimentId, name }), onClose);
  return (
    <Dialog title={`Rename ${experiment.name}`} onClose={onClose}>
      <NameForm label="New name" action="Rename" initial={experiment.name} changing={rename} onClose={onClose} />
    </Dialog>
  );
}

export function DeleteDialog({ experiment, onClose }: { experiment: Experiment; onClose: () => void }): ReactNode {
  const { experimentId } = experiment;
  const remove = useChange(() => experiments.deleteExperiment({ experimentId }), onClose);
  return (
    <Dialog title={`Delete ${experiment.name}?`} onClose={onClose}>
      <p>All its runs are deleted with it. They can be restored until garbage is collected.</p>
      {remove.error && <Failure error={remove.error} />}
      <div className="actions">
        <button className="button" onClick={onClose}>
          Cancel
        </button>
        <button className="button danger" disabled={remove.isPending} onClick={() => remove.mutate(undefined)}>
          Delete
        </button>
      </div>
    </Dialog>
  );
}

export function TagsDialog({ experiment, onClose }: { experiment: Experiment; onClose: () => void }): ReactNode {
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

// What is asked before a run is changed.

import { useMutation, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { runs } from "../api/clients";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { Dialog } from "../ui/dialog";
import { Failure } from "../ui/notice";
import { TagEditor } from "../ui/tag-editor";

interface Props {
  run: Run;
  onClose: () => void;
}

export const NOTE_TAG = "mlflow.note.content";

/** Tags that MLflow gives a meaning to are no reader's business to change. */
export function isReserved(key: string): boolean {
  return key.startsWith("mlflow.");
}

/** A change of a run, after which it and lists of runs are asked for anew. */
function useRunChange<Input>(
  run: Run,
  change: (input: Input) => Promise<unknown>,
  onDone: () => void,
): UseMutationResult<unknown, Error, Input> {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: async () => {
      onDone();
      const keys = [["run", run.runId], ["runs"]];
      await Promise.all(keys.map((queryKey) => queries.invalidateQueries({ queryKey })));
    },
  });
}

export function RenameRunDialog({ run, onClose }: Props): ReactNode {
  const [name, setName] = useState(run.runName);
  const rename = useRunChange(run, (runName: string) => runs.updateRun({ runId: run.runId, runName }), onClose);
  return (
    <Dialog title={`Rename ${run.runName}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          rename.mutate(name.trim());
        }}
      >
        <label>
          New name
          <input className="field" value={name} maxLength={250} onChange={(event) => setName(event.target.value)} />
        </label>
        {rename.error && <Failure error={rename.error} />}
        <Actions word="Rename" disabled={!name.trim() || rename.isPending} onClose={onClose} />
      </form>
    </Dialog>
  );
}

export function DeleteRunDialog({ run, onClose }: Props): ReactNode {
  const remove = useRunChange(run, () => runs.deleteRun({ runId: run.runId }), onClose);
  return (
    <Dialog title={`Delete ${run.runName}?`} onClose={onClose}>
      <p>It refuses what is logged from then on. It can be restored until garbage is collected.</p>
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

export function RunTagsDialog({ run, onClose }: Props): ReactNode {
  const queries = useQueryClient();
  const { runId } = run;
  const own = Object.fromEntries(Object.entries(run.tags).filter(([key]) => !isReserved(key)));
  return (
    <Dialog title={`Tags of ${run.runName}`} onClose={onClose}>
      <TagEditor
        tags={own}
        onSet={(key, value) => runs.setRunTags({ runId, tags: { [key]: value } })}
        onDelete={(key) => runs.deleteRunTag({ runId, key })}
        onChanged={() => queries.invalidateQueries({ queryKey: ["run", runId] })}
      />
    </Dialog>
  );
}

/** The description is a tag; an empty one is none. */
export function DescriptionDialog({ run, onClose }: Props): ReactNode {
  const { runId } = run;
  const before = run.tags[NOTE_TAG] ?? "";
  const [text, setText] = useState(before);
  const save = useRunChange(
    run,
    async (value: string) => {
      if (value) await runs.setRunTags({ runId, tags: { [NOTE_TAG]: value } });
      else if (before) await runs.deleteRunTag({ runId, key: NOTE_TAG });
    },
    onClose,
  );
  return (
    <Dialog title="Description" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(text.trim());
        }}
      >
        <label>
          What this run was for, and what came of it
          <textarea className="field" rows={10} value={text} onChange={(event) => setText(event.target.value)} />
        </label>
        {save.error && <Failure error={save.error} />}
        <Actions word="Save" disabled={save.isPending} onClose={onClose} />
      </form>
    </Dialog>
  );
}

function Actions({ word, disabled, onClose }: { word: string; disabled: boolean; onClose: () => void }): ReactNode {
  return (
    <div className="actions">
      <button type="button" className="button" onClick={onClose}>
        Cancel
      </button>
      <button className="button primary" disabled={disabled}>
        {word}
      </button>
    </div>
  );
}

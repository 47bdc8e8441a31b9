// What is asked before a run is changed.

import { useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { runs } from "../api/clients";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { AskForm, TextField } from "../ui/ask-form";
import { useChange } from "../ui/change";
import { Dialog } from "../ui/dialog";
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

/** What a change of a run makes out of date. */
function staleBy({ runId }: Run): string[][] {
  return [["run", runId], ["runs"]];
}

export function RenameRunDialog({ run, onClose }: Props): ReactNode {
  const { runId } = run;
  const [name, setName] = useState(run.runName);
  const rename = useChange(() => runs.updateRun({ runId, runName: name.trim() }), staleBy(run), onClose);
  return (
    <Dialog title={`Rename ${run.runName}`} onClose={onClose}>
      <AskForm action="Rename" isReady={name.trim() !== ""} changing={rename} onClose={onClose}>
        <TextField label="New name" value={name} onChange={setName} />
      </AskForm>
    </Dialog>
  );
}

export function DeleteRunDialog({ run, onClose }: Props): ReactNode {
  const remove = useChange(() => runs.deleteRun({ runId: run.runId }), staleBy(run), onClose);
  return (
    <Dialog title={`Delete ${run.runName}?`} onClose={onClose}>
      <AskForm action="Delete" isDangerous changing={remove} onClose={onClose}>
        <p>It refuses what is logged from then on. It can be restored until garbage is collected.</p>
      </AskForm>
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
  const change = async (): Promise<void> => {
    const value = text.trim();
    if (value) await runs.setRunTags({ runId, tags: { [NOTE_TAG]: value } });
    else if (before) await runs.deleteRunTag({ runId, key: NOTE_TAG });
  };
  const save = useChange(change, staleBy(run), onClose);
  return (
    <Dialog title="Description" onClose={onClose}>
      <AskForm action="Save" changing={save} onClose={onClose}>
        <label>
          What this run was for, and what came of it
          <textarea className="field" rows={10} value={text} onChange={(event) => setText(event.target.value)} />
        </label>
      </AskForm>
    </Dialog>
  );
}

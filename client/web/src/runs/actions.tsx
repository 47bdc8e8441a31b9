// What can be done with the runs that are selected.

import { useState, type ReactNode } from "react";
import { runs as service } from "../api/clients";
import { formatCount } from "../format";
import { addressOf } from "../router";
import { AskForm, TextField } from "../ui/ask-form";
import { useChange } from "../ui/change";
import { Dialog } from "../ui/dialog";
import { Icon } from "../ui/icon";
import { Failure } from "../ui/notice";
import type { RunRow } from "./run-row";

interface Props {
  runs: readonly RunRow[];
  deleted: boolean;
  onDone: () => void;
}

// More at a time only wait for each other.
const AT_ONCE = 16;

async function forEach(runs: readonly RunRow[], change: (runId: string) => Promise<unknown>): Promise<void> {
  const left = runs.map(({ runId }) => runId);
  const work = async (): Promise<void> => {
    for (let runId = left.pop(); runId !== undefined; runId = left.pop()) await change(runId);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

export function RunActions({ runs, deleted, onDone }: Props): ReactNode {
  const [asked, setAsked] = useState<"tag" | "delete" | null>(null);
  // What was done last, until something else is.
  const [told, setTold] = useState("");
  const act: Act = async (done, change) => {
    setTold("");
    await forEach(runs, change);
    setTold(`${done} ${formatCount(runs.length, "run")}`);
  };
  const restore = useChange(() => act("Restored", (runId) => service.restoreRun({ runId })), [], onDone);
  const close = (): void => setAsked(null);
  return (
    <div className="line-of wraps">
      <span role="status">{told}</span>
      {restore.error && <Failure error={restore.error} />}
      {runs.length === 0 ? null : deleted ? (
        <button className="button small" disabled={restore.isPending} onClick={() => restore.mutate()}>
          Restore
        </button>
      ) : (
        <>
          {runs.length > 1 && (
            <a
              className="button small primary"
              href={addressOf("/compare-runs", { runs: runs.map(({ runId }) => runId).join("~") })}
            >
              Compare
            </a>
          )}
          <button className="button small" onClick={() => setAsked("tag")}>
            <Icon name="tag" size={14} /> Tag
          </button>
          <button className="button small danger" onClick={() => setAsked("delete")}>
            <Icon name="trash" size={14} /> Delete
          </button>
        </>
      )}
      {asked === "tag" && <TagDialog runs={runs} act={act} onClose={close} onDone={onDone} />}
      {asked === "delete" && <DeleteDialog runs={runs} act={act} onClose={close} onDone={onDone} />}
    </div>
  );
}

/** Changes each run, and tells when it is done to all. */
type Act = (done: string, change: (runId: string) => Promise<unknown>) => Promise<void>;

interface DialogProps {
  runs: readonly RunRow[];
  act: Act;
  onClose: () => void;
  onDone: () => void;
}

function TagDialog({ runs, act, onClose, onDone }: DialogProps): ReactNode {
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const change = (): Promise<void> =>
    act("Tagged", (runId) => service.setRunTags({ runId, tags: { [key.trim()]: value } }));
  const tag = useChange(change, [], () => {
    onClose();
    onDone();
  });
  return (
    <Dialog title={`Tag ${formatCount(runs.length, "run")}`} onClose={onClose}>
      <AskForm action="Set the tag" isReady={key.trim() !== ""} changing={tag} onClose={onClose}>
        <TextField label="Key" value={key} onChange={setKey} />
        <TextField label="Value" value={value} onChange={setValue} />
      </AskForm>
    </Dialog>
  );
}

function DeleteDialog({ runs, act, onClose, onDone }: DialogProps): ReactNode {
  const change = (): Promise<void> => act("Deleted", (runId) => service.deleteRun({ runId }));
  const remove = useChange(change, [], () => {
    onClose();
    onDone();
  });
  return (
    <Dialog title={`Delete ${formatCount(runs.length, "run")}?`} onClose={onClose}>
      <AskForm action="Delete" isDangerous changing={remove} onClose={onClose}>
        <p>
          {runs.length === 1
            ? "It takes no more points. It can be restored until garbage is collected."
            : "They take no more points. They can be restored until garbage is collected."}
        </p>
      </AskForm>
    </Dialog>
  );
}

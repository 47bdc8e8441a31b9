// What can be done with the runs that are selected.

import { useMutation } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { runs as service } from "../api/clients";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { formatCount } from "../format";
import { addressOf } from "../router";
import { Dialog } from "../ui/dialog";
import { Icon } from "../ui/icon";
import { Failure } from "../ui/notice";

interface Props {
  runs: readonly Run[];
  deleted: boolean;
  onDone: () => void;
}

// More at a time only wait for each other.
const AT_ONCE = 16;

async function forEach(runs: readonly Run[], change: (runId: string) => Promise<unknown>): Promise<void> {
  const left = runs.map(({ runId }) => runId);
  const work = async (): Promise<void> => {
    for (let runId = left.pop(); runId !== undefined; runId = left.pop()) await change(runId);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

export function RunActions({ runs, deleted, onDone }: Props): ReactNode {
  const [asked, setAsked] = useState<"tag" | "delete" | null>(null);
  const restore = useMutation({
    mutationFn: () => forEach(runs, (runId) => service.restoreRun({ runId })),
    onSuccess: onDone,
  });
  if (runs.length === 0) return null;
  const close = (): void => setAsked(null);
  return (
    <div className="line-of">
      {restore.error && <Failure error={restore.error} />}
      {deleted ? (
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
      {asked === "tag" && <TagDialog runs={runs} onClose={close} onDone={onDone} />}
      {asked === "delete" && <DeleteDialog runs={runs} onClose={close} onDone={onDone} />}
    </div>
  );
}

interface DialogProps {
  runs: readonly Run[];
  onClose: () => void;
  onDone: () => void;
}

function TagDialog({ runs, onClose, onDone }: DialogProps): ReactNode {
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const tag = useMutation({
    mutationFn: () => forEach(runs, (runId) => service.setRunTags({ runId, tags: { [key.trim()]: value } })),
    onSuccess: () => {
      onClose();
      onDone();
    },
  });
  return (
    <Dialog title={`Tag ${formatCount(runs.length, "run")}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          tag.mutate();
        }}
      >
        <label>
          Key
          <input className="field" value={key} onChange={(event) => setKey(event.target.value)} />
        </label>
        <label>
          Value
          <input className="field" value={value} onChange={(event) => setValue(event.target.value)} />
        </label>
        {tag.error && <Failure error={tag.error} />}
        <div className="actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button className="button primary" disabled={!key.trim() || tag.isPending}>
            Set the tag
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function DeleteDialog({ runs, onClose, onDone }: DialogProps): ReactNode {
  const remove = useMutation({
    mutationFn: () => forEach(runs, (runId) => service.deleteRun({ runId })),
    onSuccess: () => {
      onClose();
      onDone();
    },
  });
  return (
    <Dialog title={`Delete ${formatCount(runs.length, "run")}?`} onClose={onClose}>
      <p>They take no more points. They can be restored until garbage is collected.</p>
      {remove.error && <Failure error={remove.error} />}
      <div className="actions">
        <button className="button" onClick={onClose}>
          Cancel
        </button>
        <button className="button danger" disabled={remove.isPending} onClick={() => remove.mutate()}>
          Delete
        </button>
      </div>
    </Dialog>
  );
}

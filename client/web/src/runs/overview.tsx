// What a run was started with, what it reached, what is said about it, and what it is connected with.

import { useState, type ReactNode } from "react";
import { LifecycleStage } from "../api/generated/trackwire/v1/experiments_pb";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { useSetting } from "../router";
import { Icon } from "../ui/icon";
import { About } from "./about";
import { EntryTable } from "./entries";
import { Lineage } from "./lineage";
import { DescriptionDialog, isReserved, NOTE_TAG, RunTagsDialog } from "./run-dialogs";
import { Summaries } from "./summaries";

export function Overview({ run }: { run: Run }): ReactNode {
  return (
    <div className="overview">
      <div className="overview-column">
        <Description run={run} />
        <EntryTable title="Params" setting="params" entries={run.params} empty="No params were logged." />
        <Summaries metrics={run.metrics} />
        <Tags run={run} />
      </div>
      <div className="overview-column">
        <About run={run} />
        <Lineage run={run} />
      </div>
    </div>
  );
}

function Description({ run }: { run: Run }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const text = run.tags[NOTE_TAG] ?? "";
  const isDeleted = run.lifecycleStage === LifecycleStage.DELETED;
  return (
    <section className="panel section" aria-label="Description">
      <div className="section-head">
        <h2>Description</h2>
        <span className="grow" />
        {!isDeleted && (
          <button className="button plain small" onClick={() => setOpen(true)}>
            <Icon name="pencil" size={14} /> {text ? "Edit" : "Add a description"}
          </button>
        )}
      </div>
      {text && <p className="description">{text}</p>}
      {isOpen && <DescriptionDialog run={run} onClose={() => setOpen(false)} />}
    </section>
  );
}

function Tags({ run }: { run: Run }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const [reserved, setReserved] = useSetting("reserved", "hidden");
  const all = Object.entries(run.tags);
  const own = all.filter(([key]) => !isReserved(key));
  const isDeleted = run.lifecycleStage === LifecycleStage.DELETED;
  return (
    <EntryTable
      title="Tags"
      setting="tags"
      entries={reserved === "shown" ? run.tags : Object.fromEntries(own)}
      empty="No tags were set."
    >
      {all.length > own.length && (
        <button
          className="button plain small"
          title="Tags that MLflow gives a meaning to"
          aria-pressed={reserved === "shown"}
          onClick={() => setReserved(reserved === "shown" ? "hidden" : "shown")}
        >
          mlflow.*
        </button>
      )}
      {!isDeleted && (
        <button className="button plain small" onClick={() => setOpen(true)}>
          <Icon name="pencil" size={14} /> Edit
        </button>
      )}
      {isOpen && <RunTagsDialog run={run} onClose={() => setOpen(false)} />}
    </EntryTable>
  );
}

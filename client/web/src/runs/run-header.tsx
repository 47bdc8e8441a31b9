// The head of a run's page: its name, how it goes, and what can be done about it.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { runs } from "../api/clients";
import { LifecycleStage } from "../api/generated/trackwire/v1/experiments_pb";
import { RunStatus, type Run } from "../api/generated/trackwire/v1/runs_pb";
import { addressOfExperiment } from "../experiments/last-place";
import { experimentById } from "../experiments/queries";
import { formatAge, formatTime } from "../format";
import { Icon } from "../ui/icon";
import { Failure } from "../ui/notice";
import { DeleteRunDialog, RenameRunDialog } from "./run-dialogs";
import { Duration, StatusBadge, useNow } from "./run-status";

// The client says every 10 s that it lives.
const SILENT_MS = 60_000;

export function RunHeader({ run }: { run: Run }): ReactNode {
  const experiment = useQuery(experimentById(run.experimentId));
  const [asked, setAsked] = useState<"rename" | "delete" | null>(null);
  const isDeleted = run.lifecycleStage === LifecycleStage.DELETED;
  return (
    <header className="run-header">
      <div className="spread wraps">
        <div className="run-title">
          <a className="clipped" href={addressOfExperiment(run.experimentId)}>
            {experiment.data?.name ?? `Experiment ${run.experimentId}`}
          </a>
          <span className="soft" aria-hidden="true">
            /
          </span>
          <h1 className="clipped" title={run.runName}>
            <bdi>{run.runName}</bdi>
          </h1>
          {!isDeleted && (
            <button
              className="button plain small"
              aria-label="Rename"
              title="Rename"
              onClick={() => setAsked("rename")}
            >
              <Icon name="pencil" />
            </button>
          )}
        </div>
        <div className="line-of wraps">
          {!isDeleted && run.status === RunStatus.RUNNING && <StopButton run={run} />}
          {isDeleted ? (
            <RestoreButton run={run} />
          ) : (
            <button className="button small" onClick={() => setAsked("delete")}>
              <Icon name="trash" size={14} /> Delete
            </button>
          )}
        </div>
      </div>
      <dl className="run-facts">
        <Fact name="Status">
          <StatusBadge status={run.status} />
          <Silence run={run} />
        </Fact>
        <Fact name="Started">
          <span title={formatTime(run.startTimeMs)}>{formatAge(run.startTimeMs)}</span>
        </Fact>
        <Fact name="Duration">
          <span className="number">
            <Duration run={run} />
          </span>
        </Fact>
        {run.userId && <Fact name="User">{run.userId}</Fact>}
      </dl>
      {asked === "rename" && <RenameRunDialog run={run} onClose={() => setAsked(null)} />}
      {asked === "delete" && <DeleteRunDialog run={run} onClose={() => setAsked(null)} />}
    </header>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A run that goes on, but of which nothing was heard for a while. */
function Silence({ run }: { run: Run }): ReactNode {
  const now = useNow(run.status === RunStatus.RUNNING);
  if (run.status !== RunStatus.RUNNING || run.heartbeatTimeMs === undefined) return null;
  if (now - Number(run.heartbeatTimeMs) < SILENT_MS) return null;
  return <span className="soft">, last heard of {formatAge(run.heartbeatTimeMs, now)}</span>;
}

function StopButton({ run }: { run: Run }): ReactNode {
  const queries = useQueryClient();
  const stop = useMutation({
    mutationFn: () => runs.requestRunStop({ runId: run.runId }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["run", run.runId] }),
  });
  if (run.stopRequested) {
    return (
      <output className="soft" title="The training is told by its next heartbeat.">
        Stop requested
      </output>
    );
  }
  return (
    <>
      {stop.error && <Failure error={stop.error} />}
      <button
        className="button small"
        disabled={stop.isPending}
        title="Asks the training to stop; it does so where it looks at run.should_stop()."
        onClick={() => stop.mutate()}
      >
        Stop
      </button>
    </>
  );
}

function RestoreButton({ run }: { run: Run }): ReactNode {
  const queries = useQueryClient();
  const restore = useMutation({
    mutationFn: () => runs.restoreRun({ runId: run.runId }),
    onSuccess: () =>
      Promise.all([["run", run.runId], ["runs"]].map((queryKey) => queries.invalidateQueries({ queryKey }))),
  });
  return (
    <>
      {restore.error && <Failure error={restore.error} />}
      <button className="button small" disabled={restore.isPending} onClick={() => restore.mutate()}>
        Restore
      </button>
    </>
  );
}

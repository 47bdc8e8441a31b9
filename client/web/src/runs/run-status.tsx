// How far a run has come, as a word and a colour, and for how long it has been at work.

import { useSyncExternalStore, type ReactNode } from "react";
import { RunStatus, type Run } from "../api/generated/trackwire/v1/runs_pb";
import { formatDuration, STATUS_WORDS } from "../format";
import "./run-status.css";

const LOOKS: Record<RunStatus, string> = {
  [RunStatus.UNSPECIFIED]: "",
  [RunStatus.RUNNING]: "busy",
  [RunStatus.SCHEDULED]: "busy",
  [RunStatus.FINISHED]: "good",
  [RunStatus.FAILED]: "bad",
  [RunStatus.KILLED]: "bad",
};

export function StatusBadge({ status, stop = false }: { status: RunStatus; stop?: boolean }): ReactNode {
  const stops = stop && status === RunStatus.RUNNING;
  return <span className={`status-badge ${LOOKS[status]}`}>{stops ? "Stopping" : STATUS_WORDS[status]}</span>;
}

/** Ticks while the run goes on. */
export function Duration({ run }: { run: Run }): ReactNode {
  const runs = run.status === RunStatus.RUNNING;
  const now = useNow(runs);
  if (!runs && run.endTimeMs === undefined) return "—";
  return formatDuration((runs ? now : Number(run.endTimeMs)) - Number(run.startTimeMs));
}

/** The time of day in whole seconds, anew each second while it is wanted. */
export function useNow(isWanted: boolean): number {
  return useSyncExternalStore(isWanted ? tick : standStill, secondsNow);
}

function tick(onChange: () => void): () => void {
  const timer = window.setInterval(onChange, 1_000);
  return () => window.clearInterval(timer);
}

function standStill(): () => void {
  return () => undefined;
}

function secondsNow(): number {
  return Math.floor(Date.now() / 1_000) * 1_000;
}

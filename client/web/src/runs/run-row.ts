// A run as tables, plots and comparisons read it: ten thousand messages would hold the browser up where it clears its memory.

import { RunStatus, type Run } from "../api/generated/trackwire/v1/runs_pb";

export interface RunRow {
  readonly runId: string;
  readonly runName: string;
  readonly experimentId: string;
  readonly parentRunId: string;
  readonly userId: string;
  readonly status: RunStatus;
  readonly stopRequested: boolean;
  readonly startTimeMs: number;
  readonly endTimeMs: number | undefined;
  /** The last values. */
  readonly metrics: ReadonlyMap<string, number>;
  /** The smallest and the largest ones. */
  readonly min: ReadonlyMap<string, number>;
  readonly max: ReadonlyMap<string, number>;
  readonly params: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
}

const NONE: ReadonlyMap<string, string> = new Map();

export function rowOf(run: Run): RunRow {
  return {
    runId: run.runId,
    runName: run.runName,
    experimentId: run.experimentId,
    parentRunId: run.parentRunId,
    userId: run.userId,
    status: run.status,
    stopRequested: run.stopRequested,
    startTimeMs: Number(run.startTimeMs),
    endTimeMs: run.endTimeMs === undefined ? undefined : Number(run.endTimeMs),
    metrics: new Map(run.metrics.map(({ key, lastValue }) => [key, lastValue])),
    min: new Map(run.metrics.map(({ key, minValue }) => [key, minValue ?? NaN])),
    max: new Map(run.metrics.map(({ key, maxValue }) => [key, maxValue ?? NaN])),
    params: mapOf(run.params),
    tags: mapOf(run.tags),
  };
}

/** Whether nothing is to be seen of what has changed. */
export function isSame(a: RunRow, b: RunRow): boolean {
  const names = Object.keys(a) as (keyof RunRow)[];
  return names.every((name) => {
    const [one, other] = [a[name], b[name]];
    return one instanceof Map && other instanceof Map ? haveSame(one, other) : Object.is(one, other);
  });
}

export function isAtWork({ status }: { readonly status: RunStatus }): boolean {
  return status === RunStatus.RUNNING || status === RunStatus.SCHEDULED;
}

function mapOf(record: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const entries = Object.entries(record);
  return entries.length > 0 ? new Map(entries) : NONE;
}

function haveSame(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (!Object.is(b.get(key), value)) return false;
  return true;
}

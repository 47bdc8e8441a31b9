// The runs that are compared, whole, in the order in which they are named.

import { Code, ConnectError } from "@connectrpc/connect";
import { useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";
import { runs as service } from "../api/clients";
import { ViewType } from "../api/generated/trackwire/v1/experiments_pb";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { isAtWork, rowOf, type RunRow } from "../runs/run-row";

/** More are too many to be told apart. */
export const COMPARED_MAX = 1_000;
const REFRESH_MS = 5_000;
// No page takes the browser long to read, and its filter is not too long for the server.
const PAGE_RUNS = 50;
const PAGE_CHARACTERS = 16_000;
// How many runs are asked for by themselves at a time.
const ALONE = 8;
// Where so many are gone there is no use in asking for the others.
const GONE_MAX = 100;
const PLAIN_ID = /^[A-Za-z0-9_-]+$/;

/** The runs that an address names: joined by `~` or `,`, or as a JSON list, as MLflow has it. */
export function namedRuns(text: string): string[] {
  let named: unknown = text.split(/[~,]/);
  if (text.startsWith("[")) {
    try {
      named = JSON.parse(text);
    } catch {
      named = [];
    }
  }
  const ids = Array.isArray(named)
    ? named.filter((each): each is string => typeof each === "string" && each !== "")
    : [];
  return [...new Set(ids)];
}

export interface Found {
  readonly rows: readonly RunRow[];
  /** The ids of which there is no run. */
  readonly gone: readonly string[];
}

export interface ComparedRuns {
  readonly found: UseQueryResult<Found>;
  /** How many have come so far. */
  readonly fetched: number;
}

export function useComparedRuns(runIds: readonly string[]): ComparedRuns {
  const queries = useQueryClient();
  const [fetched, setFetched] = useState(0);
  const queryKey = ["compared runs", runIds];
  const found = useQuery<Found>({
    queryKey,
    refetchInterval: ({ state }) => (state.data?.rows.some(isAtWork) ? REFRESH_MS : false),
    queryFn: async ({ signal }): Promise<Found> => {
      const last = queries.getQueryData<Found>(queryKey);
      const known = new Map(last?.rows.map((row) => [row.runId, row]));
      const gone = new Set(last?.gone);
      // Of many runs only those that go on are asked for again.
      const isOver = (runId: string): boolean => {
        const run = known.get(runId);
        return gone.has(runId) || (runIds.length > PAGE_RUNS && run !== undefined && !isAtWork(run));
      };
      const wanted = runIds.filter((runId) => !isOver(runId));
      const missing = await fetchRuns(wanted, signal, (runs) => {
        for (const run of runs) known.set(run.runId, rowOf(run));
        setFetched(known.size);
      });
      for (const runId of missing) {
        known.delete(runId);
        gone.add(runId);
      }
      return { rows: runIds.flatMap((runId) => known.get(runId) ?? []), gone: [...gone] };
    },
  });
  return { found, fetched };
}

/** Hands over the runs of these ids, in any order, and returns the ids that have none, if they are few. */
async function fetchRuns(
  runIds: readonly string[],
  signal: AbortSignal,
  onRuns: (runs: readonly Run[]) => void,
): Promise<string[]> {
  const missing = new Set(runIds);
  const gone: string[] = [];
  const take = (runs: readonly Run[]): void => {
    for (const { runId } of runs) missing.delete(runId);
    onRuns(runs);
  };
  while (missing.size > 0) {
    // A search needs experiments: some runs tell in which ones the others may be.
    const ids = [...missing].slice(0, ALONE);
    const asked = await Promise.all(ids.map((runId) => fetchRun(runId, signal)));
    const alone = asked.filter((run) => run !== null);
    take(alone);
    for (const [at, runId] of ids.entries()) if (asked[at] === null && missing.delete(runId)) gone.push(runId);
    if (gone.length > GONE_MAX)
      throw new Error(`More than ${GONE_MAX} of these runs do not exist, such as ${gone[0]}.`);
    if (alone.length === 0) continue;
    const experimentIds = [...new Set(alone.map(({ experimentId }) => experimentId))];
    for (const ids of pagesOf([...missing].filter((runId) => PLAIN_ID.test(runId)))) {
      const filter = filterOf(ids);
      const search = { experimentIds, filter, viewType: ViewType.ALL, pageSize: ids.length };
      take((await service.searchRuns(search, { signal })).runs);
    }
  }
  return gone;
}

/** Null where there is none. */
async function fetchRun(runId: string, signal: AbortSignal): Promise<Run | null> {
  try {
    const { run } = await service.getRun({ runId }, { signal });
    if (!run) throw new Error("the server answered without a run");
    return run;
  } catch (error) {
    if (error instanceof ConnectError && error.code === Code.NotFound) return null;
    throw error;
  }
}

function filterOf(runIds: readonly string[]): string {
  return `run_id IN (${runIds.map((runId) => `'${runId}'`).join(", ")})`;
}

function pagesOf(runIds: readonly string[]): string[][] {
  const pages: string[][] = [];
  let page: string[] = [];
  for (const runId of runIds) {
    if (page.length >= PAGE_RUNS || filterOf([...page, runId]).length > PAGE_CHARACTERS) {
      pages.push(page);
      page = [];
    }
    page.push(runId);
  }
  return page.length > 0 ? [...pages, page] : pages;
}

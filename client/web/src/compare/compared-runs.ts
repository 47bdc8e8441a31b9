// The runs that are compared, whole, in the order in which they are named.

import { useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";
import { runs as service } from "../api/clients";
import { ViewType } from "../api/generated/trackwire/v1/experiments_pb";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { isAtWork, rowOf, type RunRow } from "../runs/columns";

/** More are too many to be told apart. */
export const COMPARED_MAX = 1_000;
const REFRESH_MS = 5_000;
// No page takes the browser long to read, and its filter is not too long for the server.
const PAGE_RUNS = 50;
const PAGE_CHARACTERS = 16_000;
// How many runs are asked for by themselves at a time.
const ALONE = 8;
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

export interface ComparedRuns {
  readonly found: UseQueryResult<RunRow[]>;
  /** How many have come so far. */
  readonly fetched: number;
}

export function useComparedRuns(runIds: readonly string[]): ComparedRuns {
  const queries = useQueryClient();
  const [fetched, setFetched] = useState(0);
  const queryKey = ["compared runs", runIds];
  const found = useQuery<RunRow[]>({
    queryKey,
    refetchInterval: ({ state }) => (state.data?.some(({ run }) => isAtWork(run)) ? REFRESH_MS : false),
    queryFn: async ({ signal }): Promise<RunRow[]> => {
      const known = new Map(queries.getQueryData<RunRow[]>(queryKey)?.map((row) => [row.run.runId, row]));
      // Of many runs only those that go on are asked for again.
      const isOver = (runId: string): boolean => {
        const run = known.get(runId)?.run;
        return runIds.length > PAGE_RUNS && run !== undefined && !isAtWork(run);
      };
      const wanted = runIds.filter((runId) => !isOver(runId));
      await fetchRuns(wanted, signal, (runs) => {
        for (const run of runs) known.set(run.runId, rowOf(run));
        setFetched(known.size);
      });
      return runIds.flatMap((runId) => known.get(runId) ?? []);
    },
  });
  return { found, fetched };
}

/** Hands over the runs of these ids, in any order; an id without a run is an error that names it. */
async function fetchRuns(
  runIds: readonly string[],
  signal: AbortSignal,
  onRuns: (runs: readonly Run[]) => void,
): Promise<void> {
  const missing = new Set(runIds);
  const take = (runs: readonly Run[]): void => {
    for (const { runId } of runs) missing.delete(runId);
    onRuns(runs);
  };
  while (missing.size > 0) {
    // A search needs experiments: some runs tell in which ones the others may be.
    const alone = await Promise.all([...missing].slice(0, ALONE).map((runId) => fetchRun(runId, signal)));
    take(alone);
    const experimentIds = [...new Set(alone.map(({ experimentId }) => experimentId))];
    for (const ids of pagesOf([...missing].filter((runId) => PLAIN_ID.test(runId)))) {
      const filter = filterOf(ids);
      const search = { experimentIds, filter, viewType: ViewType.ALL, pageSize: ids.length };
      take((await service.searchRuns(search, { signal })).runs);
    }
  }
}

async function fetchRun(runId: string, signal: AbortSignal): Promise<Run> {
  const { run } = await service.getRun({ runId }, { signal });
  if (!run) throw new Error("the server answered without a run");
  return run;
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

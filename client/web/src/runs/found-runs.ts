// The runs that a search finds, page after page until all are there, and kept as they are while they train.

import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { runs as service } from "../api/clients";
import { isAway } from "../api/errors";
import { ViewType } from "../api/generated/trackwire/v1/experiments_pb";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { isAtWork, rowOf, type Column, type RunRow } from "./columns";

// The first page is on the screen soon, and none takes the browser long to read.
const FIRST_PAGE = 100;
const PAGE_SIZE = 400;
/** More are not fetched: nobody reads them, and a filter finds them. */
export const RUNS_MAX = 20_000;
const REFRESH_MS = 2_000;
// What a filter that names runs can hold is far more.
const LOOKED_AFTER_MAX = 200;

export interface Search {
  readonly experimentId: string;
  readonly filter: string;
  readonly orderBy: string;
  readonly deleted: boolean;
}

export interface FoundRuns {
  readonly rows: readonly RunRow[];
  /** Whether all have been fetched. */
  readonly isWhole: boolean;
  readonly isPending: boolean;
  readonly error: unknown;
  readonly refetch: () => void;
}

interface Found {
  rows: RunRow[];
  isWhole: boolean;
  /** The search that it answers. */
  search: string;
}

const NOTHING: Found = { rows: [], isWhole: false, search: "" };

function request(search: Search, columns: readonly Column[]) {
  const keys = (kind: string) => columns.filter((column) => column.kind === kind).map((column) => column.key);
  return {
    experimentIds: [search.experimentId],
    filter: search.filter,
    orderBy: search.orderBy ? [search.orderBy] : [],
    viewType: search.deleted ? ViewType.DELETED_ONLY : ViewType.ACTIVE_ONLY,
    metrics: { keys: keys("metrics") },
    params: { keys: keys("params") },
    tags: { keys: keys("tags") },
  };
}

export function useFoundRuns(search: Search, columns: readonly Column[]): FoundRuns {
  const [found, setFound] = useState<Found>(NOTHING);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  const wanted = useMemo(() => request(search, columns), [search, columns]);
  const name = useMemo(() => JSON.stringify(wanted), [wanted]);

  useEffect(() => {
    const ending = new AbortController();
    const rows: RunRow[] = [];
    async function fetchAll(): Promise<void> {
      let pageToken = "";
      let first = true;
      do {
        // A token belongs to its query, and the size of a page is no part of that.
        const pageSize = first ? FIRST_PAGE : PAGE_SIZE;
        const page = await service.searchRuns({ ...wanted, pageSize, pageToken }, { signal: ending.signal });
        rows.push(...page.runs.map(rowOf));
        pageToken = page.nextPageToken;
        first = false;
        setError(null);
        setFound({ rows: [...rows], isWhole: !pageToken, search: name });
      } while (pageToken && rows.length < RUNS_MAX);
    }
    fetchAll().catch((failure: unknown) => {
      if (ending.signal.aborted) return;
      setError(failure);
      if (isAway(failure)) window.setTimeout(() => setAttempt((last) => last + 1), REFRESH_MS);
    });
    return () => ending.abort();
  }, [wanted, name, attempt]);

  useRefresh(wanted, found, setFound);
  return {
    rows: found.rows,
    isWhole: found.isWhole && (found.search === name || error !== null),
    isPending: found.search !== name && !error,
    error,
    refetch: () => setAttempt((last) => last + 1),
  };
}

/** Looks again at the runs that are at work, and for those that have begun since. */
function useRefresh(
  wanted: ReturnType<typeof request>,
  found: Found,
  setFound: (change: (last: Found) => Found) => void,
): void {
  const present = useRef(found);
  useEffect(() => {
    present.current = found;
  });
  useQuery({
    queryKey: ["refreshed runs", wanted],
    enabled: found.isWhole,
    refetchInterval: REFRESH_MS,
    queryFn: async ({ signal }) => {
      const { rows, search } = present.current;
      const atWork = rows.filter(({ run }) => isAtWork(run)).slice(0, LOOKED_AFTER_MAX);
      const newest = rows.reduce((time, { run }) => (run.startTimeMs > time ? run.startTimeMs : time), 0n);
      const which = [`start_time > ${newest}`];
      if (atWork.length > 0) which.push(`run_id IN (${atWork.map(({ run }) => `'${run.runId}'`).join(", ")})`);
      const filter = `(${which.join(" OR ")})${wanted.filter.trim() ? ` AND (${wanted.filter})` : ""}`;
      const { runs } = await service.searchRuns({ ...wanted, filter, orderBy: [], pageSize: PAGE_SIZE }, { signal });
      if (runs.length > 0) {
        setFound((last) => (last.search === search ? { ...last, rows: merged(last.rows, runs) } : last));
      }
      return runs.length;
    },
  });
}

/** Those that were there are where they were; new ones stand in front. */
function merged(rows: readonly RunRow[], runs: readonly Run[]): RunRow[] {
  const fresh = new Map(runs.map((run) => [run.runId, rowOf(run)]));
  const changed = rows.map((row) => {
    const again = fresh.get(row.run.runId);
    fresh.delete(row.run.runId);
    return again ?? row;
  });
  return [...fresh.values(), ...changed];
}

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
const REFRESHED_MAX = 1_000;
// The clock of a machine whose runs begin meanwhile may be so much behind the others.
const SKEW_MS = 120_000n;
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
  readonly error: unknown;
  readonly refetch: () => void;
}

interface Found {
  rows: RunRow[];
  isWhole: boolean;
  search: Search | null;
  /** What was asked for them: the search and its columns. */
  asked: string;
}

const NOTHING: Found = { rows: [], isWhole: false, search: null, asked: "" };

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

/** Before the columns are known there are no more than the first runs. */
export function useFoundRuns(search: Search, columns: readonly Column[] | null): FoundRuns {
  const [found, setFound] = useState<Found>(NOTHING);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  const wanted = useMemo(() => request(search, columns ?? []), [search, columns]);
  const asked = useMemo(() => JSON.stringify(wanted), [wanted]);
  const isReady = columns !== null;

  useEffect(() => {
    const ending = new AbortController();
    const rows: RunRow[] = [];
    async function fetchAll(): Promise<void> {
      let pageToken = "";
      do {
        // A token belongs to its query, and the size of a page is no part of that.
        const pageSize = pageToken ? PAGE_SIZE : FIRST_PAGE;
        const page = await service.searchRuns({ ...wanted, pageSize, pageToken }, { signal: ending.signal });
        rows.push(...page.runs.map(rowOf));
        pageToken = page.nextPageToken;
        const isWhole = isReady && !pageToken;
        setError(null);
        setFound((last) => {
          // With other columns the same runs stand where they stood.
          const behind = last.search === search && !isWhole ? last.rows.slice(rows.length) : [];
          return { rows: [...rows, ...behind], isWhole, search, asked };
        });
        if (!isReady) return;
      } while (pageToken && rows.length < RUNS_MAX);
    }
    fetchAll().catch((failure: unknown) => {
      if (ending.signal.aborted) return;
      setError(failure);
      if (isAway(failure)) window.setTimeout(() => setAttempt((last) => last + 1), REFRESH_MS);
    });
    return () => ending.abort();
  }, [wanted, search, asked, isReady, attempt]);

  useRefresh(wanted, found, setFound);
  return {
    rows: found.rows,
    isWhole: found.isWhole && (found.asked === asked || error !== null),
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
      const { rows, asked } = present.current;
      const atWork = rows.filter(({ run }) => isAtWork(run)).slice(0, LOOKED_AFTER_MAX);
      const which = [`start_time > ${begunSince(rows)}`];
      if (atWork.length > 0) which.push(`run_id IN (${atWork.map(({ run }) => `'${run.runId}'`).join(", ")})`);
      const filter = `(${which.join(" OR ")})${wanted.filter.trim() ? ` AND (${wanted.filter})` : ""}`;
      const { runs } = await service.searchRuns(
        { ...wanted, filter, orderBy: [], pageSize: REFRESHED_MAX },
        { signal },
      );
      if (runs.length > 0) {
        setFound((last) => (last.asked === asked ? { ...last, rows: merged(last.rows, runs) } : last));
      }
      return runs.length;
    },
  });
}

/** From when on runs may have begun that aren't among these. */
function begunSince(rows: readonly RunRow[]): bigint {
  const newest = rows.reduce((time, { run }) => (run.startTimeMs > time ? run.startTimeMs : time), 0n);
  const isQuiet = newest < BigInt(Date.now()) - SKEW_MS;
  return isQuiet ? newest : newest - SKEW_MS;
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

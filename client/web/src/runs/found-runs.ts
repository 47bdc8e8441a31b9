// The runs that a search finds, page after page until all are there.

import { useCallback, useEffect, useMemo, useState } from "react";
import { runs as service } from "../api/clients";
import { isAway } from "../api/errors";
import type { Column } from "./columns";
import { useRefresh } from "./refreshed-runs";
import { rowOf, type RunRow } from "./run-row";
import { wantedOf, type Search } from "./search";

// The first page is on the screen soon, and none takes the browser long to read.
const FIRST_PAGE = 100;
const PAGE_SIZE = 400;
/** More are not fetched: nobody reads them, and a filter finds them. */
export const RUNS_MAX = 20_000;
const AGAIN_MS = 2_000;

export interface FoundRuns {
  readonly rows: readonly RunRow[];
  /** Whether all that are fetched at all have come. */
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

/** Before the columns are known there are no more than the first runs. */
export function useFoundRuns(search: Search, columns: readonly Column[] | null): FoundRuns {
  const [found, setFound] = useState<Found>(NOTHING);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  const wanted = useMemo(() => wantedOf(search, columns ?? []), [search, columns]);
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
        const isWhole = isReady && (!pageToken || rows.length >= RUNS_MAX);
        setError(null);
        setFound((last) => {
          const behind = last.search === search && !isWhole ? behindOf(rows, last.rows) : [];
          return { rows: [...rows, ...behind], isWhole, search, asked };
        });
        if (isWhole || !isReady) return;
      } while (pageToken);
    }
    fetchAll().catch((failure: unknown) => {
      if (ending.signal.aborted) return;
      setError(failure);
      if (isAway(failure)) window.setTimeout(() => setAttempt((last) => last + 1), AGAIN_MS);
    });
    return () => ending.abort();
  }, [wanted, search, asked, isReady, attempt]);

  const refetch = useCallback(() => setAttempt((last) => last + 1), []);
  const onRefreshed = useCallback(
    (change: (rows: RunRow[]) => RunRow[]) =>
      setFound((last) => {
        const rows = last.asked === asked ? change(last.rows) : last.rows;
        return rows === last.rows ? last : { ...last, rows };
      }),
    [asked],
  );
  const isWhole = found.isWhole && found.asked === asked;
  useRefresh({ wanted, rows: found.rows, isWhole, onRefreshed, refetch });
  return { rows: found.rows, isWhole: isWhole || (found.isWhole && error !== null), error, refetch };
}

/** With other columns the same runs stand where they stood. */
function behindOf(rows: readonly RunRow[], last: readonly RunRow[]): RunRow[] {
  const here = new Set(rows.map(({ runId }) => runId));
  return last.slice(rows.length).filter(({ runId }) => !here.has(runId));
}

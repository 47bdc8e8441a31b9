// Found runs, kept as they are on the server: those at work and those that begin, and all others in turn.

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { runs as service } from "../api/clients";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { isAtWork, isSame, rowOf, type RunRow } from "./run-row";
import type { Wanted } from "./search";

const REFRESH_MS = 2_000;
// Of new runs; more than that many at once are found by fetching all anew.
const PAGE_SIZE = 200;
const PAGES_MAX = 5;
const ANSWER_MAX = 1_000;
// Of those at work, and of the others: so many are looked at each time.
const AT_WORK = 200;
const OTHERS = 50;
const FILTER_CHARACTERS = 16_000;
const ID_CHARACTERS = 36;
// The clock of a machine whose runs begin meanwhile may be so much behind the others.
const SKEW_MS = 30_000;

interface Refreshed {
  wanted: Wanted;
  rows: readonly RunRow[];
  isWhole: boolean;
  onRefreshed: (change: (rows: RunRow[]) => RunRow[]) => void;
  /** Fetches all anew: more has changed than can be looked at. */
  refetch: () => void;
}

export function useRefresh({ wanted, rows, isWhole, onRefreshed, refetch }: Refreshed): void {
  const present = useRef(rows);
  const turn = useRef(0);
  useEffect(() => {
    present.current = rows;
  });
  useQuery({
    queryKey: ["refreshed runs", wanted],
    enabled: isWhole,
    refetchInterval: REFRESH_MS,
    queryFn: async ({ signal }) => {
      turn.current += 1;
      const looked = lookedAfter(present.current, turn.current, wanted.filter.length);
      const [again, begun] = await Promise.all([
        lookAgain(wanted, looked, signal),
        lookForNew(wanted, present.current, signal),
      ]);
      if (begun === null) refetch();
      else onRefreshed((last) => merged(last, [...again.runs, ...begun], again.gone));
      return null;
    },
  });
}

/** Runs as they are now, and those of them that no longer are among what is searched for. */
async function lookAgain(
  wanted: Wanted,
  looked: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<{ runs: Run[]; gone: ReadonlySet<string> }> {
  const which = [];
  if (looked.size > 0) which.push(`run_id IN (${[...looked].map((runId) => `'${runId}'`).join(", ")})`);
  // What is at work may come to match.
  if (wanted.filter.trim()) which.push("status = 'RUNNING'");
  if (which.length === 0) return { runs: [], gone: new Set() };
  const filter = both(which.join(" OR "), wanted.filter);
  const answer = await service.searchRuns({ ...wanted, filter, orderBy: [], pageSize: ANSWER_MAX }, { signal });
  const found = new Set(answer.runs.map(({ runId }) => runId));
  const gone = answer.nextPageToken ? [] : [...looked].filter((runId) => !found.has(runId));
  return { runs: answer.runs, gone: new Set(gone) };
}

/** Runs that have begun since, newest first; null where there are too many. */
async function lookForNew(wanted: Wanted, rows: readonly RunRow[], signal: AbortSignal): Promise<Run[] | null> {
  const here = new Set(rows.map(({ runId }) => runId));
  const filter = both(`start_time > ${begunSince(rows)}`, wanted.filter);
  const found: Run[] = [];
  let pageToken = "";
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const asked = { ...wanted, filter, orderBy: [], pageSize: PAGE_SIZE, pageToken };
    const answer = await service.searchRuns(asked, { signal });
    const fresh = answer.runs.filter(({ runId }) => !here.has(runId));
    found.push(...fresh);
    pageToken = answer.nextPageToken;
    if (fresh.length === 0 || !pageToken) return found;
  }
  return null;
}

function both(which: string, filter: string): string {
  return filter.trim() ? `(${which}) AND (${filter})` : which;
}

/** The ids of runs that are asked for by name. */
function lookedAfter(rows: readonly RunRow[], turn: number, filterCharacters: number): Set<string> {
  const ids = (areAtWork: boolean): string[] =>
    rows.filter((row) => isAtWork(row) === areAtWork).map(({ runId }) => runId);
  const looked = [...inTurn(ids(true), AT_WORK, turn), ...inTurn(ids(false), OTHERS, turn)];
  return new Set(looked.slice(0, Math.max(0, (FILTER_CHARACTERS - filterCharacters) / ID_CHARACTERS)));
}

function inTurn(ids: readonly string[], count: number, turn: number): readonly string[] {
  if (ids.length <= count) return ids;
  const from = (turn * count) % ids.length;
  return [...ids.slice(from, from + count), ...ids.slice(0, Math.max(0, from + count - ids.length))];
}

/** From when on runs may have begun that aren't among these. A clock that is ahead says nothing of the others. */
function begunSince(rows: readonly RunRow[]): number {
  if (rows.length === 0) return 0;
  const now = Date.now();
  const starts = rows.map(({ startTimeMs }) => startTimeMs).filter((start) => start <= now);
  const newest = starts.reduce((latest, start) => Math.max(latest, start), 0) || now;
  return newest < now - SKEW_MS ? newest : newest - SKEW_MS;
}

/** Runs stand where they stood, and new ones in front. */
function merged(rows: RunRow[], found: readonly Run[], gone: ReadonlySet<string>): RunRow[] {
  const fresh = new Map(found.map((run) => [run.runId, rowOf(run)]));
  let isChanged = false;
  const kept = rows.flatMap((row) => {
    const again = fresh.get(row.runId);
    fresh.delete(row.runId);
    if (again && isSame(again, row)) return row;
    if (!again && !gone.has(row.runId)) return row;
    isChanged = true;
    return again ?? [];
  });
  return isChanged || fresh.size > 0 ? [...fresh.values(), ...kept] : rows;
}

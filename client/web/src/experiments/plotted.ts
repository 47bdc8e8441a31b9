// What is asked of the runs of an experiment to plot all of them: no more than what the axes and the colours show.

import { queryOptions, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useMemo } from "react";
import { runs as service } from "../api/clients";
import { defaultsOf, idsIn, usePlotChoice, type PlotDefaults, type PlotView } from "../plots/choice";
import { columnOf, namesIn, namesOf, varying, type DimensionName } from "../plots/dimensions";
import { NO_KEYS, type Column, type RunKeys } from "../runs/columns";
import { rowOf, type RunRow } from "../runs/run-row";
import { askedFor, type Search } from "../runs/search";

// What differs between the first runs is what axes are by default.
const SAMPLE = 40;
const SAMPLE_STALE_MS = 60_000;
const NONE: readonly RunRow[] = [];

export interface Plotted {
  readonly names: readonly DimensionName[];
  readonly defaults: PlotDefaults;
  /** What found runs need; null before it is known. */
  readonly columns: readonly Column[] | null;
}

/** `view` is null where nothing is plotted. Where keys are refused, there are those of the first runs. */
export function usePlotted(
  view: PlotView | null,
  search: Search,
  { data: keys, error: refusal }: Pick<UseQueryResult<RunKeys>, "data" | "error">,
): Plotted {
  const sample = useQuery({ ...sampleOf(search), enabled: view !== null });
  const rows = sample.data ?? NONE;
  const isKnown = (keys !== undefined || refusal !== null) && (sample.data !== undefined || sample.error !== null);
  const isRefused = keys === undefined && refusal !== null;
  const names = useMemo(() => (isRefused ? namesIn(rows) : namesOf(keys ?? NO_KEYS)), [isRefused, rows, keys]);
  const defaults = useMemo(
    () => defaultsOf(names, varying(rows, names), true, isRefused ? refusal : null),
    [rows, names, isRefused, refusal],
  );
  const choice = usePlotChoice(defaults);
  const wanted = view === null ? "" : JSON.stringify([...new Set(idsIn(view, choice))].toSorted());
  const columns = useMemo(() => {
    if (!isKnown || wanted === "") return null;
    return (JSON.parse(wanted) as string[]).map(columnOf).filter((column) => column !== undefined);
  }, [isKnown, wanted]);
  return { names, defaults, columns };
}

/** The first runs with all that they have. */
function sampleOf(search: Search) {
  const asked = { ...askedFor(search), pageSize: SAMPLE, tags: {} };
  return queryOptions({
    queryKey: ["sampled runs", asked],
    staleTime: SAMPLE_STALE_MS,
    refetchOnWindowFocus: false,
    queryFn: async ({ signal }): Promise<RunRow[]> => (await service.searchRuns(asked, { signal })).runs.map(rowOf),
  });
}

// What is asked of the server about one run and what belongs to it.

import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { loggedModels, runs } from "../api/clients";
import { RunStatus, type Run } from "../api/generated/trackwire/v1/runs_pb";

const LIVE_MS = 2_000;
const HIDDEN_MS = 30_000;
const CHILDREN = 100;

export function isLive(run: Run | undefined): boolean {
  return run?.status === RunStatus.RUNNING || run?.status === RunStatus.SCHEDULED;
}

/** Asked for again and again while it runs, seldom where nobody looks. */
export function runById(runId: string) {
  return queryOptions({
    queryKey: ["run", runId],
    queryFn: async ({ signal }): Promise<Run> => {
      const { run } = await runs.getRun({ runId }, { signal });
      if (!run) throw new Error("the server answered without a run");
      return run;
    },
    refetchInterval: ({ state }) => (isLive(state.data) ? (document.hidden ? HIDDEN_MS : LIVE_MS) : false),
    refetchIntervalInBackground: true,
  });
}

/** The runs that say they are part of it, newest first, without what they logged. */
export function childrenOf({ experimentId, runId }: Run) {
  return infiniteQueryOptions({
    queryKey: ["children", runId],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      runs.searchRuns(
        {
          experimentIds: [experimentId],
          filter: `parent_run_id = '${runId}'`,
          pageSize: CHILDREN,
          pageToken: pageParam,
          metrics: {},
          params: {},
          tags: {},
        },
        { signal },
      ),
    getNextPageParam: (page) => page.nextPageToken || undefined,
  });
}

export function modelsOf({ experimentId, runId }: Run) {
  return queryOptions({
    queryKey: ["models of run", runId],
    queryFn: async ({ signal }) => {
      const filter = `source_run_id = '${runId}'`;
      return (await loggedModels.searchLoggedModels({ experimentIds: [experimentId], filter }, { signal }))
        .loggedModels;
    },
  });
}

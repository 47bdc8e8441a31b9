// What is asked of the server about experiments.

import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { experiments } from "../api/clients";
import type { Experiment } from "../api/generated/trackwire/v1/experiments_pb";
import type { ViewType } from "../api/generated/trackwire/v1/experiments_pb";
import { foundByName, nameFilter } from "../api/names";

const PAGE_SIZE = 200;
const REFRESH_MS = 5_000;

export function experimentsFound(search: string, viewType: ViewType) {
  return infiniteQueryOptions({
    queryKey: ["experiments", search, viewType],
    refetchInterval: REFRESH_MS,
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      foundByName(search, pageParam, async (pageToken) => {
        const asked = { filter: nameFilter(search), viewType, pageSize: PAGE_SIZE, pageToken };
        const page = await experiments.searchExperiments(asked, { signal });
        return { items: page.experiments, nextPageToken: page.nextPageToken };
      }),
    getNextPageParam: (page) => page.nextPageToken || undefined,
  });
}

export function experimentById(experimentId: string) {
  return queryOptions({
    queryKey: ["experiment", experimentId],
    queryFn: async ({ signal }): Promise<Experiment> => {
      const { experiment } = await experiments.getExperiment(
        { experiment: { case: "experimentId", value: experimentId } },
        { signal },
      );
      if (!experiment) throw new Error("the server answered without an experiment");
      return experiment;
    },
  });
}

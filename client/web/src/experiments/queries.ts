// What is asked of the server about experiments.

import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { experiments } from "../api/clients";
import type { Experiment } from "../api/generated/trackwire/v1/experiments_pb";
import { ViewType } from "../api/generated/trackwire/v1/experiments_pb";

const PAGE_SIZE = 200;

export function experimentsFound(filter: string, viewType: ViewType) {
  return infiniteQueryOptions({
    queryKey: ["experiments", filter, viewType],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      experiments.searchExperiments({ filter, viewType, pageSize: PAGE_SIZE, pageToken: pageParam }, { signal }),
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

/** A filter for what a reader types into a search box: names that have it somewhere, in upper or lower case. */
export function nameFilter(text: string): string {
  const words = text.trim();
  return words ? `name ILIKE '%${words.replaceAll("'", "''")}%'` : "";
}

// The keys that the runs of an experiment have.

import { queryOptions } from "@tanstack/react-query";
import { runs } from "../api/clients";
import type { RunKeys } from "./columns";

const LOOKED_AT = 50;

export function runKeys(experimentId: string) {
  return queryOptions({
    queryKey: ["run keys", experimentId],
    staleTime: 30_000,
    queryFn: async ({ signal }): Promise<RunKeys> => {
      const found = { metrics: new Set<string>(), params: new Set<string>(), tags: new Set<string>() };
      const page = await runs.searchRuns({ experimentIds: [experimentId], pageSize: LOOKED_AT }, { signal });
      for (const run of page.runs) {
        for (const { key } of run.metrics) found.metrics.add(key);
        for (const key of Object.keys(run.params)) found.params.add(key);
        for (const key of Object.keys(run.tags)) if (!key.startsWith("mlflow.")) found.tags.add(key);
      }
      const sorted = (keys: Set<string>): string[] => [...keys].toSorted();
      return { metrics: sorted(found.metrics), params: sorted(found.params), tags: sorted(found.tags) };
    },
  });
}

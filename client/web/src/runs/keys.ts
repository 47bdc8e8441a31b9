// The keys that the runs of an experiment have.

import { queryOptions } from "@tanstack/react-query";
import { runs } from "../api/clients";
import { RunKeyKind } from "../api/generated/trackwire/v1/runs_pb";
import type { RunKeys } from "./columns";

// What MLflow's clients keep for themselves.
const HIDDEN = "mlflow.";

export function runKeys(experimentId: string) {
  return queryOptions({
    queryKey: ["run keys", experimentId],
    staleTime: 5_000,
    refetchInterval: 15_000,
    queryFn: async ({ signal }): Promise<RunKeys> => {
      // One page has 10,000 of them: more than anybody chooses from.
      const { keys } = await runs.listRunKeys({ experimentIds: [experimentId] }, { signal });
      const of = (kind: RunKeyKind): string[] => keys.filter((each) => each.kind === kind).map(({ key }) => key);
      return {
        metrics: of(RunKeyKind.METRIC),
        params: of(RunKeyKind.PARAM),
        tags: of(RunKeyKind.TAG).filter((key) => !key.startsWith(HIDDEN)),
      };
    },
  });
}

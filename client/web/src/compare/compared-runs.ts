// The runs that are compared, whole, in the order in which they are named.

import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { runs as service } from "../api/clients";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { isAtWork } from "../runs/columns";

/** More do not fit an address, nor a table. */
export const COMPARED_MAX = 100;
const REFRESH_MS = 5_000;

/** The runs that an address names: joined by `~`, or as a JSON list, as MLflow has it. */
export function namedRuns(text: string): string[] {
  let named: unknown = text.split("~");
  if (text.startsWith("[")) {
    try {
      named = JSON.parse(text);
    } catch {
      named = [];
    }
  }
  const ids = Array.isArray(named)
    ? named.filter((each): each is string => typeof each === "string" && each !== "")
    : [];
  return [...new Set(ids)].slice(0, COMPARED_MAX);
}

export function useComparedRuns(runIds: readonly string[]): UseQueryResult<Run[]> {
  return useQuery({
    queryKey: ["compared runs", runIds],
    refetchInterval: (query) => ((query.state.data as Run[] | undefined)?.some(isAtWork) ? REFRESH_MS : false),
    queryFn: ({ signal }) =>
      Promise.all(
        runIds.map(async (runId) => {
          const { run } = await service.getRun({ runId }, { signal });
          if (!run) throw new Error("the server answered without a run");
          return run;
        }),
      ),
  });
}

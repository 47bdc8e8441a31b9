// `#/experiments/…/runs/…/artifacts/PATH`, as MLflow has it: leads on to that folder or file of the run, or of the model
// that it has logged by this name, which MLflow shows among the run's own files.

import { queryOptions, useQuery } from "@tanstack/react-query";
import { useEffect, type ReactNode } from "react";
import { artifacts } from "../api/clients";
import type { Owner } from "../artifacts/queries";
import { addressOf, go } from "../router";
import { Failure } from "../ui/notice";
import { modelsOf } from "./run-queries";

interface Found {
  model?: string;
  path: string;
}

export function ArtifactAddress({ parts }: { parts: Record<string, string> }): ReactNode {
  const { experimentId = "", runId = "", rest = "" } = parts;
  const found = useQuery(placeOf(experimentId, runId, rest));
  const { data } = found;
  useEffect(() => {
    if (!data) return;
    const run = `/experiments/${encodeURIComponent(experimentId)}/runs/${encodeURIComponent(runId)}`;
    go(addressOf(run, { tab: "artifacts", ...data }), { replace: true });
  }, [data, experimentId, runId]);
  return (
    <main className="page">{found.error && <Failure error={found.error} onRetry={() => void found.refetch()} />}</main>
  );
}

function placeOf(experimentId: string, runId: string, asked: string) {
  return queryOptions({
    queryKey: ["artifact address", runId, asked],
    queryFn: async ({ client, signal }): Promise<Found> => {
      const ofRun: Owner = { case: "runId", value: runId };
      if (await isFolder(ofRun, asked, signal)) return { path: `${asked}/` };
      const [name, ...below] = asked.split("/");
      const made = await client.fetchQuery(modelsOf({ experimentId, runId }));
      const model = made.find((each) => each.name === name)?.modelId;
      if (!model) return { path: asked };
      const path = below.join("/");
      const isOpen = path !== "" && (await isFolder({ case: "modelId", value: model }, path, signal));
      return { model, path: isOpen ? `${path}/` : path };
    },
  });
}

/** Whether something lies below. */
async function isFolder(owner: Owner, path: string, signal: AbortSignal): Promise<boolean> {
  return (await artifacts.listArtifacts({ owner, path, pageSize: 1 }, { signal })).artifacts.length > 0;
}

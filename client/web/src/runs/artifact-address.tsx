// `#/experiments/…/runs/…/artifacts/PATH`, as MLflow has it, and without the experiment: leads on to that folder or file of the run, or of the model
// that it has logged by this name, which MLflow shows among the run's own files.

import { queryOptions, useQuery } from "@tanstack/react-query";
import { useEffect, type ReactNode } from "react";
import { artifacts } from "../api/clients";
import type { Owner } from "../artifacts/queries";
import { addressOf, go } from "../router";
import { Failure } from "../ui/notice";
import { modelsOf, runById } from "./run-queries";

interface Found {
  experimentId: string;
  model?: string;
  path: string;
}

export function ArtifactAddress({ parts }: { parts: Record<string, string> }): ReactNode {
  const { runId = "", rest = "" } = parts;
  const found = useQuery(placeOf(runId, rest));
  const { data } = found;
  useEffect(() => {
    if (!data) return;
    const { experimentId, ...place } = data;
    const run = `/experiments/${encodeURIComponent(experimentId)}/runs/${encodeURIComponent(runId)}`;
    go(addressOf(run, { tab: "artifacts", ...place }), { replace: true });
  }, [data, runId]);
  return (
    <main className="page">{found.error && <Failure error={found.error} onRetry={() => void found.refetch()} />}</main>
  );
}

function placeOf(runId: string, asked: string) {
  return queryOptions({
    queryKey: ["artifact address", runId, asked],
    queryFn: async ({ client, signal }): Promise<Found> => {
      const run = await client.fetchQuery(runById(runId));
      const { experimentId } = run;
      const ofRun: Owner = { case: "runId", value: runId };
      if (asked === "" || (await isFolder(ofRun, asked, signal))) return { experimentId, path: asked && `${asked}/` };
      const [name, ...below] = asked.split("/");
      const made = await client.fetchQuery(modelsOf(run));
      const model = made.find((each) => each.name === name)?.modelId;
      if (!model) return { experimentId, path: asked };
      const path = below.join("/");
      const isOpen = path !== "" && (await isFolder({ case: "modelId", value: model }, path, signal));
      return { experimentId, model, path: isOpen ? `${path}/` : path };
    },
  });
}

/** Whether something lies below. */
async function isFolder(owner: Owner, path: string, signal: AbortSignal): Promise<boolean> {
  return (await artifacts.listArtifacts({ owner, path, pageSize: 1 }, { signal })).artifacts.length > 0;
}

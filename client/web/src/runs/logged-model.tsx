// `#/experiments/…/models/…`, where MLflow has a logged model: leads on to its files on the page of its run.

import { queryOptions, useQuery } from "@tanstack/react-query";
import { useEffect, type ReactNode } from "react";
import { loggedModels } from "../api/clients";
import type { LoggedModel } from "../api/generated/trackwire/v1/logged_models_pb";
import { ArtifactBrowser } from "../artifacts/browser";
import { addressOf, go } from "../router";
import { Failure } from "../ui/notice";
import "./run.css";

export function LoggedModelPage({ parts }: { parts: Record<string, string> }): ReactNode {
  const found = useQuery(modelById(parts["modelId"] ?? ""));
  const { data } = found;
  useEffect(() => {
    if (data?.sourceRunId) go(filesAt(data), { replace: true });
  }, [data]);
  return (
    <main className="page run-page">
      {found.error && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {data && !data.sourceRunId && (
        <>
          <h1 className="clipped">{data.name}</h1>
          <p className="soft">This logged model comes from no run.</p>
          <ArtifactBrowser owner={{ case: "modelId", value: data.modelId }} isLive={false} kept={{}} />
        </>
      )}
    </main>
  );
}

function filesAt({ experimentId, sourceRunId, modelId }: LoggedModel): string {
  const run = `/experiments/${encodeURIComponent(experimentId)}/runs/${encodeURIComponent(sourceRunId)}`;
  return addressOf(run, { tab: "artifacts", model: modelId });
}

function modelById(modelId: string) {
  return queryOptions({
    queryKey: ["logged model", modelId],
    queryFn: async ({ signal }): Promise<LoggedModel> => {
      const { loggedModel } = await loggedModels.getLoggedModel({ modelId }, { signal });
      if (!loggedModel) throw new Error("the server answered without a model");
      return loggedModel;
    },
  });
}

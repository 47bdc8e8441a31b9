// `#/runs/:runId`, for who knows no experiment: leads on to the run's page.

import { useQuery } from "@tanstack/react-query";
import { useEffect, type ReactNode } from "react";
import { addressOf, go } from "../router";
import { Failure } from "../ui/notice";
import { runById } from "./run-queries";

export function RunRedirect({ parts }: { parts: Record<string, string> }): ReactNode {
  const run = useQuery(runById(parts["runId"] ?? ""));
  useEffect(() => {
    if (run.data) go(addressOf(`/experiments/${run.data.experimentId}/runs/${run.data.runId}`), { replace: true });
  }, [run.data]);
  return <main className="page">{run.error && <Failure error={run.error} onRetry={() => void run.refetch()} />}</main>;
}

// One experiment: its runs as a table, as charts, or both.

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Failure } from "../ui/notice";
import { experimentById } from "./queries";

export function ExperimentPage({ parts }: { parts: Record<string, string> }): ReactNode {
  const experiment = useQuery(experimentById(parts["experimentId"] ?? ""));
  return (
    <main className="page">
      <h1>{experiment.data?.name}</h1>
      {experiment.error && <Failure error={experiment.error} onRetry={() => void experiment.refetch()} />}
    </main>
  );
}

// One run: what it is, what it logged, what it printed and where it comes from.

import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, type ReactNode } from "react";
import { LifecycleStage } from "../api/generated/trackwire/v1/experiments_pb";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { addressOf, usePlace } from "../router";
import { bringIntoSight } from "../ui/in-sight";
import { Failure } from "../ui/notice";
import { Console } from "./console";
import { Overview } from "./overview";
import "./run.css";
import { RunCharts } from "./run-charts";
import { RunHeader } from "./run-header";
import { runById } from "./run-queries";

const RunArtifacts = lazy(() => import("./run-artifacts").then(({ RunArtifacts }) => ({ default: RunArtifacts })));

const TABS = [
  ["overview", "Overview"],
  ["metrics", "Metrics"],
  ["system", "System metrics"],
  ["artifacts", "Artifacts"],
  ["console", "Console"],
] as const;

export function RunPage({ parts }: { parts: Record<string, string> }): ReactNode {
  const { path, query } = usePlace();
  const run = useQuery(runById(parts["runId"] ?? ""));
  const asked = query.get("tab");
  const tab = TABS.find(([name]) => name === asked)?.[0] ?? "overview";
  return (
    <main className="page run-page">
      {run.error && <Failure error={run.error} onRetry={() => void run.refetch()} />}
      {run.error && !run.data && (
        <p>
          <a href={addressOf("/experiments")}>See all experiments</a>
        </p>
      )}
      {run.data && (
        <>
          <RunHeader run={run.data} />
          {run.data.lifecycleStage === LifecycleStage.DELETED && (
            <p className="notice deleted">This run is deleted. It can be restored until garbage is collected.</p>
          )}
          <Tabs path={path} tab={tab} />
          <Suspense fallback={null}>
            <Tab tab={tab} run={run.data} />
          </Suspense>
        </>
      )}
    </main>
  );
}

function Tabs({ path, tab }: { path: string; tab: string }): ReactNode {
  return (
    <nav aria-label="Parts of the run" className="run-tabs">
      {TABS.map(([name, words]) => (
        <a
          key={name}
          ref={name === tab ? bringIntoSight : null}
          href={addressOf(path, name === "overview" ? {} : { tab: name })}
          aria-current={name === tab ? "page" : undefined}
        >
          {words}
        </a>
      ))}
    </nav>
  );
}

function Tab({ tab, run }: { tab: string; run: Run }): ReactNode {
  switch (tab) {
    case "metrics":
      return <RunCharts key="metrics" run={run} system={false} />;
    case "system":
      return <RunCharts key="system" run={run} system />;
    case "artifacts":
      return <RunArtifacts run={run} />;
    case "console":
      return <Console run={run} />;
    default:
      return <Overview run={run} />;
  }
}

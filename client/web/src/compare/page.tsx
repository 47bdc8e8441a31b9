// Some runs against each other: as a table, as lines over each other, and as points of what they were given and reached.

import { useMemo, type ReactNode } from "react";
import { ChartGrid } from "../charts/grid";
import { formatCount } from "../format";
import { addressOf, usePlace, useSetting } from "../router";
import { isAtWork } from "../runs/columns";
import { BarPlot } from "../plots/bars";
import { ParallelPlot } from "../plots/parallel";
import { ScatterPlot } from "../plots/scatter";
import { Empty, Failure } from "../ui/notice";
import { Tabs } from "../ui/tabs";
import { namedRuns, useComparedRuns } from "./compared-runs";
import "./compare.css";
import { CompareTable } from "./table";

const VIEWS = [
  ["table", "Table"],
  ["charts", "Charts"],
  ["parallel", "Parallel coordinates"],
  ["scatter", "Scatter"],
  ["bars", "Bars"],
] as const;

export function ComparePage(): ReactNode {
  const { query } = usePlace();
  const named = query.get("runs") ?? "";
  const runIds = useMemo(() => namedRuns(named), [named]);
  const [view, setView] = useSetting("view", "table");
  const found = useComparedRuns(runIds);
  const runs = found.data ?? [];
  const experimentId = runs[0]?.experimentId;
  return (
    <main className="compare">
      <div className="compare-head">
        <h1>Compare {formatCount(runIds.length, "run")}</h1>
        {experimentId && <a href={addressOf(`/experiments/${experimentId}`)}>Back to the experiment</a>}
        <span className="grow" />
        <Tabs label="View" tabs={VIEWS} chosen={view} onChoose={setView} />
      </div>
      {found.error && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {runIds.length === 0 && <Empty title="No runs are named: choose some in an experiment" />}
      {runs.length > 0 && view === "table" && <CompareTable runs={runs} />}
      {runs.length > 0 && view === "charts" && (
        <ChartGrid
          runs={runs.map((run) => ({ runId: run.runId, name: run.runName, isAtWork: isAtWork(run) }))}
          keys={[...new Set(runs.flatMap((run) => run.metrics.map(({ key }) => key)))].toSorted()}
        />
      )}
      {runs.length > 0 && view === "parallel" && <ParallelPlot runs={runs} />}
      {runs.length > 0 && view === "scatter" && <ScatterPlot runs={runs} />}
      {runs.length > 0 && view === "bars" && <BarPlot runs={runs} />}
    </main>
  );
}

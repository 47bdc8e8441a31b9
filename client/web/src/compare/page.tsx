// Some runs against each other: as a table, as lines over each other, and as points of what they were given and reached.

import { useMemo, type ReactNode } from "react";
import { ChartGrid, type ChartedRun } from "../charts/grid";
import { addressOfExperiment } from "../experiments/last-place";
import { formatCount } from "../format";
import { usePlace, useSetting } from "../router";
import { SlotsContext, useSlots } from "../runs/colors";
import { defaultsOf, type PlotView } from "../plots/choice";
import { namesIn, varying } from "../plots/dimensions";
import { Plot } from "../plots/plot";
import { isAtWork, type RunRow } from "../runs/run-row";
import { Empty, Failure } from "../ui/notice";
import { Tabs } from "../ui/tabs";
import { COMPARED_MAX, namedRuns, useComparedRuns } from "./compared-runs";
import { CompareImages } from "./images";
import { CompareTable } from "./table";

const VIEWS = [
  ["table", "Table"],
  ["charts", "Charts"],
  ["images", "Images"],
  ["parallel", "Parallel coordinates"],
  ["scatter", "Scatter"],
  ["bars", "Bars"],
] as const;

// More lines over each other tell nobody anything.
const CHARTED_MAX = 200;
const GONE_NAMED = 3;

export function ComparePage(): ReactNode {
  const { query } = usePlace();
  const text = query.get("runs") ?? "";
  const named = useMemo(() => namedRuns(text), [text]);
  const runIds = useMemo(() => named.slice(0, COMPARED_MAX), [named]);
  const [view, setView] = useSetting("view", "table");
  const { found, fetched } = useComparedRuns(runIds);
  const rows = found.data?.rows;
  const slots = useSlots(runIds);
  const experimentId = rows?.[0]?.experimentId;
  return (
    <main className="compare">
      <div className="compare-head">
        <h1>Compare {formatCount(rows?.length ?? runIds.length, "run")}</h1>
        {experimentId && <a href={addressOfExperiment(experimentId)}>Back to the experiment</a>}
        <span className="soft" role="status">
          {named.length > COMPARED_MAX &&
            `Of the ${formatCount(named.length, "run")} that are named, the first ${COMPARED_MAX.toLocaleString("en")}. `}
          {found.data && goneWords(found.data.gone)}
          {found.isPending && fetched > 0 && `${formatCount(fetched, "run")} fetched`}
        </span>
        <span className="grow" />
        <Tabs label="View" tabs={VIEWS} chosen={view} onChoose={setView} />
      </div>
      {found.error && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {rows?.length === 0 && runIds.length > 0 && <Empty title="None of the runs that are named is there" />}
      {runIds.length === 0 && <Empty title="No runs are named: choose some in an experiment" />}
      <SlotsContext value={slots}>{rows && rows.length > 0 && <Compared view={view} rows={rows} />}</SlotsContext>
    </main>
  );
}

function goneWords(gone: readonly string[]): string {
  if (gone.length === 0) return "";
  const more = gone.length - GONE_NAMED;
  return `There is no run ${gone.slice(0, GONE_NAMED).join(", ")}${more > 0 ? ` and ${more.toLocaleString("en")} more` : ""}.`;
}

function Compared({ view, rows }: { view: string; rows: readonly RunRow[] }): ReactNode {
  switch (view) {
    case "charts":
      return <ComparedCharts rows={rows} />;
    case "images":
      return <CompareImages runs={rows} />;
    case "parallel":
    case "scatter":
    case "bars":
      return <ComparedPlot view={view} rows={rows} />;
    default:
      return <CompareTable rows={rows} />;
  }
}

function ComparedPlot({ view, rows }: { view: PlotView; rows: readonly RunRow[] }): ReactNode {
  const names = useMemo(() => namesIn(rows), [rows]);
  const defaults = useMemo(() => defaultsOf(names, varying(rows, names), false), [rows, names]);
  return <Plot view={view} rows={rows} names={names} defaults={defaults} />;
}

function ComparedCharts({ rows }: { rows: readonly RunRow[] }): ReactNode {
  const keys = useMemo(() => metricKeys(rows), [rows]);
  const charted = useMemo(() => rows.slice(0, CHARTED_MAX).map(chartedRun), [rows]);
  return (
    <>
      {rows.length > CHARTED_MAX && (
        <p className="soft">The charts show the first {formatCount(CHARTED_MAX, "run")}.</p>
      )}
      <ChartGrid runs={charted} keys={keys} legend />
    </>
  );
}

function chartedRun(run: RunRow): ChartedRun {
  return { runId: run.runId, name: run.runName, isAtWork: isAtWork(run) };
}

function metricKeys(rows: readonly RunRow[]): string[] {
  const keys = new Set<string>();
  for (const { metrics } of rows) for (const key of metrics.keys()) keys.add(key);
  return [...keys].toSorted();
}

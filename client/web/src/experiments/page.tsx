// One experiment: its runs as a table, as charts, or both beside each other.

import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useDeferredValue, useEffect, useMemo, type ReactNode } from "react";
import { useTrackingUri } from "../api/address";
import { columnOf } from "../api/errors";
import { ChartGrid, type ChartedRun } from "../charts/grid";
import { addressOf, usePlace, useSetting } from "../router";
import { RunActions } from "../runs/actions";
import { ColumnChooser } from "../runs/column-chooser";
import { NO_KEYS } from "../runs/columns";
import { SlotsContext, useSlots, type Slots } from "../runs/colors";
import { FilterBox } from "../runs/filter-box";
import { useFoundRuns } from "../runs/found-runs";
import { runKeys } from "../runs/keys";
import { linesOf } from "../runs/nesting";
import { isAtWork, type RunRow } from "../runs/run-row";
import { RunTable } from "../runs/table";
import { useColumns, useFolds, useSelection } from "../runs/table-settings";
import { Code } from "../ui/code";
import { Icon } from "../ui/icon";
import { Empty, Failure } from "../ui/notice";
import { Counted, LeftOut } from "./counts";
import { DeletedLine } from "./deleted-line";
import { rememberPlace } from "./last-place";
import "./page.css";
import { usePlotted } from "./plotted";
import { experimentById } from "./queries";
import { plotOf, ViewChoice } from "./views";

const Plot = lazy(async () => ({ default: (await import("../plots/plot")).Plot }));

// Where none are chosen.
const CHARTED = 20;
const CHARTED_MAX = 200;
const NO_ROWS: readonly RunRow[] = [];
const NO_SLOTS: Slots = new Map();

export function ExperimentPage({ parts }: { parts: Record<string, string> }): ReactNode {
  const experimentId = parts["experimentId"] ?? "";
  const experiment = useQuery(experimentById(experimentId));
  if (experiment.error) {
    return (
      <main className="page">
        <Failure error={experiment.error} onRetry={() => void experiment.refetch()} />
        <p>
          <a href={addressOf("/experiments")}>See all experiments</a>
        </p>
      </main>
    );
  }
  return (
    <main className="experiment">
      <h1 className="unseen">{experiment.data?.name ?? "Experiment"}</h1>
      <Runs key={experimentId} experimentId={experimentId} name={experiment.data?.name ?? ""} />
    </main>
  );
}

function Runs({ experimentId, name }: { experimentId: string; name: string }): ReactNode {
  const { query } = usePlace();
  useEffect(() => rememberPlace(experimentId, query.toString()), [experimentId, query]);
  const [filter, setFilter] = useSetting("filter");
  const [orderBy, setOrderBy] = useSetting("order");
  const [shownStage, setShownStage] = useSetting("show", "active");
  const [view, setView] = useSetting("view", "both");
  const deleted = shownStage === "deleted";
  const keys = useQuery(runKeys(experimentId));
  // Without them what a person has chosen is shown all the same.
  const known = keys.data ?? (keys.error ? NO_KEYS : undefined);
  const { columns, ids, widths, pinned, setColumns, setWidth, setPin } = useColumns(known, orderBy);
  const search = useMemo(() => ({ experimentId, filter, orderBy, deleted }), [experimentId, filter, orderBy, deleted]);
  const plot = plotOf(view);
  const plotted = usePlotted(plot, search, keys);
  const tableColumns = known || columns.length > 0 ? columns : null;
  const found = useFoundRuns(search, plot ? plotted.columns : tableColumns);
  const { open, onFold } = useFolds();
  const { selected, onSelect, clear } = useSelection();
  const tabled = plot ? NO_ROWS : found.rows;
  // Pages that come one after the other are plotted at once.
  const plottedRows = useDeferredValue(plot ? found.rows : NO_ROWS);
  const lines = useMemo(() => linesOf(tabled, open), [tabled, open]);
  const chosen = useMemo(() => tabled.filter(({ runId }) => selected.has(runId)), [tabled, selected]);
  const [chartedText, setCharted] = useSetting("charted", String(CHARTED));
  const chartedMost = Math.min(CHARTED_MAX, Number(chartedText) || CHARTED);
  const charted = useMemo(() => chartedOf(tabled, chosen, chartedMost), [tabled, chosen, chartedMost]);
  const colored = useMemo(
    () => (plot ? plottedRows.map(({ runId }) => runId) : charted.map(({ runId }) => runId)),
    [plot, plottedRows, charted],
  );
  const slots = useSlots(colored);
  const isNone = found.isWhole && found.rows.length === 0;
  const isNew = isNone && !filter && !deleted;
  return (
    <SlotsContext value={slots}>
      <div className="experiment-tools">
        <nav className="line-of" aria-label="Where this is">
          <a href={addressOf("/experiments")}>Experiments</a>
          <Icon name="right" size={12} />
          <strong className="clipped" title={name}>
            {name}
          </strong>
        </nav>
        <FilterBox filter={filter} keys={known ?? NO_KEYS} error={found.error} onFilter={setFilter} />
        <div className="line-of">
          {!plot && <ColumnChooser keys={known ?? NO_KEYS} chosen={ids} onChoose={setColumns} />}
          <button
            className="button"
            aria-pressed={deleted}
            aria-label="Deleted runs"
            title="Deleted runs"
            onClick={() => setShownStage(deleted ? "active" : "deleted")}
          >
            <Icon name="trash" />
          </button>
          <ViewChoice view={view} onChoose={setView} />
        </div>
      </div>
      {found.error !== null && columnOf(found.error) === undefined && (
        <Failure error={found.error} onRetry={found.refetch} />
      )}
      {deleted && (
        <DeletedLine
          isEmpty={found.isWhole && found.rows.length === 0 && !filter}
          onLeave={() => setShownStage("active")}
        />
      )}
      {isNew ? (
        <FirstRun experimentId={experimentId} name={name} />
      ) : plot ? (
        <div className="experiment-body plots">
          <Suspense fallback={null}>
            <Plot view={plot} rows={plottedRows} names={plotted.names} defaults={plotted.defaults} />
          </Suspense>
          <Counted found={found} isSearched={filter !== ""} />
        </div>
      ) : (
        <div className={`experiment-body ${view}`}>
          {view !== "charts" && (
            <div className="run-side">
              <RunTable
                lines={lines}
                isWhole={found.isWhole}
                columns={columns}
                pinned={pinned}
                widths={widths}
                orderBy={orderBy}
                selected={selected}
                slots={view === "table" ? NO_SLOTS : slots}
                onResize={setWidth}
                onPin={setPin}
                onOrder={setOrderBy}
                onSelect={onSelect}
                onFold={onFold}
              />
              <div className="run-foot spread wraps">
                <Counted
                  found={found}
                  isSearched={filter !== ""}
                  chosen={chosen.length}
                  hidden={selected.size - chosen.length}
                />
                <RunActions
                  key={shownStage}
                  runs={chosen}
                  deleted={deleted}
                  onDone={() => {
                    clear();
                    found.refetch();
                  }}
                />
              </div>
            </div>
          )}
          {view !== "table" && (
            <ChartGrid runs={charted} keys={isNone ? [] : (keys.data?.metrics ?? [])} legend={view === "charts"}>
              <LeftOut
                charted={charted.length}
                of={chosen.length || found.rows.length}
                most={CHARTED_MAX}
                onMore={setCharted}
              />
            </ChartGrid>
          )}
        </div>
      )}
    </SlotsContext>
  );
}

/** The runs that charts show: those that are selected, or the first ones. */
function chartedOf(rows: readonly RunRow[], chosen: readonly RunRow[], most: number): ChartedRun[] {
  const shown = chosen.length > 0 ? chosen.slice(0, CHARTED_MAX) : rows.slice(0, most);
  return shown.map((run) => ({ runId: run.runId, name: run.runName, isAtWork: isAtWork(run) }));
}

function FirstRun({ experimentId, name }: { experimentId: string; name: string }): ReactNode {
  const server = useTrackingUri();
  if (server === undefined) return null;
  const where = experimentId === "0" ? "" : `trackwire.set_experiment(${JSON.stringify(name)})\n`;
  return (
    <Empty title="No run yet: log the first one">
      <Code
        text={`import trackwire

trackwire.set_tracking_uri("${server}")
${where}with trackwire.start_run():
    trackwire.log_metric("loss", 0.5)`}
      />
    </Empty>
  );
}

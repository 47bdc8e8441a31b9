// What a run measured, as charts.

import { useMemo, type ReactNode } from "react";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { ChartGrid } from "../charts/grid";
import { Empty } from "../ui/notice";
import { SlotsContext, useSlots } from "./colors";
import { isAtWork } from "./run-row";
import { SYSTEM_PREFIX } from "./summaries";

interface Props {
  run: Run;
  /** Those of the machine, or those of the training. */
  system: boolean;
}

export function RunCharts({ run, system }: Props): ReactNode {
  const keys = useMemo(
    () =>
      run.metrics
        .map(({ key }) => key)
        .filter((key) => key.startsWith(SYSTEM_PREFIX) === system)
        .toSorted((a, b) => a.localeCompare(b, "en", { numeric: true })),
    [run.metrics, system],
  );
  const { runId, runName, status } = run;
  const charted = useMemo(() => [{ runId, name: runName, isAtWork: isAtWork({ status }) }], [runId, runName, status]);
  const slots = useSlots(useMemo(() => [runId], [runId]));
  if (keys.length === 0) return <NoMetrics system={system} />;
  return (
    <div className="run-chart-area">
      <SlotsContext value={slots}>
        <ChartGrid runs={charted} keys={keys} />
      </SlotsContext>
    </div>
  );
}

function NoMetrics({ system }: { system: boolean }): ReactNode {
  return system ? (
    <Empty title="The machine was not measured">
      <p>A training measures it along with itself by</p>
      <pre>trackwire.start_run(log_system_metrics=True)</pre>
    </Empty>
  ) : (
    <Empty title="No metrics yet">
      <p>They are logged by</p>
      <pre>
        trackwire.log_metrics({"{"}&quot;loss&quot;: loss{"}"}, step)
      </pre>
    </Empty>
  );
}

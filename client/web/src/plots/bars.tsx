// How far each run came in one metric, the furthest first.

import { useMemo, type ReactNode } from "react";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { addressOf, useSetting } from "../router";
import { colorOf, slotsOf } from "../runs/colors";
import { Empty } from "../ui/notice";
import { useDark } from "../ui/theme";
import { dimensionsOf, wordsAt } from "./dimensions";
import { DimensionSelect } from "./dimension-select";
import "./plots.css";

export function BarPlot({ runs }: { runs: readonly Run[] }): ReactNode {
  const all = useMemo(() => dimensionsOf(runs).filter(({ words }) => words === null), [runs]);
  const [id, setId] = useSetting("bar", (all.find(({ kind }) => kind === "metric") ?? all[0])?.id);
  const dark = useDark();
  const slots = slotsOf(runs.map(({ runId }) => runId));
  const shown = all.find((dimension) => dimension.id === id);
  if (!shown) return <Empty title="These runs have no numbers" />;
  const bars = runs
    .map((run, at) => ({ run, value: shown.places[at] }))
    .toSorted((a, b) => (b.value ?? -Infinity) - (a.value ?? -Infinity));
  // Bars stand on zero, wherever the values lie.
  const low = Math.min(0, shown.low);
  const high = Math.max(0, shown.high);
  const share = (value: number): number => ((value - low) / (high - low || 1)) * 100;
  return (
    <div className="plot">
      <div className="line-of">
        <DimensionSelect label="Of" all={all} chosen={shown.id} onChoose={setId} />
      </div>
      <ol className="bars" aria-label={shown.title}>
        {bars.map(({ run, value }) => (
          <li key={run.runId}>
            <a className="clipped" href={addressOf(`/experiments/${run.experimentId}/runs/${run.runId}`)}>
              {run.runName}
            </a>
            <span className="bar-track">
              {value !== undefined && (
                <span
                  className="bar-fill"
                  style={{
                    left: `${Math.min(share(0), share(value))}%`,
                    width: `${Math.abs(share(value) - share(0))}%`,
                    background: colorOf(slots.get(run.runId) ?? 0, dark),
                  }}
                />
              )}
            </span>
            <span className="number">{wordsAt(shown, value)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

// How far each run came in one metric, the furthest first; only bars in sight are in the page.

import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, type ReactNode } from "react";
import { addressOf } from "../router";
import type { RunRow } from "../runs/columns";
import { Empty } from "../ui/notice";
import { useLogs, usePlotChoice } from "./choice";
import { useColoring } from "./coloring";
import { DimensionSelect } from "./dimension-select";
import { wordsAt, type Dimension } from "./dimensions";
import { Legend } from "./legend";
import "./plots.css";
import type { PlotProps } from "./scatter";
import { Unplotted } from "./unplotted";
import { useDimension } from "./use-dimensions";

const BAR_HEIGHT = 28;

export function BarPlot({ rows, names, defaults }: PlotProps): ReactNode {
  const choice = usePlotChoice(defaults);
  const { logs, toggle } = useLogs();
  const shown = useDimension(rows, names, choice.bar, logs);
  const by = useDimension(rows, names, choice.color, logs);
  return (
    <div className="plot">
      <div className="line-of wraps">
        <DimensionSelect label="Of" all={names} chosen={choice.bar} onChoose={choice.setBar} />
        <Legend
          names={names}
          by={by}
          onChoose={choice.setColor}
          isLog={logs.has(choice.color)}
          onLog={() => toggle(choice.color)}
        />
      </div>
      {!shown && <Unplotted names={names} ids={[choice.bar]} />}
      {shown?.words && <Empty title={`${shown.title} is no number`} />}
      {shown && !shown.words && <Bars rows={rows} shown={shown} by={by} />}
    </div>
  );
}

function Bars({ rows, shown, by }: { rows: readonly RunRow[]; shown: Dimension; by: Dimension | null }): ReactNode {
  const coloring = useColoring(rows, by);
  const order = useMemo(() => furthestFirst(shown.values), [shown]);
  const place = useRef<HTMLDivElement>(null);
  const bars = useVirtualizer({
    count: order.length,
    getScrollElement: () => place.current,
    estimateSize: () => BAR_HEIGHT,
    overscan: 10,
  });
  // Bars stand on zero, wherever the values lie.
  const [low, high] = useMemo(
    () => shown.values.reduce(([low, high], value) => [Math.min(low, value || 0), Math.max(high, value || 0)], [0, 0]),
    [shown],
  );
  const share = (value: number): number => ((value - low) / (high - low || 1)) * 100;
  return (
    // What scrolls is reached by keys.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="plot-scroll bar-scroll" ref={place} tabIndex={0} role="group" aria-label="Bars">
      <ol className="bars" aria-label={shown.title} style={{ height: bars.getTotalSize() }}>
        {bars.getVirtualItems().map(({ index, start }) => {
          const at = order[index] ?? 0;
          const run = rows[at]?.run;
          if (!run) return null;
          const value = shown.values[at] ?? NaN;
          const style = {
            left: `${Math.min(share(0), share(value))}%`,
            width: `${Math.abs(share(value) - share(0))}%`,
            background: coloring.of(at),
          };
          return (
            <li
              key={run.runId}
              aria-setsize={order.length}
              aria-posinset={index + 1}
              style={{ height: BAR_HEIGHT, transform: `translateY(${start}px)` }}
            >
              <a className="clipped" href={addressOf(`/experiments/${run.experimentId}/runs/${run.runId}`)}>
                {run.runName}
              </a>
              <span className="bar-track">{!Number.isNaN(value) && <span className="bar-fill" style={style} />}</span>
              <span className="number">{wordsAt(shown, at)}</span>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function furthestFirst(values: Float64Array): number[] {
  const of = (at: number): number => {
    const value = values[at] ?? NaN;
    return Number.isNaN(value) ? -Infinity : value;
  };
  // Those without come last; two that are both without stay as they are.
  return [...values.keys()].toSorted((a, b) => (of(a) === of(b) ? 0 : of(b) - of(a)));
}

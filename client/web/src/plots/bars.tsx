// How far each run came in one metric, the furthest first; only bars in sight are in the page.

import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, type ReactNode } from "react";
import { addressOf } from "../router";
import type { RunRow } from "../runs/run-row";
import { Empty } from "../ui/notice";
import type { Drawing } from "../ui/picture";
import { useLogs, usePlotChoice } from "./choice";
import { drawingOf, lengthsOf, type Lengths } from "./bar-lengths";
import { useColoring, type Coloring } from "./coloring";
import { DimensionSelect } from "./dimension-select";
import { wordsAt, type Dimension } from "./dimensions";
import { Legend } from "./legend";
import "./plots.css";
import type { PlotProps } from "./scatter";
import { PictureButton } from "./picture";
import { Unplotted } from "./unplotted";
import { useDimension } from "./use-dimensions";

const BAR_HEIGHT = 28;

export function BarPlot({ rows, names, defaults }: PlotProps): ReactNode {
  const choice = usePlotChoice(defaults);
  const { logs, toggle } = useLogs();
  const shown = useDimension(rows, names, choice.bar, logs);
  const by = useDimension(rows, names, choice.color, logs);
  const coloring = useColoring(rows, by);
  const lengths = useMemo(() => (shown && !shown.words ? lengthsOf(shown) : null), [shown]);
  const drawingIn = (plot: Element): Drawing | null =>
    shown && lengths && drawingOf(rows, shown, lengths, coloring, plot.clientWidth);
  return (
    <div className="plot">
      <div className="line-of wraps">
        <DimensionSelect label="Of" all={names} chosen={choice.bar} onChoose={choice.setBar} />
        <Legend
          names={names}
          coloring={coloring}
          isNamed
          onChoose={choice.setColor}
          isLog={logs.has(choice.color)}
          onLog={() => toggle(choice.color)}
        />
        {shown && lengths && <PictureButton title={shown.title} coloring={coloring} isNamed drawingIn={drawingIn} />}
      </div>
      {!shown && <Unplotted names={names} ids={[choice.bar]} />}
      {shown?.words && <Empty title={`${shown.title} is no number`} />}
      {shown && lengths && <Bars {...{ rows, shown, lengths, coloring }} />}
    </div>
  );
}

interface BarsProps {
  rows: readonly RunRow[];
  shown: Dimension;
  lengths: Lengths;
  coloring: Coloring;
}

function Bars({ rows, shown, lengths, coloring }: BarsProps): ReactNode {
  const { order, spanOf } = lengths;
  const place = useRef<HTMLDivElement>(null);
  const bars = useVirtualizer({
    count: order.length,
    getScrollElement: () => place.current,
    estimateSize: () => BAR_HEIGHT,
    overscan: 10,
  });
  return (
    // What scrolls is reached by keys.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="plot-scroll bar-scroll" ref={place} tabIndex={0} role="group" aria-label="Bars">
      <ol className="bars" aria-label={shown.title} style={{ height: bars.getTotalSize() }}>
        {bars.getVirtualItems().map(({ index, start }) => {
          const at = order[index] ?? 0;
          const run = rows[at];
          if (!run) return null;
          const span = spanOf(at);
          const style = span && {
            left: `${span[0] * 100}%`,
            width: `${(span[1] - span[0]) * 100}%`,
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
              <span className="bar-track">{style && <span className="bar-fill" style={style} />}</span>
              <span className="number">{wordsAt(shown, at)}</span>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

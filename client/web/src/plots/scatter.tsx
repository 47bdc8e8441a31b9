// A point for each run, by two of what it was given and what it reached.

import { useMemo, useRef, type ReactNode } from "react";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { addressOf, useSetting } from "../router";
import { colorOf, slotsOf } from "../runs/colors";
import { Empty } from "../ui/notice";
import { useDark } from "../ui/theme";
import { useWidth } from "../ui/use-width";
import { dimensionsOf, shareOf, varies, wordsAt, type Dimension } from "./dimensions";
import { DimensionSelect } from "./dimension-select";
import "./plots.css";

const HEIGHT = 460;
const LEFT = 84;
const BOTTOM = 44;
const MARGIN = 24;
const TICKS = 5;

export function ScatterPlot({ runs }: { runs: readonly Run[] }): ReactNode {
  const all = useMemo(() => dimensionsOf(runs), [runs]);
  const useful = all.filter(varies);
  const [xId, setX] = useSetting("px", (useful.find(({ kind }) => kind === "param") ?? all[0])?.id);
  const [yId, setY] = useSetting("py", (useful.findLast(({ kind }) => kind === "metric") ?? all.at(-1))?.id);
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const dark = useDark();
  const slots = slotsOf(runs.map(({ runId }) => runId));
  const x = all.find(({ id }) => id === xId);
  const y = all.find(({ id }) => id === yId);
  if (!x || !y) return <Empty title="These runs have neither params nor metrics" />;
  const leftOf = (at: number): number => LEFT + shareOf(x, at) * (width - LEFT - MARGIN);
  const topOf = (at: number): number => MARGIN + (1 - shareOf(y, at)) * (HEIGHT - MARGIN - BOTTOM);
  return (
    <div className="plot">
      <div className="line-of wraps">
        <DimensionSelect label="Across" all={all} chosen={x.id} onChoose={setX} />
        <DimensionSelect label="Up" all={all} chosen={y.id} onChoose={setY} />
      </div>
      <div className="plot-scroll" ref={place}>
        <svg width={width} height={HEIGHT} role="group" aria-label={`${y.title} by ${x.title}`}>
          {ticks(x).map((at) => (
            <g key={at} transform={`translate(${leftOf(at)} 0)`}>
              <line className="grid" y1={MARGIN} y2={HEIGHT - BOTTOM} />
              <text className="axis-tick" y={HEIGHT - BOTTOM + 18} textAnchor="middle">
                {wordsAt(x, at)}
              </text>
            </g>
          ))}
          {ticks(y).map((at) => (
            <g key={at} transform={`translate(0 ${topOf(at)})`}>
              <line className="grid" x1={LEFT} x2={width - MARGIN} />
              <text className="axis-tick" x={LEFT - 8} y={4} textAnchor="end">
                {wordsAt(y, at)}
              </text>
            </g>
          ))}
          <text className="axis-title" x={LEFT + (width - LEFT - MARGIN) / 2} y={HEIGHT - 6} textAnchor="middle">
            {x.title}
          </text>
          {runs.map((run, at) => {
            const across = x.places[at];
            const up = y.places[at];
            if (across === undefined || up === undefined) return null;
            return (
              <a key={run.runId} href={addressOf(`/experiments/${run.experimentId}/runs/${run.runId}`)}>
                <circle cx={leftOf(across)} cy={topOf(up)} r={6} fill={colorOf(slots.get(run.runId) ?? 0, dark)}>
                  <title>{`${run.runName}\n${x.title}: ${wordsAt(x, across)}\n${y.title}: ${wordsAt(y, up)}`}</title>
                </circle>
              </a>
            );
          })}
        </svg>
      </div>
    </div>
  );
}

function ticks({ words, low, high }: Dimension): number[] {
  if (words) return words.map((_word, at) => at);
  return Array.from({ length: TICKS }, (_, at) => low + ((high - low) * at) / (TICKS - 1));
}

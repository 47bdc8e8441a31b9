// A point for each run, by two of what it was given and what it reached.

import { useMemo, useRef, type ReactNode } from "react";
import { formatCount } from "../format";
import type { RunRow } from "../runs/run-row";
import { useHeight } from "../ui/use-height";
import { useWidth } from "../ui/use-width";
import { useLogs, usePlotChoice, type PlotDefaults } from "./choice";
import { colorLine, useColoring, type Coloring } from "./coloring";
import { DimensionSelect } from "./dimension-select";
import { spanOf, wordsAt, type Dimension, type DimensionName } from "./dimensions";
import { Legend } from "./legend";
import { LogToggle } from "./log-toggle";
import { marksIn, PictureButton } from "./picture";
import { PlotArea } from "./plot-area";
import "./plots.css";
import { shortened } from "./ticks";
import { LeftOut } from "./left-out";
import { Unplotted } from "./unplotted";
import { useDimension } from "./use-dimensions";

export interface PlotProps {
  rows: readonly RunRow[];
  /** All that there is to choose from. */
  names: readonly DimensionName[];
  defaults: PlotDefaults;
}

const HEIGHT_MIN = 380;
const LEFT_MIN = 84;
const LETTER_WIDTH = 6.4;
const WORDS = 12;
const BOTTOM = 44;
const MARGIN = 20;
const REACH = 24;
// Points are smaller where there are many.
const RADII: readonly [runs: number, radius: number][] = [
  [200, 6],
  [1_000, 4],
  [Infinity, 2.8],
];

export function ScatterPlot({ rows, names, defaults }: PlotProps): ReactNode {
  const choice = usePlotChoice(defaults);
  const { logs, toggle } = useLogs();
  const x = useDimension(rows, names, choice.across, logs);
  const y = useDimension(rows, names, choice.up, logs);
  const by = useDimension(rows, names, choice.color, logs);
  const coloring = useColoring(rows, by);
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const height = Math.max(HEIGHT_MIN, useHeight(place));
  return (
    <div className="plot">
      <div className="line-of wraps">
        <DimensionSelect label="Across" all={names} chosen={choice.across} onChoose={choice.setAcross} />
        {x && <LogToggle dimension={x} isLog={logs.has(x.id)} onToggle={() => toggle(x.id)} />}
        <DimensionSelect label="Up" all={names} chosen={choice.up} onChoose={choice.setUp} />
        {y && <LogToggle dimension={y} isLog={logs.has(y.id)} onToggle={() => toggle(y.id)} />}
        <Legend
          names={names}
          coloring={coloring}
          onChoose={choice.setColor}
          isLog={logs.has(choice.color)}
          onLog={() => toggle(choice.color)}
        />
        {x && y && <PictureButton title={titleOf(x, y)} coloring={coloring} drawingIn={marksIn} />}
      </div>
      {x && y && <LeftOut dimensions={[x, y]} runs={rows.length} />}
      <div className="plot-scroll" ref={place}>
        {x && y ? (
          width > 0 && <Points {...{ rows, x, y, coloring, width, height }} />
        ) : (
          <Unplotted names={names} ids={[choice.across, choice.up]} />
        )}
      </div>
    </div>
  );
}

interface PointsProps {
  rows: readonly RunRow[];
  x: Dimension;
  y: Dimension;
  coloring: Coloring;
  width: number;
  height: number;
}

function Points({ rows, x, y, coloring, width, height }: PointsProps): ReactNode {
  const places = useMemo(() => placesOf(x, y, width, height), [x, y, width, height]);
  const radius = RADII.find(([runs]) => rows.length <= runs)?.[1] ?? 2;
  const painting = useMemo(() => {
    const { lefts, tops, order } = places;
    const draw = (context: CanvasRenderingContext2D, at: number): void => {
      context.globalAlpha = 0.8;
      context.fillStyle = coloring.of(at);
      context.beginPath();
      context.arc(lefts[at] ?? 0, tops[at] ?? 0, radius, 0, 2 * Math.PI);
      context.fill();
    };
    return { width, height, order, draw };
  }, [places, coloring, radius, width, height]);
  const markOf = (at: number) => ({ left: places.lefts[at] ?? NaN, top: places.tops[at] ?? NaN });
  return (
    <PlotArea
      label={titleOf(x, y)}
      picture={`${formatCount(places.order.length, "run")} as points: ${spanOf(x)}, ${spanOf(y)}`}
      rows={rows}
      painting={painting}
      walk={places.order}
      nearest={(left, top) => nearestTo(places, left, top)}
      markOf={markOf}
      linesOf={(at) => [...lineOf(x, at), ...lineOf(y, at), ...colorLine(coloring, at)]}
      under={<Axes {...{ x, y, width, height }} />}
      renderOver={(pointed) =>
        pointed >= 0 && (
          <circle
            className="pointed-mark"
            cx={markOf(pointed).left}
            cy={markOf(pointed).top}
            r={radius + 3}
            fill={coloring.of(pointed)}
          />
        )
      }
    />
  );
}

function titleOf(x: Dimension, y: Dimension): string {
  return `${y.title} by ${x.title}`;
}

function lineOf(dimension: Dimension, at: number): string[] {
  return [`${dimension.title}: ${wordsAt(dimension, at)}`];
}

interface Places {
  readonly lefts: Float64Array;
  readonly tops: Float64Array;
  /** Of the runs that have a place, from left to right. */
  readonly order: readonly number[];
}

/** Where the plot begins: numbers up its side have room for all their digits. */
function beginOf({ words, ticks }: Dimension): number {
  const letters = words ? 0 : Math.max(0, ...ticks.map((tick) => tick.words.length));
  return Math.max(LEFT_MIN, Math.ceil(letters * LETTER_WIDTH) + 16);
}

function placesOf(x: Dimension, y: Dimension, width: number, height: number): Places {
  const begin = beginOf(y);
  const lefts = x.shares.map((share) => begin + share * (width - begin - MARGIN));
  const tops = y.shares.map((share) => MARGIN + (1 - share) * (height - MARGIN - BOTTOM));
  const order: number[] = [];
  for (let at = 0; at < lefts.length; at += 1) {
    if (!Number.isNaN(lefts[at]) && !Number.isNaN(tops[at])) order.push(at);
  }
  return { lefts, tops, order: order.toSorted((a, b) => (lefts[a] ?? 0) - (lefts[b] ?? 0)) };
}

function nearestTo({ lefts, tops, order }: Places, left: number, top: number): number {
  let nearest = -1;
  let least = REACH * REACH;
  for (const at of order) {
    const distance = ((lefts[at] ?? NaN) - left) ** 2 + ((tops[at] ?? NaN) - top) ** 2;
    if (distance < least) {
      least = distance;
      nearest = at;
    }
  }
  return nearest;
}

function Axes({ x, y, width, height }: Omit<PointsProps, "rows" | "coloring">): ReactNode {
  const begin = beginOf(y);
  return (
    <>
      {x.ticks.map(({ share, words }) => (
        <g key={share} transform={`translate(${begin + share * (width - begin - MARGIN)} 0)`}>
          <line className="grid" y1={MARGIN} y2={height - BOTTOM} />
          <text className="axis-tick" y={height - BOTTOM + 18} textAnchor="middle">
            {words}
          </text>
        </g>
      ))}
      {y.ticks.map(({ share, words }) => (
        <g key={share} transform={`translate(0 ${MARGIN + (1 - share) * (height - MARGIN - BOTTOM)})`}>
          <line className="grid" x1={begin} x2={width - MARGIN} />
          <text className="axis-tick" x={begin - 8} y={4} textAnchor="end">
            {y.words ? shortened(words, WORDS) : words}
          </text>
        </g>
      ))}
      <text className="axis-title" x={begin + (width - begin - MARGIN) / 2} y={height - 6} textAnchor="middle">
        {x.title}
      </text>
    </>
  );
}

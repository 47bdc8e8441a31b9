// Runs as lines through what they were given and what they reached; a drag along an axis keeps those that pass there.

import { useMemo, useRef, useState, type ReactNode } from "react";
import { formatCount } from "../format";
import type { RunRow } from "../runs/run-row";
import { Icon } from "../ui/icon";
import { useHeight } from "../ui/use-height";
import { useWidth } from "../ui/use-width";
import { Axis } from "./axis";
import { AxisChooser } from "./axis-chooser";
import { useLogs, usePlotChoice } from "./choice";
import { useColoring, type Coloring } from "./coloring";
import { spanOf, wordsAt, type Dimension } from "./dimensions";
import { LeftOut } from "./left-out";
import { Legend } from "./legend";
import { keptOf, useKept, withRange, type Kept, type Range } from "./kept";
import { leftsOf, nearestLine, pathOf, PLOT, topOf, type Places } from "./lines";
import { marksIn, PictureButton } from "./picture";
import { PlotArea } from "./plot-area";
import "./plots.css";
import { Ranges } from "./ranges";
import type { PlotProps } from "./scatter";
import { Unplotted } from "./unplotted";
import { useDimension, useDimensions } from "./use-dimensions";

// So many lines are told apart only where they are thin.
const MANY = 300;
const OPACITY_MIN = 0.12;
const OPACITY_MAX = 0.9;
// Those that are not kept are a grey ground; less of any colour would be another one.
const LEFT = "#8b94a3";
const OPACITY_LEFT = 0.2;

export function ParallelPlot({ rows, names, defaults }: PlotProps): ReactNode {
  const choice = usePlotChoice(defaults);
  const { logs, toggle } = useLogs();
  const axes = useDimensions(rows, names, choice.axes, logs);
  const by = useDimension(rows, names, choice.color, logs);
  const coloring = useColoring(rows, by);
  const [settled, setKept] = useKept();
  // What is dragged is in the address once it is over: browsers don't let that change often.
  const [dragged, setDragged] = useState<Kept | null>(null);
  const ranges = dragged ?? settled;
  const kept = useMemo(() => keptOf(axes, ranges, rows.length), [axes, ranges, rows.length]);
  const place = useRef<HTMLDivElement>(null);
  const width = Math.max(useWidth(place), PLOT.side * 2 + (axes.length - 1) * PLOT.axisWidth);
  const height = Math.max(PLOT.heightMin, useHeight(place));
  const isKeeping = axes.some(({ id }) => ranges.has(id));
  return (
    <div className="plot">
      <div className="line-of wraps">
        <AxisChooser all={names} axes={axes} ids={choice.axes} onChoose={choice.setAxes} logs={logs} onLog={toggle} />
        <Legend
          names={names}
          coloring={coloring}
          onChoose={choice.setColor}
          isLog={logs.has(choice.color)}
          onLog={() => toggle(choice.color)}
        />
        <Ranges axes={axes} kept={ranges} onKeep={(id, range) => setKept(withRange(settled, id, range))} />
        {isKeeping && (
          <button className="button" onClick={() => setKept(new Map())}>
            <Icon name="reset" size={14} /> Keep all
          </button>
        )}
        {axes.length > 0 && <PictureButton title="Parallel coordinates" coloring={coloring} drawingIn={marksIn} />}
        <output className="soft">
          {kept.count.toLocaleString("en")} of {formatCount(rows.length, "run")}
        </output>
      </div>
      <LeftOut dimensions={axes.filter(({ isLog }) => isLog)} runs={rows.length} />
      <div className="plot-scroll" ref={place}>
        {axes.length === 0 && <Unplotted names={names} ids={choice.axes} />}
        {axes.length > 0 && width > 0 && (
          <Lines
            {...{ rows, axes, coloring, width, height, ranges, isKept: kept.isKept }}
            onKeep={(id, range, isOver) => {
              const next = withRange(settled, id, range);
              setDragged(isOver ? null : next);
              if (isOver) setKept(next);
            }}
          />
        )}
      </div>
    </div>
  );
}

interface LinesProps {
  rows: readonly RunRow[];
  axes: readonly Dimension[];
  coloring: Coloring;
  width: number;
  height: number;
  ranges: Kept;
  isKept: Uint8Array;
  onKeep: (id: string, range: Range | null, isOver: boolean) => void;
}

function Lines({ rows, axes, coloring, width, height, ranges, isKept, onKeep }: LinesProps): ReactNode {
  const places = useMemo(() => ({ lefts: leftsOf(axes.length, width), height }), [axes.length, width, height]);
  const painting = useMemo(
    () => ({
      width,
      height: places.height,
      // Those that are kept lie over the others.
      order: rows.map((_row, at) => at).toSorted((a, b) => (isKept[a] ?? 0) - (isKept[b] ?? 0)),
      draw: drawing(axes, places, coloring, isKept),
    }),
    [rows, axes, places, coloring, isKept, width],
  );
  const walk = useMemo(() => walkOf(axes, isKept), [axes, isKept]);
  const markOf = (at: number) => {
    const last = axes.findLastIndex(({ shares }) => !Number.isNaN(shares[at]));
    return { left: places.lefts[last] ?? 0, top: topOf(axes[last]?.shares[at] ?? 0, height) };
  };
  return (
    <PlotArea
      label="Parallel coordinates"
      picture={`Parallel coordinates of the runs: ${axes.map(spanOf).join(", ")}`}
      rows={rows}
      painting={painting}
      walk={walk}
      nearest={(left, top) => nearestLine(axes, places, isKept, left, top)}
      markOf={markOf}
      tellsAtPointer
      linesOf={(at) => axes.map((axis) => `${axis.title}: ${wordsAt(axis, at)}`)}
      renderOver={(pointed) => (
        <>
          {pointed >= 0 && <PointedLine path={pathOf(axes, places, pointed)} color={coloring.of(pointed)} />}
          {axes.map((axis, at) => (
            <Axis
              key={axis.id}
              dimension={axis}
              left={places.lefts[at] ?? 0}
              height={height}
              kept={ranges.get(axis.id)}
              onKeep={(range, isOver) => onKeep(axis.id, range, isOver)}
            />
          ))}
        </>
      )}
    />
  );
}

function PointedLine({ path, color }: { path: string; color: string }): ReactNode {
  return (
    <>
      <path className="pointed-line rim" d={path} />
      <path className="pointed-line" d={path} stroke={color} />
    </>
  );
}

function drawing(axes: readonly Dimension[], { lefts, height }: Places, coloring: Coloring, isKept: Uint8Array) {
  const areMany = isKept.length > MANY;
  const opacity = Math.max(OPACITY_MIN, Math.min(OPACITY_MAX, (OPACITY_MAX * MANY) / isKept.length));
  return (context: CanvasRenderingContext2D, at: number): void => {
    context.strokeStyle = isKept[at] ? coloring.of(at) : LEFT;
    context.globalAlpha = isKept[at] ? opacity : opacity * OPACITY_LEFT;
    context.lineWidth = areMany ? 1 : 1.8;
    context.beginPath();
    let isDrawing = false;
    for (const [axis, { shares }] of axes.entries()) {
      const share = shares[at] ?? NaN;
      const isThere = !Number.isNaN(share);
      if (isThere && isDrawing) context.lineTo(lefts[axis] ?? 0, topOf(share, height));
      else if (isThere) context.moveTo(lefts[axis] ?? 0, topOf(share, height));
      isDrawing = isThere;
    }
    context.stroke();
  };
}

/** The runs that are kept, by how far they are up the last axis. */
function walkOf(axes: readonly Dimension[], isKept: Uint8Array): number[] {
  const shares = axes.at(-1)?.shares;
  const kept = [...isKept.keys()].filter((at) => isKept[at]);
  const placeOf = (at: number): number => {
    const share = shares?.[at] ?? NaN;
    return Number.isNaN(share) ? -1 : share;
  };
  return kept.toSorted((a, b) => placeOf(b) - placeOf(a));
}

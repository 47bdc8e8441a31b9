// Runs as lines through what they were given and what they reached; a drag along an axis keeps those that pass there.

import { useMemo, useRef, useState, type PointerEvent, type ReactNode } from "react";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { addressOf, go, useSetting } from "../router";
import { colorOf, slotsOf } from "../runs/colors";
import { Icon } from "../ui/icon";
import { Empty } from "../ui/notice";
import { Popover } from "../ui/popover";
import { useDark } from "../ui/theme";
import { useWidth } from "../ui/use-width";
import { dimensionsOf, shareOf, varies, wordsAt, type Dimension } from "./dimensions";
import "./plots.css";

const TOP = 56;
const HEIGHT = 420;
const SIDE = 70;
const AXES = 6;
const AXIS_WIDTH = 110;

/** Shares of an axis, from its lower end. */
type Kept = ReadonlyMap<string, readonly [low: number, high: number]>;

export function ParallelPlot({ runs }: { runs: readonly Run[] }): ReactNode {
  const all = useMemo(() => dimensionsOf(runs), [runs]);
  const [text, setText] = useSetting("axes");
  const chosen = useMemo(() => axesOf(all, text), [all, text]);
  const [kept, setKept] = useState<Kept>(new Map());
  const [pointed, setPointed] = useState<string | null>(null);
  const place = useRef<HTMLDivElement>(null);
  const width = Math.max(useWidth(place), SIDE * 2 + (chosen.length - 1) * AXIS_WIDTH);
  const dark = useDark();
  const slots = slotsOf(runs.map(({ runId }) => runId));
  const leftOf = (at: number): number => SIDE + (at * (width - 2 * SIDE)) / Math.max(1, chosen.length - 1);
  const ordered = runs
    .map((run, at) => ({ run, at }))
    .toSorted((a, b) => Number(a.run.runId === pointed) - Number(b.run.runId === pointed));
  if (all.length === 0) return <Empty title="These runs have neither params nor metrics" />;
  return (
    <div className="plot">
      <div className="line-of">
        <AxisChooser all={all} chosen={chosen} onChoose={(ids) => setText(ids.join("~"))} />
        {kept.size > 0 && (
          <button className="button" onClick={() => setKept(new Map())}>
            <Icon name="reset" size={14} /> Keep all
          </button>
        )}
        <output className="soft">
          {runs.filter((_run, at) => passes(chosen, kept, at)).length} of {runs.length} runs
        </output>
      </div>
      <div className="plot-scroll" ref={place}>
        <svg width={width} height={TOP + HEIGHT + 24} role="img" aria-label="Parallel coordinates of the runs">
          <g fill="none">
            {ordered.map(({ run, at }) => (
              <path
                key={run.runId}
                className="parallel-line"
                d={pathOf(chosen, at, leftOf)}
                stroke={colorOf(slots.get(run.runId) ?? 0, dark)}
                strokeWidth={run.runId === pointed ? 3.5 : 1.8}
                opacity={passes(chosen, kept, at) ? (pointed && run.runId !== pointed ? 0.3 : 0.9) : 0.07}
                onPointerEnter={() => setPointed(run.runId)}
                onPointerLeave={() => setPointed(null)}
                onClick={() => go(addressOf(`/experiments/${run.experimentId}/runs/${run.runId}`))}
              >
                <title>{run.runName}</title>
              </path>
            ))}
          </g>
          {chosen.map((dimension, at) => (
            <Axis
              key={dimension.id}
              dimension={dimension}
              left={leftOf(at)}
              kept={kept.get(dimension.id)}
              onKeep={(range) => {
                const next = new Map(kept);
                if (range) next.set(dimension.id, range);
                else next.delete(dimension.id);
                setKept(next);
              }}
            />
          ))}
        </svg>
      </div>
    </div>
  );
}

/** Those that are named; else what differs between the runs, metrics last. */
function axesOf(all: readonly Dimension[], text: string): Dimension[] {
  const named = text
    .split("~")
    .map((id) => all.find((dimension) => dimension.id === id))
    .filter((dimension) => dimension !== undefined);
  if (named.length > 0) return named;
  const useful = all.filter((dimension) => varies(dimension) && !dimension.title.startsWith("system/"));
  const params = useful.filter(({ kind }) => kind === "param").slice(0, AXES - 2);
  const metrics = useful.filter(({ kind }) => kind === "metric").slice(0, AXES - params.length);
  const found = [...params, ...metrics];
  return found.length > 0 ? found : all.slice(0, AXES);
}

function topOf(dimension: Dimension, place: number): number {
  return TOP + HEIGHT * (1 - shareOf(dimension, place));
}

/** A run that has no value there has no line there. */
function pathOf(axes: readonly Dimension[], at: number, leftOf: (axis: number) => number): string {
  let isDrawing = false;
  return axes
    .map((dimension, axis) => {
      const place = dimension.places[at];
      if (place === undefined) {
        isDrawing = false;
        return "";
      }
      const step = `${isDrawing ? "L" : "M"}${leftOf(axis).toFixed(1)} ${topOf(dimension, place).toFixed(1)}`;
      isDrawing = true;
      return step;
    })
    .join("");
}

function passes(axes: readonly Dimension[], kept: Kept, at: number): boolean {
  return axes.every((dimension) => {
    const range = kept.get(dimension.id);
    if (!range) return true;
    const place = dimension.places[at];
    if (place === undefined) return false;
    const share = shareOf(dimension, place);
    return share >= range[0] && share <= range[1];
  });
}

interface AxisProps {
  dimension: Dimension;
  left: number;
  kept: readonly [number, number] | undefined;
  onKeep: (range: readonly [number, number] | null) => void;
}

function Axis({ dimension, left, kept, onKeep }: AxisProps): ReactNode {
  const start = useRef<number | null>(null);
  const shareAt = (event: PointerEvent<SVGRectElement>): number => {
    const top = event.clientY - (event.currentTarget.ownerSVGElement?.getBoundingClientRect().top ?? 0);
    return Math.max(0, Math.min(1, 1 - (top - TOP) / HEIGHT));
  };
  return (
    <g transform={`translate(${left} 0)`}>
      <text className="axis-title" y={TOP - 26} textAnchor="middle">
        <title>{dimension.title}</title>
        {dimension.title.length > 18 ? `${dimension.title.slice(0, 17)}…` : dimension.title}
      </text>
      <line className="axis" y1={TOP} y2={TOP + HEIGHT} />
      {ticksOf(dimension).map((place) => (
        <text key={place} className="axis-tick" x={6} y={topOf(dimension, place) + 4}>
          {wordsAt(dimension, place)}
        </text>
      ))}
      {kept && (
        <rect
          className="kept"
          x={-7}
          width={14}
          y={TOP + HEIGHT * (1 - kept[1])}
          height={HEIGHT * (kept[1] - kept[0])}
        />
      )}
      <rect
        className="brush"
        x={-12}
        width={24}
        y={TOP - 8}
        height={HEIGHT + 16}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          start.current = shareAt(event);
        }}
        onPointerMove={(event) => {
          if (start.current === null) return;
          const share = shareAt(event);
          onKeep([Math.min(start.current, share), Math.max(start.current, share)]);
        }}
        onPointerUp={(event) => {
          if (start.current !== null && Math.abs(shareAt(event) - start.current) < 0.01) onKeep(null);
          start.current = null;
        }}
      />
    </g>
  );
}

const TICKS = 5;

function ticksOf({ words, low, high }: Dimension): number[] {
  if (words) {
    const every = Math.ceil(words.length / 14);
    return words.map((_word, at) => at).filter((at) => at % every === 0);
  }
  return Array.from({ length: TICKS }, (_, at) => low + ((high - low) * at) / (TICKS - 1));
}

interface ChooserProps {
  all: readonly Dimension[];
  chosen: readonly Dimension[];
  onChoose: (ids: readonly string[]) => void;
}

function AxisChooser({ all, chosen, onChoose }: ChooserProps): ReactNode {
  const ids = chosen.map(({ id }) => id);
  return (
    <Popover
      label={
        <>
          <Icon name="columns" /> Axes
        </>
      }
    >
      <div className="axis-chooser">
        {all.map((dimension) => (
          <label key={dimension.id}>
            <input
              type="checkbox"
              checked={ids.includes(dimension.id)}
              onChange={(event) =>
                onChoose(event.target.checked ? [...ids, dimension.id] : ids.filter((id) => id !== dimension.id))
              }
            />
            <span className="clipped">{dimension.title}</span> <span className="soft">{dimension.kind}</span>
          </label>
        ))}
      </div>
    </Popover>
  );
}

// What a chart shows of its series: along which axis, smoothed, and how far up and down.

import type { Series } from "./series";

export type XAxis = "step" | "time" | "relative";

export interface ChartSettings {
  readonly x: XAxis;
  /** From 0, as it is, to less than 1. */
  readonly smoothing: number;
  readonly logX: boolean;
  readonly logY: boolean;
  /** Leaves out of sight what few values reach. */
  readonly clip: boolean;
  readonly ranks: "lines" | "band";
}

/** A line: x in steps or in seconds, y as logged and, where asked for, smoothed; `low` and `high` of a band of ranks. */
export interface Line {
  readonly id: string;
  readonly runId: string;
  readonly rank: number | undefined;
  readonly about: string;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly smooth: Float64Array | null;
  readonly band: { readonly low: Float64Array; readonly high: Float64Array } | null;
}

/** What a line is called and painted in. */
export interface Look {
  readonly color: string;
  readonly name: string;
}

export type Range = readonly [from: number, to: number];

// Points per width of a chart for which a smoothing weight is meant, whatever the real number: as W&B's time-weighted
// moving average has it.
const SMOOTHING_POINTS = 1000;

export function linesOf(series: readonly Series[], settings: ChartSettings): Line[] {
  const plain = settings.ranks === "band" ? banded(series, settings.x) : series.map((each) => lineOf(each, settings.x));
  if (settings.smoothing <= 0) return plain;
  const [from, to] = extent(plain.map((line) => line.x));
  return plain.map((line) => ({ ...line, smooth: smoothed(line.x, line.y, settings.smoothing, to - from) }));
}

function lineOf(series: Series, axis: XAxis): Line {
  return {
    id: series.id,
    runId: series.runId,
    rank: series.rank,
    about: series.about,
    x: xOf(series, axis),
    y: series.values.subarray(0, series.length),
    smooth: null,
    band: null,
  };
}

function xOf(series: Series, axis: XAxis): Float64Array {
  if (axis === "step") return series.steps.subarray(0, series.length);
  const times = series.times.subarray(0, series.length);
  const start = axis === "time" ? 0 : times.reduce((least, time) => Math.min(least, time), Infinity);
  return times.map((time) => (time - start) / 1000);
}

/** One line for all ranks of a run: their mean, and between what they lie. */
function banded(series: readonly Series[], axis: XAxis): Line[] {
  const groups = Map.groupBy(series, (each) => `${each.runId}\u0000${each.about}`);
  return [...groups.values()].map((ranks) => {
    const first = lineOf(ranks[0] as Series, axis);
    return ranks.length === 1
      ? first
      : { ...first, rank: undefined, ...meanOf(ranks.map((each) => lineOf(each, axis))) };
  });
}

function meanOf(ranks: readonly Line[]): Pick<Line, "x" | "y" | "band"> {
  const at = new Map<number, number[]>();
  for (const { x, y } of ranks) {
    for (const [index, place] of x.entries()) {
      const value = y[index] ?? NaN;
      if (Number.isNaN(value)) continue;
      const values = at.get(place);
      if (values) values.push(value);
      else at.set(place, [value]);
    }
  }
  const x = Float64Array.from(at.keys()).toSorted();
  const each = (of: (values: number[]) => number): Float64Array => x.map((place) => of(at.get(place) ?? []));
  return {
    x,
    y: each((values) => values.reduce((sum, value) => sum + value, 0) / values.length),
    band: { low: each((values) => Math.min(...values)), high: each((values) => Math.max(...values)) },
  };
}

/** An exponential moving average that weighs by distance, so that thinned lines are as smooth as whole ones. */
export function smoothed(x: Float64Array, y: Float64Array, weight: number, width: number): Float64Array {
  const result = new Float64Array(y.length);
  let sum = 0;
  let norm = 0;
  let before = x[0] ?? 0;
  for (let at = 0; at < y.length; at += 1) {
    const value = y[at] ?? NaN;
    if (Number.isFinite(value)) {
      const distance = width > 0 ? (((x[at] ?? 0) - before) / width) * SMOOTHING_POINTS : 1;
      const kept = weight ** Math.max(distance, 1e-9);
      sum = sum * kept + value * (1 - weight);
      norm = norm * kept + (1 - weight);
      before = x[at] ?? 0;
    }
    result[at] = norm > 0 ? sum / norm : NaN;
  }
  return result;
}

/** The smallest and the largest of what can be drawn. */
export function extent(columns: Iterable<Float64Array>): [number, number] {
  const [low, high] = bounds(columns, false);
  return low <= high ? [low, high] : [0, 1];
}

/** The smallest and the largest of the values that can be drawn; `[Infinity, -Infinity]` where there are none. */
function bounds(columns: Iterable<Float64Array>, onlyPositive: boolean): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const column of columns) {
    for (const value of column) {
      if (!isShown(value, onlyPositive)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return [low, high];
}

function isShown(value: number, onlyPositive: boolean): boolean {
  return Number.isFinite(value) && (value > 0 || !onlyPositive);
}

const CLIPPED_SHARE = 0.02;
const ROOM = 0.05;

/** From where to where a chart goes, of all or of a stretch that is zoomed. */
export function rangesOf(lines: readonly Line[], settings: ChartSettings, zoom: Range | null): { x: Range; y: Range } {
  const x = zoom ? shownOf(zoom, settings) : wholeOf(lines, settings);
  return { x, y: yRange(lines, x, settings) };
}

/** From where to where lines go along x. */
export function wholeOf(lines: readonly Line[], settings: ChartSettings): Range {
  const [from, to] = extent(lines.map((line) => line.x));
  return shownOf(from === to ? [from - 1, to + 1] : [from, to], settings);
}

/** What of a stretch the axis can show: a logarithmic one only what is positive. */
function shownOf([from, to]: Range, { logX }: ChartSettings): Range {
  if (!logX) return [from, to];
  const start = Math.max(from, 1);
  return [start, Math.max(to, start * 1.01)];
}

/** From where to where y goes for the points within `[from, to]`. */
function yRange(lines: readonly Line[], [from, to]: Range, settings: ChartSettings): [number, number] {
  const columns = lines.flatMap((line) => {
    const start = firstFrom(line.x, from);
    const end = lastUpTo(line.x, to);
    const raw = line.band ? [line.band.low, line.band.high] : [line.y];
    const shown = settings.smoothing > 0.9 && line.smooth ? [line.smooth, ...raw] : raw;
    return shown.map((column) => column.subarray(start, end));
  });
  const [low, high] = settings.clip ? clippedBounds(columns, settings.logY) : bounds(columns, settings.logY);
  if (low > high) return settings.logY ? [0.1, 1] : [0, 1];
  if (settings.logY) return [low / 1.1, high * 1.1];
  const room = (high - low) * ROOM || Math.abs(high) * ROOM || 0.5;
  return [low - room, high + room];
}

/** Where all but the few smallest and the few largest values lie; `[Infinity, -Infinity]` where there are none. */
function clippedBounds(columns: readonly Float64Array[], onlyPositive: boolean): [number, number] {
  const values = columns.flatMap((column) => [...column].filter((value) => isShown(value, onlyPositive)));
  const sorted = Float64Array.from(values).toSorted();
  const cut = Math.floor(sorted.length * CLIPPED_SHARE);
  return [sorted[cut] ?? Infinity, sorted[sorted.length - 1 - cut] ?? -Infinity];
}

/** The place in an ascending column of the first value that is not less. */
export function firstFrom(column: Float64Array, value: number): number {
  let low = 0;
  let high = column.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((column[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The place after the last value that is not more. */
function lastUpTo(column: Float64Array, value: number): number {
  let end = firstFrom(column, value);
  while (end < column.length && column[end] === value) end += 1;
  return end;
}

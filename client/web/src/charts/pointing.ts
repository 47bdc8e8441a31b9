// Which line of a chart is pointed at, and what stands at the same place.

import type uPlot from "uplot";
import { firstFrom, type Line } from "./drawing";

const NEAR_PIXELS = 40;
const AT_PIXELS = 5;

export interface Cursor {
  /** What the lines are drawn within, and the cursor's place there. */
  readonly over: HTMLElement;
  readonly left: number;
  readonly top: number;
  readonly x: number;
  readonly toTop: (value: number) => number;
  readonly toLeft: (value: number) => number;
  readonly toX: (left: number) => number;
}

interface Found {
  readonly line: Line;
  readonly x: number;
  readonly y: number;
  readonly smooth: number | undefined;
}

export interface Pointed extends Found {
  readonly others: readonly Found[];
  readonly cursor: Cursor;
}

export function cursorAt(plot: uPlot, left: number, top: number): Cursor {
  return {
    over: plot.over,
    left,
    top,
    x: plot.posToVal(left, "x"),
    toTop: (value) => plot.valToPos(value, "y"),
    toLeft: (value) => plot.valToPos(value, "x"),
    toX: (at) => plot.posToVal(at, "x"),
  };
}

/** The line that is drawn nearest to the cursor, if one is near. */
export function nearest(lines: readonly Line[], cursor: Cursor): Pointed | null {
  const others = standing(lines, cursor);
  const closest = others.reduce<Found | null>(
    (best, each) => (!best || distance(each, cursor) < distance(best, cursor) ? each : best),
    null,
  );
  return closest && distance(closest, cursor) < NEAR_PIXELS ? { ...closest, others, cursor } : null;
}

/** Of each line that has points there the one that is nearest, the highest first. */
export function standing(lines: readonly Line[], cursor: Cursor): Found[] {
  const found = lines.map((line) => pick(line, cursor)).filter((each) => each !== null);
  return found.toSorted((a, b) => (b.smooth ?? b.y) - (a.smooth ?? a.y));
}

function distance({ y, smooth, x }: Found, cursor: Cursor): number {
  return Math.hypot(cursor.toTop(smooth ?? y) - cursor.top, (cursor.toLeft(x) - cursor.left) / 2);
}

/** Of a line's points at the cursor, or the two that are nearest to it, the one that is drawn nearest. */
function pick(line: Line, cursor: Cursor): Found | null {
  const width = Math.abs(cursor.toX(AT_PIXELS) - cursor.toX(0));
  const from = Math.max(0, firstFrom(line.x, cursor.x - width) - 1);
  const to = Math.min(line.x.length, firstFrom(line.x, cursor.x + width) + 1);
  let best: Found | null = null;
  for (let at = from; at < to; at += 1) {
    const y = line.y[at] ?? NaN;
    const found = { line, x: line.x[at] ?? 0, y, smooth: line.smooth?.[at] };
    if (Number.isFinite(y) && (!best || distance(found, cursor) < distance(best, cursor))) best = found;
  }
  return best;
}

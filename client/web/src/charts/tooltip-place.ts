// Where a tooltip stands: beside the cursor, above or below the line that it tells of, and hiding nothing of it.

import { firstFrom, type Line } from "./drawing";
import type { Cursor, Pointed } from "./pointing";

const GAP = 14;
const MARGIN = 8;

interface Place {
  readonly left: number;
  readonly top: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Within the window. */
export function placeOf({ offsetWidth: width, offsetHeight: height }: HTMLElement, pointed: Pointed): Place {
  const { cursor } = pointed;
  const over = cursor.over.getBoundingClientRect();
  const [before, after] = [over.left + cursor.left - GAP - width, over.left + cursor.left + GAP];
  const sides = cursor.left > over.width / 2 ? [before, after] : [after, before];
  const places = sides.flatMap((side) => {
    const left = within(side, window.innerWidth - width);
    const [highest, lowest] = topsOf(pointed, left - over.left, left - over.left + width, over);
    const above = over.top + highest - GAP - height;
    const below = over.top + lowest + GAP;
    const distance = (top: number): number => Math.abs(top + height / 2 - over.top - cursor.top);
    const wanted = distance(above) < distance(below) ? [above, below] : [below, above];
    return wanted.map((each) => {
      const top = within(each, window.innerHeight - height);
      return { left, top, isFree: top === each, isWhole: top === each && left === side };
    });
  });
  return places.find(({ isWhole }) => isWhole) ?? places.find(({ isFree }) => isFree) ?? places[0] ?? cursor;
}

function within(wanted: number, room: number): number {
  return Math.max(MARGIN, Math.min(wanted, room - MARGIN));
}

/** How far up and down what is pointed at goes between two places of a chart. */
function topsOf(
  { line, others, cursor }: Pointed,
  from: number,
  to: number,
  { width, height }: Size,
): [number, number] {
  const points = others.map(({ x, y, smooth }): Place => ({ left: cursor.toLeft(x), top: cursor.toTop(smooth ?? y) }));
  const here = [...points, cursor].filter(({ left }) => left >= from && left <= to).map(({ top }) => top);
  const passed = lineTops(line, cursor, Math.max(0, from), Math.min(width, to));
  const tops = [...here, ...passed].filter(Number.isFinite).map((top) => Math.max(0, Math.min(height, top)));
  if (tops.length === 0) return [cursor.top, cursor.top];
  return [tops.reduce((least, top) => Math.min(least, top)), tops.reduce((most, top) => Math.max(most, top))];
}

/** Of a line's points, and of where it comes in and goes out. */
function lineTops(line: Line, cursor: Cursor, from: number, to: number): number[] {
  const tops: number[] = [];
  const start = Math.max(0, firstFrom(line.x, cursor.toX(from)) - 1);
  const end = Math.min(line.x.length, firstFrom(line.x, cursor.toX(to)) + 1);
  let last: Place | null = null;
  for (let at = start; at < end; at += 1) {
    const next = { left: cursor.toLeft(line.x[at] ?? NaN), top: cursor.toTop((line.smooth ?? line.y)[at] ?? NaN) };
    if (last) tops.push(topAt(last, next, from), topAt(last, next, to));
    if (next.left >= from && next.left <= to) tops.push(next.top);
    last = next;
  }
  return tops;
}

/** Where a stroke passes; NaN where it doesn't. */
function topAt(start: Place, end: Place, left: number): number {
  if (left < start.left || left > end.left || start.left === end.left) return NaN;
  return start.top + ((left - start.left) / (end.left - start.left)) * (end.top - start.top);
}

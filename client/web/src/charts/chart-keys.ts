// A line chart by keys: arrows go along a line and from line to line, + and - zoom about what is pointed at.

import type uPlot from "uplot";
import type { Line, Range } from "./drawing";
import { cursorAt, standing, type Pointed } from "./pointing";

// Of the width: a step of the cursor, and one of the stretch that is shown.
const CURSOR_STEP = 1 / 60;
const PAN_STEP = 1 / 4;

export interface Keyed {
  readonly plot: uPlot;
  readonly lines: readonly Line[];
  readonly pointed: Pointed | null;
  /** All that there is along x. */
  readonly whole: Range;
  readonly onZoom: (zoom: Range | null) => void;
}

/** Does what a key means, and tells whether it means anything. */
export function press(key: string, isShifted: boolean, keyed: Keyed): boolean {
  const { over, cursor } = keyed.plot;
  const width = over.clientWidth;
  const left = cursor.left !== undefined && cursor.left >= 0 ? cursor.left : width / 2;
  const across = { ArrowLeft: -1, ArrowRight: 1 }[key];
  const down = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (across && isShifted) pan(keyed, across * PAN_STEP * width);
  else if (across) point(keyed, between(0, left + across * CURSOR_STEP * width, width - 1), 0);
  else if (down) point(keyed, left, down);
  else if (key === "+" || key === "=") show(keyed, left / 2, (left + width) / 2);
  else if (key === "-") show(keyed, -left, 2 * width - left);
  else if (key === "0") keyed.onZoom(null);
  else return false;
  return true;
}

/** Points at the line that was pointed at, or at the next one below or above it. */
function point({ plot, lines, pointed }: Keyed, left: number, by: number): void {
  const middle = plot.over.clientHeight / 2;
  const found = standing(lines, cursorAt(plot, left, middle));
  const at = found.findIndex(({ line }) => line.id === pointed?.line.id);
  const next = found[at < 0 ? 0 : between(0, at + by, found.length - 1)];
  plot.setCursor({ left, top: next ? plot.valToPos(next.smooth ?? next.y, "y") : middle });
}

function pan(keyed: Keyed, by: number): void {
  const width = keyed.plot.over.clientWidth;
  const [first, last] = placesOf(keyed);
  const moved = between(first, by, last - width);
  show(keyed, moved, moved + width);
}

/** Shows what lies between two places, as far as there is anything. */
function show(keyed: Keyed, from: number, to: number): void {
  const [first, last] = placesOf(keyed);
  const isWhole = from <= first + 0.5 && to >= last - 0.5;
  const valueAt = (left: number): number => keyed.plot.posToVal(left, "x");
  keyed.onZoom(isWhole ? null : [valueAt(Math.max(from, first)), valueAt(Math.min(to, last))]);
}

/** Where the whole begins and ends, out of sight, too. */
function placesOf({ plot, whole }: Keyed): Range {
  return [plot.valToPos(whole[0], "x"), plot.valToPos(whole[1], "x")];
}

function between(least: number, value: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

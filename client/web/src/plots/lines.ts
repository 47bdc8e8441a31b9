// Where the lines of parallel coordinates go.

import type { Dimension } from "./dimensions";

export const PLOT = { top: 56, bottom: 24, heightMin: 380, side: 70, axisWidth: 110 } as const;
const REACH = 16;

/** Where the axes stand, in a plot of that height. */
export interface Places {
  readonly lefts: readonly number[];
  readonly height: number;
}

export function leftsOf(axes: number, width: number): number[] {
  const gap = (width - 2 * PLOT.side) / Math.max(1, axes - 1);
  return Array.from({ length: axes }, (_, at) => PLOT.side + at * gap);
}

/** `height` is that of the plot. */
export function topOf(share: number, height: number): number {
  return PLOT.top + (height - PLOT.top - PLOT.bottom) * (1 - share);
}

/** A run that has no value somewhere has no line there. */
export function pathOf(axes: readonly Dimension[], { lefts, height }: Places, at: number): string {
  let isDrawing = false;
  return axes
    .map(({ shares }, axis) => {
      const share = shares[at] ?? NaN;
      const sign = isDrawing ? "L" : "M";
      isDrawing = !Number.isNaN(share);
      return isDrawing ? `${sign}${(lefts[axis] ?? 0).toFixed(1)} ${topOf(share, height).toFixed(1)}` : "";
    })
    .join("");
}

/** The run that is kept and whose line is nearest to a place, -1 where none is near. */
export function nearestLine(
  axes: readonly Dimension[],
  { lefts, height }: Places,
  isKept: Uint8Array,
  left: number,
  top: number,
): number {
  const behind = lefts.findIndex((each) => each >= left);
  const to = behind < 0 ? lefts.length - 1 : Math.max(behind, Math.min(1, lefts.length - 1));
  const from = Math.max(0, to - 1);
  const [start, end] = [lefts[from] ?? 0, lefts[to] ?? 0];
  const part = end > start ? Math.max(0, Math.min(1, (left - start) / (end - start))) : 0;
  let nearest = -1;
  let least = REACH;
  for (let at = 0; at < isKept.length; at += 1) {
    if (!isKept[at]) continue;
    const [low, high] = [axes[from]?.shares[at] ?? NaN, axes[to]?.shares[at] ?? NaN];
    const distance = Math.abs(topOf(low + (high - low) * part, height) - top);
    if (distance < least) {
      least = distance;
      nearest = at;
    }
  }
  return nearest;
}

// How far the bars of runs go, on the page and in its picture.

import type { RunRow } from "../runs/run-row";
import { fitted, type Drawing } from "../ui/picture";
import type { Coloring } from "./coloring";
import { wordsAt, type Dimension } from "./dimensions";

/** From where to where a bar goes, in shares of its track. */
export type Span = readonly [from: number, to: number];

export interface Lengths {
  /** The run that came furthest is the first. */
  readonly order: readonly number[];
  /** null for a run without a value. */
  readonly spanOf: (at: number) => Span | null;
}

/** Bars stand on zero, wherever the values lie. */
export function lengthsOf({ values }: Dimension): Lengths {
  const low = values.reduce((least, value) => Math.min(least, value || 0), 0);
  const high = values.reduce((largest, value) => Math.max(largest, value || 0), 0);
  const share = (value: number): number => (value - low) / (high - low || 1);
  const spanOf = (at: number): Span | null => {
    const value = values[at] ?? NaN;
    return Number.isNaN(value) ? null : [share(Math.min(0, value)), share(Math.max(0, value))];
  };
  return { order: furthestFirst(values), spanOf };
}

function furthestFirst(values: Float64Array): number[] {
  const of = (at: number): number => {
    const value = values[at] ?? NaN;
    return Number.isNaN(value) ? -Infinity : value;
  };
  // Those without come last; two that are both without stay as they are.
  return [...values.keys()].toSorted((a, b) => (of(a) === of(b) ? 0 : of(b) - of(a)));
}

// A picture has an end.
const DRAWN_MAX = 100;
const LINE = 24;
const THICK = 14;
const MARGIN = 12;
const NAME_WIDTH = 190;
const VALUE_WIDTH = 80;

/** Those that came furthest. */
export function drawingOf(
  rows: readonly RunRow[],
  shown: Dimension,
  { order, spanOf }: Lengths,
  coloring: Coloring,
  width: number,
): Drawing {
  const drawn = order.slice(0, DRAWN_MAX);
  const left = order.length - drawn.length;
  const start = MARGIN + Math.min(NAME_WIDTH, width / 3);
  const track = width - MARGIN - VALUE_WIDTH - start;
  const draw = (context: CanvasRenderingContext2D): void => {
    const ink = context.fillStyle;
    for (const [place, at] of drawn.entries()) {
      const top = place * LINE;
      context.textAlign = "left";
      context.fillText(fitted(context, rows[at]?.runName ?? "", start - 2 * MARGIN), MARGIN, top + 16);
      context.textAlign = "right";
      context.fillText(wordsAt(shown, at), width - MARGIN, top + 16);
      const [from, to] = spanOf(at) ?? [0, 0];
      context.fillStyle = coloring.of(at);
      context.fillRect(start + from * track, top + (LINE - THICK) / 2, (to - from) * track, THICK);
      context.fillStyle = ink;
    }
    context.textAlign = "left";
    if (left > 0) context.fillText(`and ${left.toLocaleString("en")} more`, MARGIN, drawn.length * LINE + 16);
  };
  return { width, height: (drawn.length + (left > 0 ? 1 : 0)) * LINE + MARGIN, draw };
}

// Which runs are kept along axes: by values, so that they mean the same on whatever scale, and stand in the address.

import { useCallback, useMemo } from "react";
import { useSetting } from "../router";
import type { Dimension } from "./dimensions";
import { compareWords, numberOf } from "./words";

/** Numbers or words, as texts; null where an end is open. */
export type Range = readonly [low: string | null, high: string | null];

/** By the ids of dimensions. */
export type Kept = ReadonlyMap<string, Range>;

// No encoded text is one by itself: it stands for the empty one.
const EMPTY = "%";

/** In the address a range is such as `metric:loss=0.5,2`, and the next one comes behind a `~`. */
export function useKept(): [kept: Kept, setKept: (kept: Kept) => void] {
  const [text, setText] = useSetting("kept");
  const kept = useMemo(() => new Map(text.split("~").filter(Boolean).map(parsed)), [text]);
  const setKept = useCallback(
    (next: Kept) => setText([...next].map(([id, range]) => `${id}=${range.map(encoded).join(",")}`).join("~")),
    [setText],
  );
  return [kept, setKept];
}

function encoded(end: string | null): string {
  return end === "" ? EMPTY : encodeURIComponent(end ?? "").replaceAll("~", "%7E");
}

function decoded(text: string): string | null {
  if (text === "" || text === EMPTY) return text ? "" : null;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function parsed(text: string): [string, Range] {
  const equals = text.lastIndexOf("=");
  const [low = "", high = ""] = text.slice(equals + 1).split(",");
  return [text.slice(0, equals), [decoded(low), decoded(high)]];
}

export function withRange(kept: Kept, id: string, range: Range | null): Kept {
  const next = new Map(kept);
  if (range && (range[0] !== null || range[1] !== null)) next.set(id, range);
  else next.delete(id);
  return next;
}

/** The stretch between two shares of an axis: to its nearest words, or as exact as a hand is. */
export function rangeBetween(dimension: Dimension, from: number, to: number): Range {
  const [low, high] = [Math.min(from, to), Math.max(from, to)];
  return [textAt(dimension, low), textAt(dimension, high)];
}

function textAt({ words, isLog, valueAt }: Dimension, share: number): string {
  const value = valueAt(share);
  if (words) return words[Math.max(0, Math.min(words.length - 1, Math.round(value)))] ?? "";
  const size = isLog ? Math.abs(value) : Math.abs(valueAt(1) - valueAt(0));
  const exponent = Math.floor(Math.log10(size)) - 3;
  const rounded = Number(`${Math.round(value / 10 ** exponent)}e${exponent}`);
  return String(Number.isFinite(rounded) ? rounded : value);
}

/** The ends as values of the dimension; an infinite one where it is open. */
export function boundsOf({ words }: Dimension, [low, high]: Range): [low: number, high: number] {
  if (!words) {
    const [least, largest] = [numberOf(low ?? "-inf"), numberOf(high ?? "inf")];
    return [Number.isNaN(least) ? -Infinity : least, Number.isNaN(largest) ? Infinity : largest];
  }
  const first = low === null ? -Infinity : words.findIndex((word) => compareWords(word, low) >= 0);
  const last = high === null ? Infinity : words.findLastIndex((word) => compareWords(word, high) <= 0);
  return [first === -1 ? Infinity : first, last];
}

/** The same as shares of the axis, for what is drawn. */
export function sharesOf(dimension: Dimension, range: Range): [low: number, high: number] {
  const [low, high] = boundsOf(dimension, range).map((value) => {
    if (!Number.isFinite(value)) return value < 0 ? 0 : 1;
    const share = dimension.shareAt(value);
    // Below all powers of ten.
    return Number.isNaN(share) ? 0 : Math.max(0, Math.min(1, share));
  });
  return [low ?? 0, high ?? 1];
}

/** Which runs pass through all ranges: 1 for each that does. */
export function keptOf(axes: readonly Dimension[], ranges: Kept, runs: number): { isKept: Uint8Array; count: number } {
  const isKept = new Uint8Array(runs).fill(1);
  for (const axis of axes) {
    const range = ranges.get(axis.id);
    if (!range) continue;
    const [low, high] = boundsOf(axis, range);
    for (let at = 0; at < runs; at += 1) {
      const value = axis.values[at] ?? NaN;
      if (!(value >= low && value <= high)) isKept[at] = 0;
    }
  }
  return { isKept, count: isKept.reduce((count, each) => count + each, 0) };
}

// What runs are plotted by: a param that they were given, or the last value of a metric that they reached.

import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { formatNumber } from "../format";

/** `places` has a number for each run: the value itself, or where it stands among the words that there are. */
export interface Dimension {
  readonly id: string;
  readonly title: string;
  readonly kind: "param" | "metric";
  readonly places: readonly (number | undefined)[];
  /** Words in their order, where values are no numbers. */
  readonly words: readonly string[] | null;
  readonly low: number;
  readonly high: number;
}

export function dimensionsOf(runs: readonly Run[]): Dimension[] {
  const keys = (of: (run: Run) => readonly string[]): string[] => [...new Set(runs.flatMap(of))].toSorted();
  const params = keys((run) => Object.keys(run.params)).map((key) =>
    dimension(
      "param",
      key,
      runs.map((run) => run.params[key]),
    ),
  );
  const metrics = keys((run) => run.metrics.map((summary) => summary.key)).map((key) =>
    dimension(
      "metric",
      key,
      runs.map((run) => valueOf(run, key)),
    ),
  );
  return [...params, ...metrics];
}

function valueOf(run: Run, key: string): string | undefined {
  const found = run.metrics.find((summary) => summary.key === key);
  return found && String(found.lastValue);
}

function dimension(kind: Dimension["kind"], key: string, values: readonly (string | undefined)[]): Dimension {
  const present = values.filter((value) => value !== undefined);
  const areNumbers = present.every((value) => value.trim() !== "" && !Number.isNaN(Number(value)));
  const words = areNumbers || kind === "metric" ? null : [...new Set(present)].toSorted();
  const places = values.map((value) => {
    if (value === undefined) return undefined;
    const place = words ? words.indexOf(value) : Number(value);
    return Number.isFinite(place) ? place : undefined;
  });
  const known = places.filter((place) => place !== undefined);
  const low = Math.min(...known);
  const high = Math.max(...known);
  const room = low === high ? Math.abs(low) * 0.1 || 1 : 0;
  const isEmpty = known.length === 0;
  return {
    id: `${kind}:${key}`,
    title: key,
    kind,
    places,
    words,
    low: isEmpty ? 0 : low - room,
    high: isEmpty ? 1 : high + room,
  };
}

/** A place on a dimension, in words. */
export function wordsAt({ words }: Dimension, place: number | undefined): string {
  if (place === undefined) return "not set";
  return words ? (words[place] ?? "") : formatNumber(place);
}

/** From 0, the smallest, to 1, the largest. */
export function shareOf({ low, high }: Dimension, place: number): number {
  return (place - low) / (high - low);
}

/** Whether there is more than one value. */
export function varies({ places }: Dimension): boolean {
  return new Set(places).size > 1;
}

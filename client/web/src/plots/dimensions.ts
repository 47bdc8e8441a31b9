// What runs are plotted by: a param that they were given, or a value of a metric that they reached.

import { formatNumber } from "../format";
import { columnById, type Column, type RunKeys } from "../runs/columns";
import type { RunRow } from "../runs/run-row";
import { compareWords, isNumber, numberOf } from "./words";
import { tickFormat, linearScale, logScale, type AxisScale } from "./ticks";

type Kind = "param" | "metric" | "max" | "min";

export interface DimensionName {
  readonly id: string;
  readonly title: string;
  readonly kind: Kind;
  readonly key: string;
}

export interface Tick {
  readonly share: number;
  readonly words: string;
}

export interface Dimension extends DimensionName {
  /** For each run the value itself, or where it stands among the words that there are; NaN where it has no place. */
  readonly values: Float64Array;
  /** What those have that have no place, such as an infinite number, where they have anything. */
  readonly placeless: ReadonlyMap<number, number>;
  /** From 0, the begin of the axis, to 1, its end; NaN where a run has no place on it. */
  readonly shares: Float64Array;
  /** In their order, where values are no numbers. */
  readonly words: readonly string[] | null;
  readonly isLog: boolean;
  /** Whether it can be: any value is above zero. */
  readonly isPositive: boolean;
  readonly ticks: readonly Tick[];
  /** Where a value stands, and which one stands somewhere. */
  readonly shareAt: (value: number) => number;
  readonly valueAt: (share: number) => number;
}

const WORDS_SHOWN = 14;

export const KINDS = [
  ["param", "Params"],
  ["metric", "Metrics"],
  ["max", "Largest values of metrics"],
  ["min", "Smallest values of metrics"],
] as const;

/** Where a run has them. */
const FIELDS = { param: "params", metric: "metrics", max: "max", min: "min" } as const;

export function namesOf({ params, metrics }: Pick<RunKeys, "params" | "metrics">): DimensionName[] {
  return [
    ...params.map((key) => nameOf("param", key)),
    ...metrics.map((key) => nameOf("metric", key)),
    ...metrics.map((key) => nameOf("max", key)),
    ...metrics.map((key) => nameOf("min", key)),
  ];
}

function nameOf(kind: Kind, key: string): DimensionName {
  return { id: `${kind}:${key}`, title: kind === "max" || kind === "min" ? `${key} ${kind}` : key, kind, key };
}

/** All that the runs have, sorted. */
export function namesIn(rows: readonly RunRow[]): DimensionName[] {
  const params = new Set<string>();
  const metrics = new Set<string>();
  for (const row of rows) {
    for (const key of row.params.keys()) params.add(key);
    for (const key of row.metrics.keys()) metrics.add(key);
  }
  return namesOf({ params: [...params].toSorted(), metrics: [...metrics].toSorted() });
}

/** What an id names; undefined where it names nothing. */
export function namedBy(id: string): DimensionName | undefined {
  const colon = id.indexOf(":");
  const kind = KINDS.find(([each]) => each === id.slice(0, colon))?.[0];
  return kind && nameOf(kind, id.slice(colon + 1));
}

/** The column that asks the server for it; undefined where the id names none. */
export function columnOf(id: string): Column | undefined {
  const name = namedBy(id);
  return name && columnById(`${FIELDS[name.kind]}.${name.key}`);
}

function valueOf(row: RunRow, { kind, key }: DimensionName): string | number | undefined {
  return row[FIELDS[kind]].get(key);
}

/** What differs between runs; what the machine tells is left out. */
export function varying(rows: readonly RunRow[], names: readonly DimensionName[]): DimensionName[] {
  return names.filter((name) => {
    if (name.title.startsWith("system/")) return false;
    const first = rows[0] && valueOf(rows[0], name);
    return rows.some((row) => !Object.is(valueOf(row, name), first));
  });
}

export function dimensionOf(rows: readonly RunRow[], name: DimensionName, wantsLog: boolean): Dimension {
  const words = wordsIn(rows, name);
  const places = new Map(words?.map((word, at) => [word, at]));
  const placeless = new Map<number, number>();
  const values = Float64Array.from(rows, (row, at) => {
    const value = valueOf(row, name);
    if (value === undefined) return NaN;
    const place = words ? (places.get(String(value)) ?? NaN) : numberOf(value);
    if (Number.isFinite(place)) return place;
    placeless.set(at, place);
    return NaN;
  });
  const isPositive = !words && values.some((value) => value > 0);
  const isLog = wantsLog && isPositive;
  const scale = words ? wordScale(words) : scaleOf(values, isLog);
  const shareAt = shareBy(scale, isLog);
  const inWords = words ? (at: number) => words[at] ?? "" : tickFormat(scale.ticks);
  return {
    ...name,
    values,
    placeless,
    shares: values.map((value) => shareAt(value)),
    words,
    isLog,
    isPositive,
    ticks: scale.ticks.map((tick) => ({ share: shareAt(tick), words: inWords(tick) })),
    shareAt,
    valueAt: valueBy(scale, isLog),
  };
}

/** All that there are, in their order; null where they are numbers. */
function wordsIn(rows: readonly RunRow[], { kind, key }: DimensionName): string[] | null {
  if (kind !== "param") return null;
  const words = new Set<string>();
  for (const { params } of rows) {
    const word = params.get(key);
    if (word !== undefined) words.add(word);
  }
  return [...words].every(isNumber) ? null : [...words].toSorted(compareWords);
}

function wordScale(words: readonly string[]): AxisScale {
  const every = Math.ceil(words.length / WORDS_SHOWN);
  const alone = words.length === 1 ? 1 : 0;
  const ticks = words.map((_word, at) => at).filter((at) => at % every === 0);
  return { low: -alone, high: words.length - 1 + alone, ticks };
}

function scaleOf(values: Float64Array, isLog: boolean): AxisScale {
  let least = Infinity;
  let largest = -Infinity;
  for (const value of values) {
    if (isLog && value <= 0) continue;
    if (value < least) least = value;
    if (value > largest) largest = value;
  }
  if (least > largest) return linearScale(0, 1);
  return isLog ? logScale(least, largest) : linearScale(least, largest);
}

function shareBy({ low, high }: AxisScale, isLog: boolean): (value: number) => number {
  const on = (value: number): number => (isLog ? (value > 0 ? Math.log(value) : NaN) : value / 2);
  const from = on(low);
  const width = on(high) - from;
  return (value) => (width > 0 ? (on(value) - from) / width : Number.isNaN(on(value)) ? NaN : 0.5);
}

function valueBy({ low, high }: AxisScale, isLog: boolean): (share: number) => number {
  if (isLog) return (share) => Math.exp(Math.log(low) * (1 - share) + Math.log(high) * share);
  return (share) => low * (1 - share) + high * share;
}

/** What a run has, in words. */
export function wordsAt({ words, values, placeless }: Dimension, at: number): string {
  const value = values[at] ?? NaN;
  const odd = placeless.get(at);
  if (odd !== undefined) return formatNumber(odd);
  if (Number.isNaN(value)) return "not set";
  return words ? (words[value] ?? "") : formatNumber(value);
}

/** From where to where it goes, in words. */
export function spanOf({ title, ticks }: Dimension): string {
  return `${title} from ${ticks[0]?.words ?? "?"} to ${ticks.at(-1)?.words ?? "?"}`;
}

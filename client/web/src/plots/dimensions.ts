// What runs are plotted by: a param that they were given, or the last value of a metric that they reached.

import { formatNumber } from "../format";
import { columnById, keyColumn, type Column, type RunKeys, type RunRow } from "../runs/columns";
import { formatTick, linearScale, logScale, type AxisScale } from "./ticks";

export interface DimensionName {
  readonly id: string;
  readonly title: string;
  readonly kind: "param" | "metric";
}

export interface Tick {
  readonly share: number;
  readonly words: string;
}

export interface Dimension extends DimensionName {
  /** For each run the value itself, or where it stands among the words that there are; NaN where it has none. */
  readonly values: Float64Array;
  /** From 0, the begin of the axis, to 1, its end; NaN where a run has no place on it. */
  readonly shares: Float64Array;
  /** In their order, where values are no numbers. */
  readonly words: readonly string[] | null;
  readonly isLog: boolean;
  /** Whether it can be: any value is above zero. */
  readonly isPositive: boolean;
  readonly ticks: readonly Tick[];
}

const WORDS_SHOWN = 14;

export function namesOf({ params, metrics }: Pick<RunKeys, "params" | "metrics">): DimensionName[] {
  return [
    ...params.map((key): DimensionName => ({ id: `param:${key}`, title: key, kind: "param" })),
    ...metrics.map((key): DimensionName => ({ id: `metric:${key}`, title: key, kind: "metric" })),
  ];
}

/** All that the runs have, sorted. */
export function namesIn(rows: readonly RunRow[]): DimensionName[] {
  const params = new Set<string>();
  const metrics = new Set<string>();
  for (const { run, metrics: known } of rows) {
    for (const key of Object.keys(run.params)) params.add(key);
    for (const key of known.keys()) metrics.add(key);
  }
  return namesOf({ params: [...params].toSorted(), metrics: [...metrics].toSorted() });
}

/** The column that asks the server for it; undefined where the id names none. */
export function columnOf(id: string): Column | undefined {
  const colon = id.indexOf(":");
  const kind = id.slice(0, colon);
  if (kind !== "param" && kind !== "metric") return undefined;
  return columnById(keyColumn(`${kind}s`, id.slice(colon + 1)).id);
}

function valueOf({ run, metrics }: RunRow, { kind, title }: DimensionName): string | number | undefined {
  return kind === "metric" ? metrics.get(title) : run.params[title];
}

/** What differs between runs; what the machine tells is left out. */
export function varying(rows: readonly RunRow[], names: readonly DimensionName[]): DimensionName[] {
  return names.filter((name) => {
    if (name.title.startsWith("system/")) return false;
    const first = rows[0] && valueOf(rows[0], name);
    return rows.some((row) => !Object.is(valueOf(row, name), first));
  });
}

/** Whether all runs that have it have a number. */
export function areNumbers(rows: readonly RunRow[], name: DimensionName): boolean {
  return name.kind === "metric" || rows.every((row) => isNumber(row.run.params[name.title]));
}

function isNumber(text: string | undefined): boolean {
  return text === undefined || (text.trim() !== "" && !Number.isNaN(Number(text)));
}

export function dimensionOf(rows: readonly RunRow[], name: DimensionName, wantsLog: boolean): Dimension {
  const words = areNumbers(rows, name) ? null : wordsIn(rows, name.title);
  const places = new Map(words?.map((word, at) => [word, at]));
  const values = Float64Array.from(rows, (row) => {
    const value = valueOf(row, name);
    const place = value === undefined ? NaN : words ? (places.get(String(value)) ?? NaN) : Number(value);
    return Number.isFinite(place) ? place : NaN;
  });
  const isPositive = !words && values.some((value) => value > 0);
  const isLog = wantsLog && isPositive;
  const scale = words ? wordScale(words) : scaleOf(values, isLog);
  const share = shareBy(scale, isLog);
  const inWords = (tick: number): string => (words ? (words[tick] ?? "") : formatTick(tick));
  return {
    ...name,
    values,
    shares: values.map(share),
    words,
    isLog,
    isPositive,
    ticks: scale.ticks.map((tick) => ({ share: share(tick), words: inWords(tick) })),
  };
}

function wordsIn(rows: readonly RunRow[], key: string): string[] {
  const words = new Set<string>();
  for (const { run } of rows) {
    const word = run.params[key];
    if (word !== undefined) words.add(word);
  }
  return [...words].toSorted();
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

/** What a run has, in words. */
export function wordsAt({ words, values }: Dimension, at: number): string {
  const value = values[at] ?? NaN;
  if (Number.isNaN(value)) return "not set";
  return words ? (words[value] ?? "") : formatNumber(value);
}

/** From where to where it goes, in words. */
export function spanOf({ title, ticks }: Dimension): string {
  return `${title} from ${ticks[0]?.words ?? "?"} to ${ticks.at(-1)?.words ?? "?"}`;
}

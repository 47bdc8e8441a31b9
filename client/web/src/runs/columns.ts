// The columns that the table of runs can have, and how a run's value stands in one.

import { formatAge, formatDuration, formatNumber, formatTime, STATUS_WORDS } from "../format";
import { isAtWork, type RunRow } from "./run-row";

/** Whose keys a server lists. */
export type KeyKind = "metrics" | "params" | "tags";
/** Of a metric the last value, the smallest, or the largest. */
type ValueKind = KeyKind | "min" | "max";

/** `id` is what addresses call it. */
export interface Column {
  readonly id: string;
  readonly title: string;
  /** What it has, in words. */
  readonly told: string;
  readonly kind: "attribute" | ValueKind;
  /** Whose keys `key` is one of; null for an attribute. */
  readonly of: KeyKind | null;
  readonly key: string;
  readonly width: number;
  /** What SearchRuns can order by; undefined where nothing can. */
  readonly order: string | undefined;
  readonly isNumber: boolean;
}

/** The keys that the runs of an experiment have. */
export interface RunKeys {
  readonly metrics: readonly string[];
  readonly params: readonly string[];
  readonly tags: readonly string[];
}

export const NO_KEYS: RunKeys = { metrics: [], params: [], tags: [] };

const ATTRIBUTES: readonly Column[] = [
  attribute("status", "Status", 104, "status"),
  attribute("start_time", "Started", 92, "start_time"),
  attribute("duration", "Duration", 104, undefined),
  attribute("user_id", "User", 110, "user_id"),
  attribute("run_id", "Run id", 160, "run_id"),
];

interface Group {
  readonly kind: ValueKind;
  readonly of: KeyKind;
  readonly title: string;
  readonly told: (key: string) => string;
}

const GROUPS: readonly Group[] = [
  { kind: "metrics", of: "metrics", title: "Metrics", told: (key) => `Metric ${key}, last value` },
  { kind: "params", of: "params", title: "Params", told: (key) => `Param ${key}` },
  { kind: "tags", of: "tags", title: "Tags", told: (key) => `Tag ${key}` },
  { kind: "max", of: "metrics", title: "Largest values of metrics", told: (key) => `Metric ${key}, largest value` },
  { kind: "min", of: "metrics", title: "Smallest values of metrics", told: (key) => `Metric ${key}, smallest value` },
];

const [DEFAULT_METRICS, DEFAULT_PARAMS] = [4, 8];
// As wide as its head needs it, with its buttons, within bounds.
const [WIDTH_MIN, WIDTH_MAX] = [104, 200];
const LETTER_WIDTH = 7.2;
const HEAD_ROOM = 46;

function attribute(id: string, title: string, width: number, order: string | undefined): Column {
  return { id, title, told: title, kind: "attribute", of: null, key: id, width, order, isNumber: false };
}

/** A key as the filter language writes it. */
export function quoted(key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? key : `\`${key.replaceAll("`", "``")}\``;
}

export function columnById(id: string): Column | undefined {
  const found = ATTRIBUTES.find((column) => column.id === id);
  if (found) return found;
  const dot = id.indexOf(".");
  const group = GROUPS.find(({ kind }) => kind === id.slice(0, dot));
  return group && keyColumn(group, id.slice(dot + 1));
}

function keyColumn({ kind, of, told }: Group, key: string): Column {
  const isExtreme = kind !== of;
  const title = isExtreme ? `${key} ${kind}` : key;
  return {
    id: `${kind}.${key}`,
    title,
    told: told(key),
    kind,
    of,
    key,
    width: Math.max(WIDTH_MIN, Math.min(WIDTH_MAX, Math.round(title.length * LETTER_WIDTH) + HEAD_ROOM)),
    order: isExtreme ? `${of}.${quoted(key)}.${kind}` : `${kind}.${quoted(key)}`,
    isNumber: of === "metrics",
  };
}

/** What there is to choose from, by groups. */
export function allColumns(keys: RunKeys): { title: string; columns: readonly Column[] }[] {
  return [
    { title: "Run", columns: ATTRIBUTES },
    ...GROUPS.map((group) => ({ title: group.title, columns: keys[group.of].map((key) => keyColumn(group, key)) })),
  ];
}

// What a model is judged by, before what it is trained on.
const HELD_OUT = /(^|[^a-z])(val|valid|validation|eval|test)([^a-z]|$)/i;

// What a training is driven by, and how far it has come.
const DRIVEN = /(^|[^a-z])(lr|learning_?rate|epoch|step|time|grad_?norm)([^a-z]|$)/i;

/** Puts keys of metrics in the order in which they tell something; others stay as they are. */
export function byTelling(a: string, b: string): number {
  const rank = (key: string): number => (HELD_OUT.test(key) ? 0 : DRIVEN.test(key) ? 2 : 1);
  return rank(a) - rank(b);
}

/** What is shown until a person chooses: among it what the runs are ordered by. */
export function defaultColumns(keys: RunKeys, orderBy: string): string[] {
  const metrics = keys.metrics
    .filter((key) => !key.startsWith("system/"))
    .toSorted(byTelling)
    .slice(0, DEFAULT_METRICS);
  const of = (kind: ValueKind, some: readonly string[]): string[] => some.map((key) => `${kind}.${key}`);
  const ids = [
    "status",
    ...of(
      "metrics",
      metrics.filter((key) => !DRIVEN.test(key)),
    ),
    ...of("params", keys.params.slice(0, DEFAULT_PARAMS)),
    ...of(
      "metrics",
      metrics.filter((key) => DRIVEN.test(key)),
    ),
    "start_time",
    "duration",
  ];
  const ordered = allColumns(keys)
    .flatMap(({ columns }) => columns)
    .find(({ id, order }) => order === orderBy.replace(/ (ASC|DESC)$/, "") && !ids.includes(id));
  return ordered ? ["status", ordered.id, ...ids.slice(1)] : ids;
}

/** What a cell shows. */
export function shownOf(row: RunRow, column: Column, nowMs: number): string {
  if (column.kind === "attribute") return attributeOf(row, column.id, nowMs);
  const value = row[column.kind].get(column.key) ?? "";
  return typeof value === "number" ? formatNumber(value) : value;
}

/** What a cell tells who points at it: all of what it shows in short. */
export function toldOf(row: RunRow, column: Column, nowMs: number): string {
  if (column.kind !== "attribute") return String(row[column.kind].get(column.key) ?? "");
  return column.id === "start_time" ? formatTime(row.startTimeMs) : shownOf(row, column, nowMs);
}

function attributeOf(run: RunRow, id: string, nowMs: number): string {
  switch (id) {
    case "status":
      return STATUS_WORDS[run.status];
    case "start_time":
      return formatAge(run.startTimeMs, nowMs);
    case "duration":
      return durationOf(run, nowMs);
    case "user_id":
      return run.userId;
    default:
      return run.runId;
  }
}

function durationOf(run: RunRow, nowMs: number): string {
  if (run.endTimeMs === undefined && !isAtWork(run)) return "";
  return formatDuration((run.endTimeMs ?? nowMs) - run.startTimeMs);
}

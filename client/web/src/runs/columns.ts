// The columns that the table of runs can have, and how a run's value stands in one.

import { RunStatus, type Run } from "../api/generated/trackwire/v1/runs_pb";
import { formatAge, formatDuration, formatNumber, formatTime, STATUS_WORDS } from "../format";

export type KeyKind = "metrics" | "params" | "tags";

/** `id` is also what the filter language and `order_by` call it. */
export interface Column {
  readonly id: string;
  readonly title: string;
  readonly kind: "attribute" | KeyKind;
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

const DEFAULT_KEYS = 4;
// As wide as its head needs it, with its buttons, within bounds.
const [WIDTH_MIN, WIDTH_MAX] = [104, 200];
const LETTER_WIDTH = 7.2;
const HEAD_ROOM = 46;

function attribute(id: string, title: string, width: number, order: string | undefined): Column {
  return { id, title, kind: "attribute", key: id, width, order, isNumber: false };
}

/** A key as the filter language writes it. */
export function quoted(key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? key : `\`${key.replaceAll("`", "``")}\``;
}

export function keyColumn(kind: KeyKind, key: string): Column {
  return {
    id: `${kind}.${key}`,
    title: key,
    kind,
    key,
    width: Math.max(WIDTH_MIN, Math.min(WIDTH_MAX, Math.round(key.length * LETTER_WIDTH) + HEAD_ROOM)),
    order: `${kind}.${quoted(key)}`,
    isNumber: kind === "metrics",
  };
}

export function columnById(id: string): Column | undefined {
  const found = ATTRIBUTES.find((column) => column.id === id);
  if (found) return found;
  const dot = id.indexOf(".");
  const kind = id.slice(0, dot);
  if (kind === "metrics" || kind === "params" || kind === "tags") return keyColumn(kind, id.slice(dot + 1));
  return undefined;
}

/** What there is to choose from, by groups. */
export function allColumns(keys: RunKeys): { title: string; columns: readonly Column[] }[] {
  return [
    { title: "Run", columns: ATTRIBUTES },
    { title: "Metrics", columns: keys.metrics.map((key) => keyColumn("metrics", key)) },
    { title: "Params", columns: keys.params.map((key) => keyColumn("params", key)) },
    { title: "Tags", columns: keys.tags.map((key) => keyColumn("tags", key)) },
  ];
}

// What a model is judged by, before what it is trained on.
const HELD_OUT = /(^|[^a-z])(val|valid|validation|eval|test)([^a-z]|$)/i;

/** Puts keys of metrics in the order in which they tell something; others stay as they are. */
export function byTelling(a: string, b: string): number {
  return Number(HELD_OUT.test(b)) - Number(HELD_OUT.test(a));
}

/** What is shown until a person chooses: among it what the runs are ordered by. */
export function defaultColumns(keys: RunKeys, orderBy: string): string[] {
  const ids = [
    "status",
    ...keys.metrics
      .filter((key) => !key.startsWith("system/"))
      .toSorted(byTelling)
      .slice(0, DEFAULT_KEYS)
      .map((key) => `metrics.${key}`),
    ...keys.params.slice(0, DEFAULT_KEYS).map((key) => `params.${key}`),
    "start_time",
    "duration",
  ];
  const ordered = allColumns(keys)
    .flatMap(({ columns }) => columns)
    .find(({ id, order }) => order === orderBy.replace(/ (ASC|DESC)$/, "") && !ids.includes(id));
  return ordered ? ["status", ordered.id, ...ids.slice(1)] : ids;
}

/** A run, ready for the table: maps by key, computed once. */
export interface RunRow {
  readonly run: Run;
  readonly metrics: ReadonlyMap<string, number>;
}

export function rowOf(run: Run): RunRow {
  return { run, metrics: new Map(run.metrics.map((summary) => [summary.key, summary.lastValue])) };
}

/** What a run was given by that name; not what every object has by itself, such as `constructor`. */
export function paramOf({ params }: Pick<Run, "params">, key: string): string | undefined {
  return Object.hasOwn(params, key) ? params[key] : undefined;
}

/** What readers say about a run by that name. */
export function tagOf({ tags }: Pick<Run, "tags">, key: string): string | undefined {
  return Object.hasOwn(tags, key) ? tags[key] : undefined;
}

export function isAtWork(run: Pick<Run, "status">): boolean {
  return run.status === RunStatus.RUNNING || run.status === RunStatus.SCHEDULED;
}

/** What a cell shows, and what it tells who points at it. */
export function cellOf({ run, metrics }: RunRow, column: Column, nowMs: number): [shown: string, told: string] {
  switch (column.kind) {
    case "metrics": {
      const value = metrics.get(column.key);
      return value === undefined ? ["", ""] : [formatNumber(value), String(value)];
    }
    case "params":
      return twice(paramOf(run, column.key) ?? "");
    case "tags":
      return twice(tagOf(run, column.key) ?? "");
    default:
      return attributeOf(run, column.id, nowMs);
  }
}

function attributeOf(run: Run, id: string, nowMs: number): [string, string] {
  switch (id) {
    case "status":
      return twice(STATUS_WORDS[run.status]);
    case "start_time":
      return [formatAge(run.startTimeMs, nowMs), formatTime(run.startTimeMs)];
    case "duration":
      return twice(durationOf(run, nowMs));
    case "user_id":
      return twice(run.userId);
    default:
      return twice(run.runId);
  }
}

function durationOf(run: Run, nowMs: number): string {
  if (run.endTimeMs === undefined && !isAtWork(run)) return "";
  return formatDuration(Number((run.endTimeMs ?? BigInt(nowMs)) - run.startTimeMs));
}

function twice(text: string): [string, string] {
  return [text, text];
}

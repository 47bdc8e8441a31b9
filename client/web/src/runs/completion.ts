// What may stand next in a filter: fields, operators, values and the words between comparisons.

import { quoted, type KeyKind, type RunKeys } from "./columns";

export interface Suggestion {
  readonly text: string;
  /** What it is, for the reader. */
  readonly kind: string;
}

export interface Completion {
  /** Where the word begins that a suggestion takes the place of; it ends at the cursor. */
  readonly from: number;
  readonly suggestions: readonly Suggestion[];
}

const SUGGESTIONS_MAX = 12;
const ATTRIBUTES = ["status", "run_name", "user_id", "run_id", "start_time", "end_time", "parent_run_id"];
const NUMBERS = ["=", "!=", "<", "<=", ">", ">="];
const TEXTS = ["=", "!=", "LIKE", "ILIKE", "IN (", "IS NULL", "IS NOT NULL"];
const STATUSES = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"];
const KINDS: Record<string, KeyKind> = {
  metrics: "metrics",
  metric: "metrics",
  params: "params",
  param: "params",
  tags: "tags",
  tag: "tags",
};
// A field of keys, its dot, and as much of the key as there is, in backticks or without.
const FIELD = /(?:^|[\s(])((?:attributes\.)?[A-Za-z_]+(?:\.(?:`[^`]*`?|[\w./-]*))?)$/;
const FIELD_ENDED = /([A-Za-z_]+)(?:\.(?:`[^`]+`|[\w./-]+))?\s+([A-Za-z!<>=]*)$/;
const VALUE_BEGUN = /([A-Za-z_]+)(?:\.(?:`[^`]+`|[\w./-]+))?\s*(?:=|!=|IN \()\s*('?[A-Za-z]*)$/;

/** Completes a filter up to the cursor. */
export function complete(filter: string, cursor: number, keys: RunKeys): Completion {
  const before = filter.slice(0, cursor);
  const quotes = before.split("'").length - 1;
  // Behind a value that is whole there is nothing to begin.
  const isEnded = /['\d)]$/.test(before) && !FIELD.test(before);
  return (
    values(before) ??
    (quotes % 2 === 1 || isEnded ? nothing(cursor) : (connectives(before) ?? operators(before) ?? fields(before, keys)))
  );
}

function nothing(from: number): Completion {
  return { from, suggestions: [] };
}

/** What is behind `status =`. */
function values(before: string): Completion | undefined {
  const found = VALUE_BEGUN.exec(before);
  if (found?.[1]?.toLowerCase() !== "status") return undefined;
  const begun = found[2] ?? "";
  return completion(
    before.length - begun.length,
    begun,
    STATUSES.map((status) => ({ text: `'${status}'`, kind: "status" })),
  );
}

/** What is behind a whole comparison. */
function connectives(before: string): Completion | undefined {
  const found = /(?:'|\d|\)|NULL)\s+([A-Za-z]*)$/i.exec(before);
  if (!found) return undefined;
  const begun = found[1] ?? "";
  return completion(
    before.length - begun.length,
    begun,
    ["AND", "OR"].map((text) => ({ text, kind: "" })),
  );
}

function operators(before: string): Completion | undefined {
  const found = FIELD_ENDED.exec(before);
  const field = found?.[1]?.toLowerCase() ?? "";
  if (!found || ["and", "or", "not"].includes(field)) return undefined;
  const isNumber = KINDS[field] === "metrics" || field.endsWith("_time");
  const begun = found[2] ?? "";
  return completion(
    before.length - begun.length,
    begun,
    (isNumber ? NUMBERS : TEXTS).map((text) => ({ text, kind: "" })),
  );
}

function fields(before: string, keys: RunKeys): Completion {
  const begun = FIELD.exec(before)?.[1] ?? "";
  const from = before.length - begun.length;
  const known = (kind: KeyKind, word: string): Suggestion[] =>
    keys[kind].map((key) => ({ text: `${kind}.${quoted(key)}`, kind: word }));
  const all = [
    ...known("metrics", "metric"),
    ...known("params", "param"),
    ...ATTRIBUTES.map((text) => ({ text, kind: "attribute" })),
    ...known("tags", "tag"),
  ];
  return completion(from, begun.replace(/^(metric|param|tag)\./, "$1s."), all);
}

/** Those that begin so first, then those that have it somewhere. */
function completion(from: number, begun: string, all: readonly Suggestion[]): Completion {
  const wanted = begun.toLowerCase().replaceAll("`", "");
  const plain = (text: string): string => text.toLowerCase().replaceAll("`", "");
  const starts = all.filter(({ text }) => plain(text).startsWith(wanted));
  const has = all.filter(({ text }) => !plain(text).startsWith(wanted) && plain(text).includes(wanted));
  const found = [...starts, ...has];
  const isWhole = found.length === 1 && found[0]?.text === begun;
  return { from, suggestions: isWhole ? [] : found.slice(0, SUGGESTIONS_MAX) };
}

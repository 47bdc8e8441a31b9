// Where runs differ: keys whose values are not the same in all of them come first.

import type { RunRow } from "../runs/run-row";

export type Value = string | number | undefined;

/** What is compared of runs: which keys one has, and what it has for a key. */
export interface Part {
  readonly title: string;
  readonly keysOf: (row: RunRow) => Iterable<string>;
  readonly valueOf: (row: RunRow, key: string) => Value;
}

export interface Compared {
  readonly key: string;
  readonly differs: boolean;
}

export const PARTS: readonly Part[] = [
  { title: "Params", keysOf: ({ params }) => params.keys(), valueOf: ({ params }, key) => params.get(key) },
  {
    title: "Metrics, last values",
    keysOf: ({ metrics }) => metrics.keys(),
    valueOf: ({ metrics }, key) => metrics.get(key),
  },
  // What readers say about runs; what MLflow's clients keep for themselves is left out.
  {
    title: "Tags",
    keysOf: ({ tags }) => [...tags.keys()].filter((key) => !key.startsWith("mlflow.")),
    valueOf: ({ tags }, key) => tags.get(key),
  },
];

export function compared(rows: readonly RunRow[], { keysOf, valueOf }: Part): Compared[] {
  const keys = new Set<string>();
  for (const row of rows) for (const key of keysOf(row)) keys.add(key);
  const each = [...keys].toSorted().map((key) => {
    const first = rows[0] && valueOf(rows[0], key);
    return { key, differs: rows.some((row) => !Object.is(valueOf(row, key), first)) };
  });
  return [...each.filter(({ differs }) => differs), ...each.filter(({ differs }) => !differs)];
}

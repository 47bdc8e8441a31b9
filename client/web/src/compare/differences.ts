// Where runs differ: keys whose values are not the same in all of them come first.

import type { Run } from "../api/generated/trackwire/v1/runs_pb";

export interface Compared {
  readonly key: string;
  /** One for each run; undefined where it has none. */
  readonly values: readonly (string | undefined)[];
  readonly differs: boolean;
}

export function compared(runs: readonly Run[], of: (run: Run) => Readonly<Record<string, string>>): Compared[] {
  const each = runs.map(of);
  const keys = [...new Set(each.flatMap((values) => Object.keys(values)))].toSorted();
  const rows = keys.map((key) => {
    const values = each.map((known) => known[key]);
    return { key, values, differs: new Set(values).size > 1 };
  });
  return [...rows.filter(({ differs }) => differs), ...rows.filter(({ differs }) => !differs)];
}

/** The last values of primary series, as they are. */
export function lastValues(run: Run): Record<string, string> {
  return Object.fromEntries(run.metrics.map(({ key, lastValue }) => [key, String(lastValue)]));
}

/** What readers say about runs; what MLflow's clients keep for themselves is left out. */
export function ownTags(run: Run): Record<string, string> {
  return Object.fromEntries(Object.entries(run.tags).filter(([key]) => !key.startsWith("mlflow.")));
}

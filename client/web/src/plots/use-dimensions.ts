// The dimensions that are chosen, made of the runs that there are.

import { useMemo } from "react";
import type { RunRow } from "../runs/run-row";
import { dimensionOf, type Dimension, type DimensionName } from "./dimensions";

export function useDimension(
  rows: readonly RunRow[],
  names: readonly DimensionName[],
  id: string,
  logs: ReadonlySet<string>,
): Dimension | null {
  const name = useMemo(() => names.find((each) => each.id === id) ?? null, [names, id]);
  const isLog = logs.has(id);
  return useMemo(() => name && dimensionOf(rows, name, isLog), [rows, name, isLog]);
}

export function useDimensions(
  rows: readonly RunRow[],
  names: readonly DimensionName[],
  ids: readonly string[],
  logs: ReadonlySet<string>,
): readonly Dimension[] {
  return useMemo(() => {
    const known = new Map(names.map((name) => [name.id, name]));
    return ids.flatMap((id) => {
      const name = known.get(id);
      return name ? [dimensionOf(rows, name, logs.has(id))] : [];
    });
  }, [rows, names, ids, logs]);
}

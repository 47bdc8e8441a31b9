// Runs that are part of others stand below them, where they are unfolded.

import type { RunRow } from "./run-row";

export interface Line {
  readonly row: RunRow;
  readonly depth: number;
  readonly children: number;
  readonly isOpen: boolean;
}

/** The lines of a table: of runs whose parent is not among the rows, each; below each that is open, its children.
 *
 * Runs that are above each other, and what is below these, are lines of their own: there is no top to unfold.
 */
export function linesOf(rows: readonly RunRow[], open: ReadonlySet<string>): Line[] {
  const present = new Set(rows.map(({ runId }) => runId));
  const children = new Map<string, RunRow[]>();
  // Roots, and then whatever is found below them.
  const placed: RunRow[] = [];
  for (const row of rows) {
    const parent = row.parentRunId;
    if (!parent || !present.has(parent) || parent === row.runId) placed.push(row);
    else childrenOf(children, parent).push(row);
  }
  const roots = new Set(placed);
  for (const { runId } of placed) placed.push(...(children.get(runId) ?? []));
  const isPlaced = new Set(placed);
  const lines: Line[] = [];
  const add = (row: RunRow, depth: number): void => {
    const below = isPlaced.has(row) ? (children.get(row.runId) ?? []) : [];
    const isOpen = below.length > 0 && open.has(row.runId);
    lines.push({ row, depth, children: below.length, isOpen });
    if (isOpen) for (const child of below) add(child, depth + 1);
  };
  for (const row of rows) if (roots.has(row) || !isPlaced.has(row)) add(row, 0);
  return lines;
}

function childrenOf(children: Map<string, RunRow[]>, parent: string): RunRow[] {
  let found = children.get(parent);
  if (!found) children.set(parent, (found = []));
  return found;
}

// The colours of runs: a run has its own wherever it is shown, unless another one that is shown beside it has it, and
// keeps the one that it has as long as it is shown.

import { createContext, useState } from "react";

export type Slots = ReadonlyMap<string, number>;

const NONE: Slots = new Map();

const HUES = 12;
const LEVELS = 3;
const SLOTS = HUES * LEVELS;

/** Of all runs that the page shows, on which its parts agree. */
export const SlotsContext = createContext(NONE);

/** The slots of what a page shows, which it gives to its parts. Ids are memoised; none for a moment change nothing. */
export function useSlots(runIds: readonly string[]): Slots {
  const [held, hold] = useState(() => ({ runIds, slots: slotsOf(runIds, NONE, NONE), past: NONE }));
  if (held.runIds === runIds || runIds.length === 0) return held.slots;
  const past = new Map([...held.past, ...held.slots]);
  const slots = slotsOf(runIds, held.slots, past);
  hold({ runIds, slots, past });
  return slots;
}

/** A slot for each run: the one that it has; or else one that the fewest have, if it can be the one that it had. */
function slotsOf(runIds: readonly string[], present: Slots, past: Slots): Slots {
  const slots = new Map<string, number>();
  const uses = Array.from({ length: SLOTS }, () => 0);
  const take = (runId: string, slot: number): void => {
    slots.set(runId, slot);
    uses[slot] = (uses[slot] ?? 0) + 1;
  };
  for (const runId of runIds) {
    const slot = present.get(runId);
    if (slot !== undefined) take(runId, slot);
  }
  for (const runId of runIds) {
    if (slots.has(runId)) continue;
    const fewest = Math.min(...uses);
    let slot = past.get(runId) ?? hashed(runId) % SLOTS;
    while (uses[slot] !== fewest) slot = (slot + 7) % SLOTS;
    take(runId, slot);
  }
  return slots;
}

export function colorOf(slot: number, dark: boolean): string {
  const hue = (slot % HUES) * (360 / HUES) + 15;
  const level = (Math.floor(slot / HUES) % LEVELS) - 1;
  const lightness = dark ? 0.74 + level * 0.08 : 0.55 + level * 0.08;
  const chroma = dark ? 0.14 : 0.17;
  return `oklch(${lightness.toFixed(2)} ${chroma} ${hue.toFixed(0)})`;
}

function hashed(runId: string): number {
  let hash = 2166136261;
  for (let at = 0; at < runId.length; at += 1) hash = Math.imul(hash ^ runId.charCodeAt(at), 16777619);
  return hash >>> 0;
}

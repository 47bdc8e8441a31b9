// The colours of runs: a run keeps its own wherever it is shown, unless another one that is shown beside it has it.

const HUES = 12;
const LEVELS = 3;
const SLOTS = HUES * LEVELS;

/** A slot for each run, in their order; slots are shared where there are more runs than slots. */
export function slotsOf(runIds: readonly string[]): ReadonlyMap<string, number> {
  const slots = new Map<string, number>();
  const taken = new Set<number>();
  for (const runId of runIds) {
    let slot = hashed(runId) % SLOTS;
    if (taken.size === SLOTS) taken.clear();
    while (taken.has(slot)) slot = (slot + 7) % SLOTS;
    taken.add(slot);
    slots.set(runId, slot);
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

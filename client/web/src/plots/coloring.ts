// The colours of runs in a plot: each its own, or by what they were given or reached.

import { useContext, useMemo } from "react";
import { colorOf, SlotsContext, type Slots } from "../runs/colors";
import type { RunRow } from "../runs/run-row";
import type { Swatch } from "../ui/picture";
import { useDark } from "../ui/theme";
import { type Dimension, wordsAt } from "./dimensions";

export interface Coloring {
  readonly of: (at: number) => string;
  /** What is coloured by; null where each run has its own. */
  readonly by: Dimension | null;
  /** What the colours mean; of runs' own, who has them. */
  readonly legend: () => readonly Swatch[];
}

/** So many shades, from the least value to the largest. */
export const SHADES = 24;
const HUES = 12;
const MISSING = { light: "#8b94a3", dark: "#5c6675" };

export function useColoring(rows: readonly RunRow[], by: Dimension | null): Coloring {
  const slots = useContext(SlotsContext);
  const dark = useDark();
  return useMemo(() => coloringOf(rows, by, slots, dark), [rows, by, slots, dark]);
}

function coloringOf(rows: readonly RunRow[], by: Dimension | null, slots: Slots, dark: boolean): Coloring {
  if (by === null) {
    const colors = rows.map(({ runId }) => colorOf(slots.get(runId) ?? 0, dark));
    const legend = () => rows.map(({ runName }, at) => ({ color: colors[at] ?? "", name: runName }));
    return { by, of: (at) => colors[at] ?? "", legend };
  }
  const missing = dark ? MISSING.dark : MISSING.light;
  const shades = Array.from({ length: SHADES }, (_, at) => shadeAt(at / (SHADES - 1), dark));
  const legend = () =>
    by.words?.map((name, at) => ({ color: wordColor(at, dark), name })) ??
    by.ticks.map(({ share, words }) => ({ color: shadeAt(share, dark), name: words }));
  return {
    by,
    legend,
    of: (at) => {
      const share = by.shares[at] ?? NaN;
      if (Number.isNaN(share)) return missing;
      return by.words ? wordColor(by.values[at] ?? 0, dark) : (shades[Math.round(share * (SHADES - 1))] ?? missing);
    },
  };
}

/** Colours of words that follow each other are far from each other. */
export function wordColor(at: number, dark: boolean): string {
  return colorOf(((at * 5) % HUES) + HUES * (1 + Math.floor(at / HUES)), dark);
}

/** From a dark blue over green to a light yellow: as they are told apart without colours, too. */
export function shadeAt(share: number, dark: boolean): string {
  const lightness = (dark ? 0.46 : 0.36) + share * (dark ? 0.42 : 0.4);
  const chroma = 0.16 - 0.06 * Math.sin(share * Math.PI);
  return `oklch(${lightness.toFixed(3)} ${chroma.toFixed(3)} ${(285 - share * 185).toFixed(0)})`;
}

/** What a run is coloured by, as a line of what is told of it. */
export function colorLine({ by }: Coloring, at: number): string[] {
  return by ? [`${by.title}: ${wordsAt(by, at)}`] : [];
}

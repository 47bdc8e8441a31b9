// What images runs have under the same names: series by their keys, other images by their paths.

import type { RunImages } from "../artifacts/run-images";
import { imagesAt, type SeriesImage } from "../artifacts/series";

export interface ImageRow {
  readonly name: string;
  readonly isSeries: boolean;
}

export type ImagesByRun = ReadonlyMap<string, RunImages>;

/** An image in a cell: what is looked at, and what it leads to. */
export interface CellImage {
  readonly shownPath: string;
  readonly path: string;
}

export interface Cell {
  readonly images: readonly CellImage[];
  /** Of a series. */
  readonly step: number | undefined;
}

const NONE: Cell = { images: [], step: undefined };

export function imageRows(images: ImagesByRun, search: string): ImageRow[] {
  const words = search.trim().toLowerCase();
  const sorted = (names: Iterable<string>): string[] =>
    [...new Set(names)].filter((name) => name.toLowerCase().includes(words)).toSorted((a, b) => a.localeCompare(b));
  const known = [...images.values()];
  return [
    ...sorted(known.flatMap(({ series }) => [...series.keys()])).map((name) => ({ name, isSeries: true })),
    ...sorted(known.flatMap(({ files }) => [...files])).map((name) => ({ name, isSeries: false })),
  ];
}

/** All at which any run has logged one, in their order. */
export function stepsOf(images: ImagesByRun): number[] {
  const steps = new Set<number>();
  for (const { series } of images.values()) {
    for (const each of series.values()) for (const { step } of each) steps.add(step);
  }
  return [...steps].toSorted((a, b) => a - b);
}

/** What a run has in a row: of a series what was logged at the step, or at the last one before it. */
export function cellAt(images: RunImages, row: ImageRow, step: number): Cell {
  if (!row.isSeries) {
    return images.files.has(row.name) ? { images: [{ path: row.name, shownPath: row.name }], step: undefined } : NONE;
  }
  const found: SeriesImage[] = imagesAt(images.series.get(row.name) ?? [], step);
  return {
    images: found.map(({ path, thumbnailPath }) => ({ path, shownPath: thumbnailPath })),
    step: found[0]?.step,
  };
}

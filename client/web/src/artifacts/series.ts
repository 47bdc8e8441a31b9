// Images that were logged as series: their names say of which one, and at which step and time.

import type { Artifact } from "../api/generated/trackwire/v1/artifacts_pb";

export const SERIES_FOLDER = "images";

export interface SeriesImage {
  path: string;
  /** A smaller one beside it; the image itself where there is none. */
  thumbnailPath: string;
  step: number;
  timeMs: number;
}

/** "~" stands for "/"; older clients write "#". */
const NAME = /^(.+)\+step\+(-?\d+)\+timestamp\+(\d+)\+([0-9a-fA-F-]+)(\+compressed)?\.(?:png|webp)$/;

/** Whether a file's name says that it is one, or the smaller one beside it. */
export function isOfSeries(path: string): boolean {
  return NAME.test(path.slice(path.lastIndexOf("/") + 1));
}

/** By their keys, in the order of steps and times. */
export function seriesOf(files: Artifact[]): Map<string, SeriesImage[]> {
  const thumbnails = new Map<string, string>();
  const series = new Map<string, SeriesImage[]>();
  const parts = files.flatMap(({ path, isDir }) => {
    const fit = isDir ? null : NAME.exec(path.slice(path.lastIndexOf("/") + 1));
    return fit ? [{ path, fit }] : [];
  });
  for (const { path, fit } of parts) if (fit[5]) thumbnails.set(fit.slice(1, 5).join(" "), path);
  for (const { path, fit } of parts) {
    if (fit[5]) continue;
    const key = (fit[1] ?? "").replaceAll(/[~#]/g, "/");
    const thumbnailPath = thumbnails.get(fit.slice(1, 5).join(" ")) ?? path;
    const images = series.get(key) ?? [];
    images.push({ path, thumbnailPath, step: Number(fit[2]), timeMs: Number(fit[3]) });
    series.set(key, images);
  }
  for (const images of series.values()) images.sort((a, b) => a.step - b.step || a.timeMs - b.timeMs);
  return new Map([...series].toSorted(([a], [b]) => a.localeCompare(b)));
}

/** Those of one step: the last one at or before it, and what else was logged at that step. */
export function imagesAt(images: SeriesImage[], step: number): SeriesImage[] {
  const shown = images.findLast((image) => image.step <= step)?.step;
  return images.filter((image) => image.step === shown);
}

// The images of a run, wherever among its folders they lie.

import { queryOptions } from "@tanstack/react-query";
import { artifacts } from "../api/clients";
import type { Artifact } from "../api/generated/trackwire/v1/artifacts_pb";
import { kindOf } from "./kinds";
import type { Owner } from "./queries";
import { isOfSeries, SERIES_FOLDER, seriesOf, type SeriesImage } from "./series";

export interface RunImages {
  readonly series: ReadonlyMap<string, SeriesImage[]>;
  /** The paths of the others. */
  readonly files: ReadonlySet<string>;
  /** Whether there is more than was looked at. */
  readonly isCut: boolean;
}

/** A run is asked for no more pages of folders than this, those of its series first, then what lies highest. */
export const PAGES_MAX = 24;
const PAGE_SIZE = 10_000;
const LIVE_MS = 10_000;

export function imagesOf(owner: Owner, isLive: boolean) {
  return queryOptions({
    queryKey: ["images", owner],
    staleTime: 30_000,
    refetchInterval: isLive ? LIVE_MS : false,
    queryFn: async ({ signal }): Promise<RunImages> => {
      const { found, isCut } = await walked(owner, signal);
      const files = found.filter(({ path }) => kindOf(path) === "image");
      const isInSeries = ({ path }: Artifact): boolean => path.startsWith(`${SERIES_FOLDER}/`) && isOfSeries(path);
      return {
        series: seriesOf(files.filter(isInSeries)),
        files: new Set(files.filter((file) => !isInSeries(file)).map(({ path }) => path)),
        isCut,
      };
    },
  });
}

async function walked(owner: Owner, signal: AbortSignal): Promise<{ found: Artifact[]; isCut: boolean }> {
  const found: Artifact[] = [];
  const waiting = [
    { path: SERIES_FOLDER, pageToken: "" },
    { path: "", pageToken: "" },
  ];
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const next = waiting.shift();
    if (!next) break;
    const { path, pageToken } = next;
    const page = await artifacts.listArtifacts({ owner, path, pageSize: PAGE_SIZE, pageToken }, { signal });
    found.push(...page.artifacts.filter(({ isDir }) => !isDir));
    for (const entry of page.artifacts) {
      if (entry.isDir && entry.path !== SERIES_FOLDER) waiting.push({ path: entry.path, pageToken: "" });
    }
    if (page.nextPageToken) waiting.unshift({ path, pageToken: page.nextPageToken });
  }
  return { found, isCut: waiting.length > 0 };
}

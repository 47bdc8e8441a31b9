// What is asked of the server about artifacts: folders, a page at a time, and files, as streams of bytes.

import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { artifacts } from "../api/clients";
import type { Artifact } from "../api/generated/trackwire/v1/artifacts_pb";

/** Whose files. */
export type Owner = { case: "runId" | "modelId"; value: string };

const PAGE_SIZE = 500;
const SERIES_PAGE_SIZE = 10_000;

export function folderOf(owner: Owner, path: string) {
  return infiniteQueryOptions({
    queryKey: ["artifacts", owner, path],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      artifacts.listArtifacts({ owner, path, pageSize: PAGE_SIZE, pageToken: pageParam }, { signal }),
    getNextPageParam: (page) => page.nextPageToken || undefined,
  });
}

/** All files of a folder, and what other folders are in it. */
export function wholeFolder(owner: Owner, path: string) {
  return queryOptions({
    queryKey: ["whole folder", owner, path],
    queryFn: async ({ signal }): Promise<Artifact[]> => {
      const found: Artifact[] = [];
      let pageToken = "";
      do {
        // Each page says where the next one begins.
        // oxlint-disable-next-line no-await-in-loop
        const page = await artifacts.listArtifacts({ owner, path, pageSize: SERIES_PAGE_SIZE, pageToken }, { signal });
        found.push(...page.artifacts);
        pageToken = page.nextPageToken;
      } while (pageToken);
      return found;
    },
  });
}

/** Where the store itself gives a file's bytes; null where it has no such links. */
export function linkAtStore(owner: Owner, path: string) {
  return queryOptions({
    queryKey: ["link at store", owner, path],
    // A link ends to work, and a store that has none is asked no second time.
    staleTime: 60_000,
    retry: false,
    queryFn: async ({ signal }): Promise<string | null> => {
      try {
        return (await artifacts.createArtifactDownloadUrl({ owner, path }, { signal })).url;
      } catch {
        return null;
      }
    },
  });
}

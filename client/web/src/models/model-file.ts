// The file MLmodel, which MLflow writes beside a model that it can load.

import { queryOptions } from "@tanstack/react-query";
import { artifacts } from "../api/clients";
import type { Place } from "./files";

export interface ModelFile {
  path: string;
  text: string;
}

const FILE = "MLmodel";
// Far beyond what MLflow writes; the rest of a longer one is not read.
const BYTES_MAX = 4_000_000n;
const ENTRIES_MAX = 10_000;

/** Null where there is none; never asked for where the place is none of this server. */
export function modelFileAt(place: Place | null) {
  return queryOptions({
    queryKey: ["model-file", place],
    enabled: place !== null,
    queryFn: ({ signal }) => readModelFile(place as Place, signal),
  });
}

async function readModelFile({ owner, path }: Place, signal: AbortSignal): Promise<ModelFile | null> {
  const wanted = path ? `${path}/${FILE}` : FILE;
  const { artifacts: listed } = await artifacts.listArtifacts({ owner, path, pageSize: ENTRIES_MAX }, { signal });
  if (!listed.some((each) => each.path === wanted && !each.isDir)) return null;
  const decoder = new TextDecoder();
  let text = "";
  for await (const part of artifacts.downloadArtifact({ owner, path: wanted, length: BYTES_MAX }, { signal })) {
    text += decoder.decode(part.data, { stream: true });
  }
  return { path: wanted, text };
}

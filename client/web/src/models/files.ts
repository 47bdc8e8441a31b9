// Where a version's files lie: with a run, with a logged model, or where this server doesn't reach.

import type { ModelVersion } from "../api/generated/trackwire/v1/model_registry_pb";
import type { Owner } from "../artifacts/queries";
import { addressOf } from "../router";

export interface Place {
  owner: Owner;
  /** Below the owner's root; "" for all of it. */
  path: string;
}

const OF_LOGGED_MODEL = /^trackwire-artifacts:\/+([^/]+)\/models\/([^/]+)\/artifacts(?:\/(.*))?$/s;
const OF_RUN = /^(?:runs:\/+([^/]+)|trackwire-artifacts:\/+[^/]+\/([^/]+)\/artifacts)(?:\/(.*))?$/s;

export function filesOf({ storageLocation, source }: ModelVersion): string {
  return storageLocation || source;
}

/** Null where the files are outside of this server. */
export function placeOf(version: ModelVersion): Place | null {
  const [, , modelId, below = ""] = OF_LOGGED_MODEL.exec(filesOf(version)) ?? [];
  if (modelId) return { owner: { case: "modelId", value: modelId }, path: below.replace(/\/+$/, "") };
  const [, named, stored, path = ""] = OF_RUN.exec(filesOf(version)) ?? [];
  const runId = named ?? stored;
  return runId ? { owner: { case: "runId", value: runId }, path: path.replace(/\/+$/, "") } : null;
}

/** The path below an owner's root, which lies at `rootUri`, that a version is of; null where it is of others' files. */
export function pathOf(version: ModelVersion, owner: Owner, rootUri: string): string | null {
  const place = placeOf(version);
  if (place) return place.owner.case === owner.case && place.owner.value === owner.value ? place.path : null;
  // In a store that only clients reach.
  const files = `${filesOf(version)}/`;
  const root = `${rootUri.replace(/\/+$/, "")}/`;
  return rootUri && files.startsWith(root) ? files.slice(root.length).replace(/\/+$/, "") : null;
}

/** The address of a version's files; null where they are outside of this server. */
export function filesAddress(version: ModelVersion): string | null {
  const [, experimentId = "", modelId] = OF_LOGGED_MODEL.exec(filesOf(version)) ?? [];
  if (modelId)
    return addressOf(`/experiments/${encodeURIComponent(experimentId)}/models/${encodeURIComponent(modelId)}`);
  const place = placeOf(version);
  const path = place?.path.split("/").map(encodeURIComponent).join("/");
  return place && addressOf(`/runs/${encodeURIComponent(place.owner.value)}/artifacts/${path}`);
}

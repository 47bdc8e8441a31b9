// How what a run has logged becomes a version, with the lineage that MLflow's clients give it.

import { Code, ConnectError } from "@connectrpc/connect";
import { loggedModels, models } from "../api/clients";
import type { Place } from "./files";

interface Asked {
  name: string;
  description: string;
  requestId: string;
  /** Whether a model of this name is there, as far as is known. */
  isThere: boolean;
}

/** Makes the next version of the model of this name, which is made with it if there is none. */
export async function register(place: Place, asked: Asked): Promise<void> {
  const { name, description, requestId, isThere } = asked;
  const origin = place.owner.case === "runId" ? ofRun(place) : await ofLoggedModel(place.owner.value);
  if (!isThere) await ensureModel(name);
  await models.createModelVersion({ requestId, name, description, ...origin });
}

interface Origin {
  source: string;
  runId: string;
  modelId?: string;
}

function ofRun({ owner, path }: Place): Origin {
  return { source: `runs:/${owner.value}/${path}`, runId: owner.value };
}

async function ofLoggedModel(modelId: string): Promise<Origin> {
  const { loggedModel } = await loggedModels.getLoggedModel({ modelId });
  return { source: `models:/${modelId}`, modelId, runId: loggedModel?.sourceRunId ?? "" };
}

async function ensureModel(name: string): Promise<void> {
  try {
    await models.createRegisteredModel({ name });
  } catch (error) {
    if (ConnectError.from(error).code !== Code.AlreadyExists) throw error;
  }
}

// The files of a run or of a logged model that belongs to it, and what of them is or may be registered.

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { LifecycleStage } from "../api/generated/trackwire/v1/experiments_pb";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { ArtifactBrowser } from "../artifacts/browser";
import { nameOf, shownName } from "../artifacts/kinds";
import type { Owner } from "../artifacts/queries";
import { pathOf } from "../models/files";
import { versionsFrom } from "../models/queries";
import { RegisterButton, RegisteredAs } from "../models/register";
import { addressOf, usePlace } from "../router";
import { isLive, modelsOf } from "./run-queries";

export function RunArtifacts({ run }: { run: Run }): ReactNode {
  const model = usePlace().query.get("model");
  const kept = { tab: "artifacts", ...(model ? { model } : {}) };
  const owner: Owner = model ? { case: "modelId", value: model } : { case: "runId", value: run.runId };
  return (
    <>
      {model && <Whose run={run} modelId={model} />}
      <ArtifactBrowser
        owner={owner}
        isLive={isLive(run)}
        kept={kept}
        renderOffer={(path, isModel) => <Registering {...{ run, owner, path, isModel }} />}
      />
    </>
  );
}

/** Which model the files are of, and the way back to those of the run. */
function Whose({ run, modelId }: { run: Run; modelId: string }): ReactNode {
  const made = useQuery(modelsOf(run));
  const name = made.data?.find((each) => each.modelId === modelId)?.name ?? modelId;
  return (
    <p>
      Files of the logged model <strong>{name}</strong>.{" "}
      <a href={addressOf(usePlace().path, { tab: "artifacts" })}>See those of the run</a>
    </p>
  );
}

interface Props {
  run: Run;
  owner: Owner;
  path: string;
  isModel: boolean;
}

function Registering({ run, owner, path, isModel }: Props): ReactNode {
  const versions = useQuery(versionsFrom(owner));
  // A logged model is registered as a whole, and of a run a part.
  if ((owner.case === "modelId") !== (path === "")) return null;
  const here = (versions.data ?? []).filter((each) =>
    owner.case === "modelId" ? true : pathOf(each, owner, run.artifactUri) === path,
  );
  return (
    <>
      <RegisteredAs versions={here} />
      {run.lifecycleStage !== LifecycleStage.DELETED && (
        <RegisterButton place={{ owner, path }} title={shownName(nameOf(path)) || owner.value} isModel={isModel} />
      )}
    </>
  );
}

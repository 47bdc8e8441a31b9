// The four stages of a version.

import type { ReactNode } from "react";
import { ModelStage } from "../api/generated/trackwire/v1/model_registry_pb";

export const STAGE_WORDS: Record<ModelStage, string> = {
  [ModelStage.UNSPECIFIED]: "Unknown",
  [ModelStage.NONE]: "None",
  [ModelStage.STAGING]: "Staging",
  [ModelStage.PRODUCTION]: "Production",
  [ModelStage.ARCHIVED]: "Archived",
};

export const STAGES = [ModelStage.NONE, ModelStage.STAGING, ModelStage.PRODUCTION, ModelStage.ARCHIVED] as const;

/** Whether other versions can be archived as one comes into this stage. */
export function isSingle(stage: ModelStage): boolean {
  return stage === ModelStage.STAGING || stage === ModelStage.PRODUCTION;
}

export function Stage({ stage }: { stage: ModelStage }): ReactNode {
  if (stage === ModelStage.NONE) return <span className="soft">None</span>;
  return <span className={`stage ${STAGE_WORDS[stage].toLowerCase()}`}>{STAGE_WORDS[stage]}</span>;
}

// Promoting a version: what is to be used from now on, by an alias or by a stage.

import { useState, type ReactNode } from "react";
import { models } from "../api/clients";
import { ModelStage, type ModelVersion, type RegisteredModel } from "../api/generated/trackwire/v1/model_registry_pb";
import { AskForm } from "../ui/ask-form";
import { Dialog } from "../ui/dialog";
import { CHAMPION, holderOf } from "./addresses";
import { useChange } from "./changes";
import { isSingle, STAGE_WORDS } from "./stages";

interface Props {
  version: ModelVersion;
  model: RegisteredModel;
  onClose: () => void;
}

export function PromoteDialog({ version, model, onClose }: Props): ReactNode {
  const { name } = version;
  const [how, setHow] = useState<"alias" | "stage">(prefersStages(model) ? "stage" : "alias");
  const [alias, setAlias] = useState(CHAMPION);
  const [archives, setArchives] = useState(true);
  const promote = useChange(
    () =>
      how === "alias"
        ? models.setRegisteredModelAlias({ name, alias: alias.trim(), version: version.version })
        : models.transitionModelVersionStage({
            name,
            version: version.version,
            stage: ModelStage.PRODUCTION,
            archiveExistingVersions: archives,
          }),
    onClose,
  );
  const isThere = how === "alias" ? version.aliases.includes(alias.trim()) : isIn(version, ModelStage.PRODUCTION);
  return (
    <Dialog title={`Promote version ${version.version} of ${name}`} onClose={onClose}>
      <AskForm
        action="Promote"
        isReady={!isThere && (how === "stage" || alias.trim() !== "")}
        changing={promote}
        onClose={onClose}
      >
        <fieldset className="choices">
          <legend className="unseen">How</legend>
          <label className="choice">
            <input type="radio" name="how" checked={how === "alias"} onChange={() => setHow("alias")} />
            Give it an alias
          </label>
          {how === "alias" && (
            <div className="chosen">
              <label>
                <span className="unseen">Alias</span>
                <input className="field mono" value={alias} onChange={(event) => setAlias(event.target.value)} />
              </label>
              <AliasConsequence alias={alias.trim()} version={version} model={model} />
            </div>
          )}
          <label className="choice">
            <input type="radio" name="how" checked={how === "stage"} onChange={() => setHow("stage")} />
            Move it to Production
          </label>
          {how === "stage" && (
            <div className="chosen">
              <StageConsequence
                version={version}
                stage={ModelStage.PRODUCTION}
                model={model}
                archives={archives}
                onArchives={setArchives}
              />
            </div>
          )}
        </fieldset>
      </AskForm>
    </Dialog>
  );
}

/** That a version is already what it would be promoted to; undefined where it is not. */
export function promotedWords(version: ModelVersion, model: RegisteredModel): string | undefined {
  if (version.aliases.includes(CHAMPION)) return `Is ${CHAMPION} already`;
  const isInProduction = prefersStages(model) && isIn(version, ModelStage.PRODUCTION);
  return isInProduction ? "Is in Production already" : undefined;
}

/** Who has put versions into stages and given no alias goes on like that. */
function prefersStages({ aliases, latestVersions }: RegisteredModel): boolean {
  return Object.keys(aliases).length === 0 && latestVersions.some((each) => isSingle(each.currentStage));
}

function isIn(version: ModelVersion, stage: ModelStage): boolean {
  return version.currentStage === stage;
}

interface AliasProps {
  alias: string;
  version: ModelVersion;
  model: RegisteredModel;
}

/** What giving a version an alias changes: it may leave another one. */
export function AliasConsequence({ alias, version, model }: AliasProps): ReactNode {
  if (!alias) return null;
  const holder = holderOf(model, alias);
  if (holder === version.version) {
    return (
      <p className="soft">
        Version {String(holder)} is “{alias}” already.
      </p>
    );
  }
  return (
    <output className="soft">
      {holder !== undefined && (
        <strong>
          “{alias}” is version {String(holder)} now, and moves here from it.{" "}
        </strong>
      )}
      <span className="mono breaks">
        models:/{version.name}@{alias}
      </span>{" "}
      will load version {String(version.version)}.
    </output>
  );
}

interface StageProps {
  version: ModelVersion;
  stage: ModelStage;
  model: RegisteredModel;
  archives: boolean;
  onArchives: (archives: boolean) => void;
}

/** What a move into a stage changes, and whether others leave it. */
export function StageConsequence({ version, stage, model, archives, onArchives }: StageProps): ReactNode {
  const word = STAGE_WORDS[stage];
  if (isIn(version, stage)) return <p className="soft">It is in {word} already.</p>;
  const there = model.latestVersions.find((each) => isIn(each, stage));
  if (!isSingle(stage)) return null;
  return (
    <>
      <p className="soft">{there ? `Version ${there.version} is in ${word} now.` : `No version is in ${word} now.`}</p>
      {there && (
        <label className="choice">
          <input type="checkbox" checked={archives} onChange={(event) => onArchives(event.target.checked)} />
          Archive existing versions: all others that are in {word}
        </label>
      )}
    </>
  );
}

export function StageDialog({ version, stage, model, onClose }: Props & { stage: ModelStage }): ReactNode {
  const { name, currentStage } = version;
  const [archives, setArchives] = useState(true);
  const move = useChange(
    () =>
      models.transitionModelVersionStage({
        name,
        version: version.version,
        stage,
        archiveExistingVersions: archives && isSingle(stage),
      }),
    onClose,
  );
  return (
    <Dialog title={`Move version ${version.version} to ${STAGE_WORDS[stage]}`} onClose={onClose}>
      <AskForm action="Move" isReady changing={move} onClose={onClose}>
        <p>
          Its stage is {STAGE_WORDS[currentStage]} now, and will be {STAGE_WORDS[stage]}.
        </p>
        <StageConsequence version={version} stage={stage} model={model} archives={archives} onArchives={setArchives} />
      </AskForm>
    </Dialog>
  );
}

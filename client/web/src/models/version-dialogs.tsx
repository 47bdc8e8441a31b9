// What is asked before a version is deleted, and its tags.

import type { ReactNode } from "react";
import { models } from "../api/clients";
import type { ModelVersion } from "../api/generated/trackwire/v1/model_registry_pb";
import { go } from "../router";
import { AskForm } from "../ui/ask-form";
import { Dialog } from "../ui/dialog";
import { TagEditor } from "../ui/tag-editor";
import { modelAddress } from "./addresses";
import { useChange, useRefresh } from "./changes";
import { Stage } from "./stages";
import { ModelStage } from "../api/generated/trackwire/v1/model_registry_pb";

interface Props {
  version: ModelVersion;
  onClose: () => void;
}

export function DeleteVersionDialog({ version, onClose }: Props): ReactNode {
  const { name, aliases, currentStage } = version;
  const remove = useChange(
    () => models.deleteModelVersion({ name, version: version.version }),
    () => go(modelAddress(name), { replace: true }),
  );
  return (
    <Dialog title={`Delete version ${version.version} of ${name}?`} onClose={onClose}>
      <AskForm action="Delete for good" isReady isDangerous changing={remove} onClose={onClose}>
        {currentStage === ModelStage.PRODUCTION && (
          <p>
            It is in <Stage stage={currentStage} /> now.
          </p>
        )}
        {aliases.length > 0 && (
          <p>Whoever loads it as {aliases.map((each) => `“${each}”`).join(" or ")} finds nothing.</p>
        )}
        <p>It can’t be restored, and its number is not used again. Its files stay where they are.</p>
      </AskForm>
    </Dialog>
  );
}

export function VersionTagsDialog({ version, onClose }: Props): ReactNode {
  const { name } = version;
  const refresh = useRefresh();
  return (
    <Dialog title={`Tags of version ${version.version} of ${name}`} onClose={onClose}>
      <TagEditor
        tags={version.tags}
        onSet={(key, value) => models.setModelVersionTags({ name, version: version.version, tags: { [key]: value } })}
        onDelete={(key) => models.deleteModelVersionTag({ name, version: version.version, key })}
        onChanged={refresh}
      />
    </Dialog>
  );
}

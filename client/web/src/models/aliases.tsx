// The aliases of one version: given, moved here from another version, and taken away.

import { useId, useState, type ReactNode } from "react";
import { models } from "../api/clients";
import type { ModelVersion, RegisteredModel } from "../api/generated/trackwire/v1/model_registry_pb";
import { AskForm } from "../ui/ask-form";
import { Dialog } from "../ui/dialog";
import { Icon } from "../ui/icon";
import { Failure } from "../ui/notice";
import { holderOf } from "./addresses";
import { useChange } from "./changes";
import { AliasConsequence } from "./promote";

interface Props {
  version: ModelVersion;
  model: RegisteredModel;
}

export function Aliases({ version, model }: Props): ReactNode {
  const [removed, setRemoved] = useState<string | null>(null);
  return (
    <section className="stacked" aria-label="Aliases">
      <h2>Aliases</h2>
      {version.aliases.length > 0 && (
        <ul className="plain-list line-of wraps">
          {version.aliases.toSorted().map((alias) => (
            <li key={alias} className="alias with-button">
              <span className="clipped" title={alias}>
                {alias}
              </span>
              <button
                className="button plain"
                aria-label={`Remove alias ${alias}`}
                title={`Remove alias ${alias}`}
                onClick={() => setRemoved(alias)}
              >
                <Icon name="close" size={12} />
              </button>
            </li>
          ))}
        </ul>
      )}
      <SetAlias version={version} model={model} />
      {removed && <RemoveDialog alias={removed} version={version} onClose={() => setRemoved(null)} />}
    </section>
  );
}

function SetAlias({ version, model }: Props): ReactNode {
  const [alias, setAlias] = useState("");
  const known = useId();
  const holder = holderOf(model, alias.trim());
  const set = useChange(
    () => models.setRegisteredModelAlias({ name: version.name, alias: alias.trim(), version: version.version }),
    () => setAlias(""),
  );
  return (
    <form
      className="stacked"
      onSubmit={(event) => {
        event.preventDefault();
        set.mutate();
      }}
    >
      <div className="line-of">
        <input
          className="field grow"
          aria-label="New alias"
          placeholder="New alias, such as challenger"
          list={known}
          value={alias}
          onChange={(event) => setAlias(event.target.value)}
        />
        <datalist id={known}>
          {Object.keys(model.aliases).map((each) => (
            <option key={each}>{each}</option>
          ))}
        </datalist>
        <button className="button" disabled={!alias.trim() || set.isPending}>
          {holder !== undefined && holder !== version.version ? "Move here" : "Set"}
        </button>
      </div>
      <AliasConsequence alias={alias.trim()} version={version} model={model} />
      {set.error && <Failure error={set.error} />}
    </form>
  );
}

interface RemoveProps {
  alias: string;
  version: ModelVersion;
  onClose: () => void;
}

function RemoveDialog({ alias, version, onClose }: RemoveProps): ReactNode {
  const { name } = version;
  const remove = useChange(() => models.deleteRegisteredModelAlias({ name, alias }), onClose);
  return (
    <Dialog title={`Remove the alias ${alias}?`} onClose={onClose}>
      <AskForm action="Remove" isReady isDangerous changing={remove} onClose={onClose}>
        <p>
          Whoever loads{" "}
          <span className="mono breaks">
            models:/{name}@{alias}
          </span>{" "}
          then finds nothing. Version {String(version.version)} stays as it is.
        </p>
      </AskForm>
    </Dialog>
  );
}

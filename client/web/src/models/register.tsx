// Registering what a run has logged: a button, what it asks, and as what it is registered already.

import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useDeferredValue, useId, useState, type ReactNode } from "react";
import type { ModelVersion, RegisteredModel } from "../api/generated/trackwire/v1/model_registry_pb";
import { newRequestId } from "../api/request-id";
import { AskForm } from "../ui/ask-form";
import { Dialog } from "../ui/dialog";
import { versionAddress } from "./addresses";
import { useChange } from "./changes";
import type { Place } from "./files";
import { modelNamed, modelsFound } from "./queries";
import { register } from "./registering";
import "./register.css";

interface Props {
  place: Place;
  /** What the reader knows it by. */
  title: string;
  /** Whether MLflow would load it: what else is registered is asked for by plainer words. */
  isModel?: boolean;
}

export function RegisterButton({ place, title, isModel = false }: Props): ReactNode {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button className={isModel ? "button small" : "button plain small"} onClick={() => setOpen(true)}>
        {isModel ? "Register model" : "Register as a model version"}
      </button>
      {isOpen && <RegisterDialog place={place} title={title} onClose={() => setOpen(false)} />}
    </>
  );
}

export function RegisteredAs({ versions }: { versions: ModelVersion[] }): ReactNode {
  if (versions.length === 0) return null;
  return (
    <ul className="registered-as" aria-label="Registered as">
      {versions.map(({ name, version }) => (
        <li key={`${name} ${version}`}>
          Registered as{" "}
          <a href={versionAddress(name, version)}>
            {name}, version {String(version)}
          </a>
        </li>
      ))}
    </ul>
  );
}

function RegisterDialog({ place, title, onClose }: { place: Place; title: string; onClose: () => void }): ReactNode {
  const [asked, setAsked] = useState({ name: "", description: "", requestId: newRequestId() });
  const change = (part: { name?: string; description?: string }): void =>
    setAsked({ ...asked, ...part, requestId: newRequestId() });
  const wanted = asked.name.trim();
  const name = useDeferredValue(wanted);
  const known = useInfiniteQuery({ ...modelsFound(name), placeholderData: keepPreviousData });
  const model = useQuery(modelNamed(name));
  const isLookedUp = model.isSuccess && name === wanted;
  const isThere = isLookedUp && model.data !== null;
  const registering = useChange(() => register(place, { ...asked, name: wanted, isThere }), onClose);
  const list = useId();
  return (
    <Dialog title={`Register ${title}`} onClose={onClose}>
      <AskForm action="Register" isReady={wanted !== ""} changing={registering} onClose={onClose}>
        <label>
          Registered model
          <input
            className="field"
            value={asked.name}
            list={list}
            autoComplete="off"
            placeholder="One that there is, or a new name"
            onChange={(event) => change({ name: event.target.value })}
          />
        </label>
        <datalist id={list}>
          {known.data?.pages.flatMap((page) => page.items.map((each) => <option key={each.name}>{each.name}</option>))}
        </datalist>
        <output className="soft register-outcome">{isLookedUp && outcome(name, model.data)}</output>
        <label>
          Description of this version
          <textarea
            className="field"
            rows={2}
            value={asked.description}
            onChange={(event) => change({ description: event.target.value })}
          />
        </label>
      </AskForm>
    </Dialog>
  );
}

/** What comes of it, before it is done. */
function outcome(name: string, model: RegisteredModel | null): string {
  if (!name) return "";
  if (!model) return "A new model, with this as its first version.";
  const latest = model.latestVersions.reduce((last, { version }) => (version > last ? version : last), 0n);
  return latest > 0n ? `It comes after version ${latest} of this model.` : "It is the first version of this model.";
}

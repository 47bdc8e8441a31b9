// How a version is loaded: code that runs as it stands there.

import { useState, type ReactNode } from "react";
import { mlflowUri, trackingUri } from "../api/address";
import type { ModelVersion } from "../api/generated/trackwire/v1/model_registry_pb";
import { CopyButton } from "../ui/copy-button";
import { uriOf } from "./addresses";
import { filesOf, placeOf } from "./files";

export function Loading({ version }: { version: ModelVersion }): ReactNode {
  const ways = waysOf(version);
  const [chosen, setChosen] = useState(0);
  const way = ways[chosen] ?? ways[0];
  return (
    <section className="stacked" aria-label="How to load it">
      <div className="spread wraps">
        <h2>How to load it</h2>
        {way && (
          <div className="line-of">
            {ways.length > 1 &&
              ways.map(({ name }, at) => (
                <button
                  key={name}
                  className="button plain small"
                  aria-pressed={way.name === name}
                  onClick={() => setChosen(at)}
                >
                  {name}
                </button>
              ))}
            <CopyButton text={way.code} label="Copy" words />
          </div>
        )}
      </div>
      {way ? (
        <pre className="code">{way.code}</pre>
      ) : (
        <p className="soft breaks">
          Its files lie at <span className="mono">{filesOf(version)}</span>, outside of this server, and are read there.
        </p>
      )}
    </section>
  );
}

interface Way {
  name: string;
  code: string;
}

function waysOf(version: ModelVersion): Way[] {
  const place = placeOf(version);
  if (!place) return [];
  // What logged models have of their own is read by MLflow's client alone.
  if (place.owner.case === "modelId") return [{ name: "MLflow", code: byMlflow(version) }];
  // A name with an @ can't be told from one with an alias.
  const uri = version.name.includes("@") ? filesOf(version) : uriOf(version);
  return [
    { name: "Python", code: inPython(uri) },
    { name: "Shell", code: inShell(place.owner.value, place.path) },
  ];
}

function inPython(uri: string): string {
  return `import trackwire

trackwire.set_tracking_uri("${trackingUri()}")
path = trackwire.artifacts.download_artifacts(${JSON.stringify(uri)})`;
}

function inShell(runId: string, path: string): string {
  return `export TRACKWIRE_TRACKING_URI=${trackingUri()}
trackwire artifacts download ${shellQuoted(runId)} ${shellQuoted(path || "/")}`;
}

function shellQuoted(text: string): string {
  return /^[\w./-]+$/.test(text) && !text.startsWith("-") ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function byMlflow(version: ModelVersion): string {
  return `import mlflow

mlflow.set_tracking_uri("${mlflowUri()}")
model = mlflow.pyfunc.load_model(${JSON.stringify(uriOf(version))})`;
}

// How a version is loaded: code that runs as it stands there.

import { useState, type ReactNode } from "react";
import { mlflowUri, useTrackingUri } from "../api/address";
import type { ModelVersion } from "../api/generated/trackwire/v1/model_registry_pb";
import { downloadCommand } from "../artifacts/shell";
import { Code } from "../ui/code";
import { uriOf } from "./addresses";
import { filesOf, placeOf } from "./files";

export function Loading({ version }: { version: ModelVersion }): ReactNode {
  const uri = useTrackingUri();
  const ways = uri === undefined ? [] : waysOf(version, uri);
  const isElsewhere = placeOf(version) === null;
  const [chosen, setChosen] = useState(0);
  const way = ways[chosen] ?? ways[0];
  return (
    <section className="stacked" aria-label="How to load it">
      <div className="spread wraps">
        <h2>How to load it</h2>
        {ways.length > 1 && (
          <div className="line-of">
            {ways.map(({ name }, at) => (
              <button
                key={name}
                className="button plain small"
                aria-pressed={way?.name === name}
                onClick={() => setChosen(at)}
              >
                {name}
              </button>
            ))}
          </div>
        )}
      </div>
      {way && <Code text={way.code} tokenIn={way.tokenIn} />}
      {isElsewhere && (
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
  tokenIn: string;
}

function waysOf(version: ModelVersion, server: string): Way[] {
  const place = placeOf(version);
  if (!place) return [];
  // What logged models have of their own is read by MLflow's client alone.
  if (place.owner.case === "modelId") {
    return [{ name: "MLflow", code: byMlflow(version), tokenIn: "MLFLOW_TRACKING_TOKEN" }];
  }
  // A name with an @ can't be told from one with an alias.
  const uri = version.name.includes("@") ? filesOf(version) : uriOf(version);
  return [
    { name: "Python", code: inPython(uri, server), tokenIn: "TRACKWIRE_TOKEN" },
    {
      name: "Shell",
      code: downloadCommand(server, place.owner.value, place.path || "/"),
      tokenIn: "TRACKWIRE_TOKEN",
    },
  ];
}

function inPython(uri: string, server: string): string {
  return `import trackwire

trackwire.set_tracking_uri("${server}")
path = trackwire.artifacts.download_artifacts(${JSON.stringify(uri)})`;
}

function byMlflow(version: ModelVersion): string {
  return `import mlflow

mlflow.set_tracking_uri("${mlflowUri()}")
model = mlflow.pyfunc.load_model(${JSON.stringify(uriOf(version))})`;
}

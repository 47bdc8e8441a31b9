// How a version is loaded: code that runs as it stands there.

import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { mlflowUri, useTrackingUri } from "../api/address";
import type { ModelVersion } from "../api/generated/trackwire/v1/model_registry_pb";
import { downloadByUri } from "../artifacts/shell";
import { Code } from "../ui/code";
import { uriOf } from "./addresses";
import { filesAddress, filesOf, placeOf, type Place } from "./files";
import { modelFileAt } from "./model-file";

export function Loading({ version }: { version: ModelVersion }): ReactNode {
  const server = useTrackingUri();
  const place = placeOf(version);
  const file = useQuery(modelFileAt(place));
  const [chosen, setChosen] = useState("");
  const isKnown = place !== null && server !== undefined && !file.isPending;
  const ways = isKnown ? waysOf(version, place, server, Boolean(file.data)) : [];
  const way = ways.find(({ name }) => name === chosen) ?? ways[0];
  const files = filesAddress(version);
  return (
    <section className="stacked" aria-label="How to load it">
      <div className="spread wraps">
        <h2>How to load it</h2>
        {ways.length > 1 && (
          <div className="line-of">
            {ways.map(({ name }) => (
              <button
                key={name}
                className="button plain small"
                aria-pressed={way?.name === name}
                onClick={() => setChosen(name)}
              >
                {name}
              </button>
            ))}
          </div>
        )}
      </div>
      {way && <Code text={way.code} tokenIn={way.tokenIn} />}
      {files && (
        <p>
          <a href={files}>Look at its files</a>
        </p>
      )}
      {!place && (
        <p className="soft breaks">
          Its files lie at <span className="mono">{filesOf(version)}</span>, outside of this server, and are read there.
        </p>
      )}
    </section>
  );
}

// The folder that files are put into.
const INTO = "model";

interface Way {
  name: string;
  code: string;
  tokenIn: string;
}

/** What loads it comes first, and then what fetches its files. */
function waysOf(version: ModelVersion, place: Place, server: string, isModel: boolean): Way[] {
  const mlflow = { name: "MLflow", code: byMlflow(version), tokenIn: "MLFLOW_TRACKING_TOKEN" };
  // A name with an @ can't be told from one with an alias.
  const uri = version.name.includes("@") ? filesOf(version) : uriOf(version);
  const python = { name: "Python", code: inPython(uri, server), tokenIn: "TRACKWIRE_TOKEN" };
  const shell = { name: "Shell", code: downloadByUri(server, uri, INTO), tokenIn: "TRACKWIRE_TOKEN" };
  return isModel || place.owner.case === "modelId" ? [mlflow, python, shell] : [python, shell];
}

function inPython(uri: string, server: string): string {
  return `import trackwire

trackwire.set_tracking_uri("${server}")
path = trackwire.artifacts.download_artifacts(${JSON.stringify(uri)}, dst_path="${INTO}")
print(path)`;
}

function byMlflow(version: ModelVersion): string {
  return `import mlflow

mlflow.set_tracking_uri("${mlflowUri()}")
model = mlflow.pyfunc.load_model(${JSON.stringify(uriOf(version))})`;
}

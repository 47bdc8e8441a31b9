// What a version takes and gives, where MLflow has written it beside the files.

import { queryOptions, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { artifacts } from "../api/clients";
import type { ModelVersion } from "../api/generated/trackwire/v1/model_registry_pb";
import { Failure } from "../ui/notice";
import { placeOf, type Place } from "./files";
import { signatureIn, type Field } from "./mlmodel";
import { Values, type NamedValue } from "./values";

const FILE = "MLmodel";
// Far beyond what MLflow writes; the rest of a longer one is not read.
const BYTES_MAX = 4_000_000n;
const ENTRIES_MAX = 10_000;

function signatureAt(place: Place | null) {
  return queryOptions({
    queryKey: ["model-signature", place],
    enabled: place !== null,
    queryFn: ({ signal }) => readSignature(place as Place, signal),
  });
}

async function readSignature({ owner, path }: Place, signal: AbortSignal) {
  const wanted = path ? `${path}/${FILE}` : FILE;
  const { artifacts: listed } = await artifacts.listArtifacts({ owner, path, pageSize: ENTRIES_MAX }, { signal });
  if (!listed.some((each) => each.path === wanted && !each.isDir)) return null;
  const decoder = new TextDecoder();
  let text = "";
  for await (const part of artifacts.downloadArtifact({ owner, path: wanted, length: BYTES_MAX }, { signal })) {
    text += decoder.decode(part.data, { stream: true });
  }
  try {
    return signatureIn(text);
  } catch (error) {
    throw new Error(`The signature in ${wanted} can’t be read: ${String(error)}`, { cause: error });
  }
}

export function SignatureOf({ version }: { version: ModelVersion }): ReactNode {
  const found = useQuery(signatureAt(placeOf(version)));
  if (!found.data && !found.error) return null;
  return (
    <section className="stacked" aria-label="Signature">
      <h2>Signature</h2>
      {found.error && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {found.data && (
        <div className="origin-tables">
          <Values title="Inputs" values={found.data.inputs.map(named)} />
          <Values title="Outputs" values={found.data.outputs.map(named)} />
          {found.data.params.length > 0 && <Values title="Params" values={found.data.params.map(named)} />}
        </div>
      )}
    </section>
  );
}

function named({ name, type }: Field, at: number): NamedValue {
  return { name: name || `unnamed ${at + 1}`, value: type };
}

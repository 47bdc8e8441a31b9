// What a version takes and gives, where MLflow has written it beside the files.

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { ModelVersion } from "../api/generated/trackwire/v1/model_registry_pb";
import { Failure } from "../ui/notice";
import { placeOf } from "./files";
import { modelFileAt, type ModelFile } from "./model-file";
import { signatureIn, type Field, type Signature } from "./mlmodel";
import { Values, type NamedValue } from "./values";

export function SignatureOf({ version }: { version: ModelVersion }): ReactNode {
  const found = useQuery({ ...modelFileAt(placeOf(version)), select: signatureOf });
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

function signatureOf(file: ModelFile | null): Signature | null {
  try {
    return file && signatureIn(file.text);
  } catch (error) {
    throw new Error(`The signature in ${file?.path} can’t be read: ${String(error)}`, { cause: error });
  }
}

function named({ name, type }: Field, at: number): NamedValue {
  return { name: name || `unnamed ${at + 1}`, value: type };
}

// What MLflow writes beside a model of what it takes and gives: the `signature` of the file MLmodel.

export interface Field {
  /** Empty where it has none. */
  name: string;
  type: string;
}

export interface Signature {
  inputs: Field[];
  outputs: Field[];
  params: Field[];
}

/** Null where the file tells of none. Raises where there is one that can't be read. */
export function signatureIn(text: string): Signature | null {
  const block = /^signature:[^\n]*\n((?: [^\n]*\n?)+)/m.exec(text)?.[1];
  if (block === undefined) return null;
  return {
    inputs: fieldsIn(block, "inputs"),
    outputs: fieldsIn(block, "outputs"),
    params: fieldsIn(block, "params"),
  };
}

// The file is YAML. Each part is one text of JSON, in single quotes and folded: a line's end stands for a space.
function fieldsIn(block: string, part: keyof Signature): Field[] {
  const written = new RegExp(`^ +${part}: +'((?:[^']|'')*)'`, "m").exec(block)?.[1];
  if (written === undefined) return [];
  const found: unknown = JSON.parse(written.replace(/\n */g, " ").replaceAll("''", "'"));
  if (!Array.isArray(found)) throw new Error(`${part} of the signature is no list`);
  return found.map((each: unknown) => {
    const name = partOf(each, "name");
    return { name: typeof name === "string" ? name : "", type: typeIn(each) };
  });
}

function typeIn(spec: unknown): string {
  const type = partOf(spec, "type") ?? partOf(spec, "dtype");
  const words = type === "tensor" ? tensorWords(partOf(spec, "tensor-spec")) : String(type ?? "any");
  const whole = type === "array" ? `array of ${typeIn(partOf(spec, "items"))}` : words;
  return partOf(spec, "required") === false ? `${whole}, optional` : whole;
}

function tensorWords(spec: unknown): string {
  const shape = partOf(spec, "shape");
  return `${String(partOf(spec, "dtype") ?? "tensor")} (${Array.isArray(shape) ? shape.join(", ") : ""})`;
}

function partOf(spec: unknown, name: string): unknown {
  return typeof spec === "object" && spec !== null ? (spec as Record<string, unknown>)[name] : undefined;
}

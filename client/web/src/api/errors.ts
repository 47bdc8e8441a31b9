// Errors in words.

import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema } from "./generated/trackwire/internal/v1/errors_pb";
import { fromBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";

/** What the server says is wrong; the sentence for what has no words of its own. */
export function wordsOf(error: unknown): string {
  const found = ConnectError.from(error);
  if (found.code === Code.Canceled) return "The call was given up.";
  if (isAway(found)) return "The server can't be reached. It is asked again by itself.";
  return found.rawMessage || `The server answered ${Code[found.code]}, and nothing else.`;
}

/** Whether nobody answered, or only a proxy did. */
export function isAway(error: unknown): boolean {
  const found = ConnectError.from(error);
  return found.code === Code.Unavailable || (found.code === Code.Unknown && found.cause instanceof TypeError);
}

export function needsToken(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Unauthenticated;
}

/** The place in a filter at which it can't be read, from 0; undefined where the error isn't about one. */
export function columnOf(error: unknown): number | undefined {
  const column = detail(error, "google.rpc.ErrorInfo", ErrorInfoSchema)?.metadata["column"];
  return column === undefined ? undefined : Number(column) - 1;
}

/** What is wrong with a filter, without the filter and the place in it: they are shown beside it. */
export function reasonOf(error: unknown): string {
  const { value = "", column = "" } = detail(error, "google.rpc.ErrorInfo", ErrorInfoSchema)?.metadata ?? {};
  const words = wordsOf(error);
  if (!column) return words;
  const [reason = words] = (words.split(`: ${value}: `).at(-1) ?? words).split(` (column ${column})`);
  return reason;
}

/** The request's field that is at fault. */
export function fieldOf(error: unknown): string | undefined {
  return detail(error, "google.rpc.BadRequest", BadRequestSchema)?.fieldViolations[0]?.field;
}

function detail<Message extends DescMessage>(
  error: unknown,
  type: string,
  schema: Message,
): MessageShape<Message> | null {
  if (!(error instanceof ConnectError)) return null;
  for (const each of error.details) {
    if ("type" in each && each.type === type) return fromBinary(schema, each.value);
  }
  return null;
}

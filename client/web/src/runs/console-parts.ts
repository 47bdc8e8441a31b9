// What a run printed: the parts in which its client keeps it as artifacts, and their lines.

import { queryOptions } from "@tanstack/react-query";
import { readBytes } from "../artifacts/reading";

export const CONSOLE_FOLDER = "console";

export type Stream = "out" | "err" | "---";

export interface ConsoleLine {
  /** ISO 8601; empty where the line bears no time. */
  time: string;
  /** "---" is what the client itself has to say. */
  stream: Stream;
  text: string;
}

// A head of 29 signs, and the text.
const LINE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (out|err|---) (.*)$/;
const PART_BYTES_MAX = 8_000_000;

/** A part is never written again. */
export function consolePart(runId: string, path: string) {
  return queryOptions({
    queryKey: ["console", runId, path],
    staleTime: Infinity,
    gcTime: 60_000,
    queryFn: async ({ signal }): Promise<ConsoleLine[]> => {
      const owner = { case: "runId", value: runId } as const;
      const { blob } = await readBytes({ owner, path, signal, limitBytes: PART_BYTES_MAX });
      return linesOf(await blob.text());
    },
  });
}

function linesOf(text: string): ConsoleLine[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => {
    const [, time, stream, rest] = LINE.exec(line) ?? [];
    return { time: time ?? "", stream: (stream ?? "out") as Stream, text: rest ?? line };
  });
}

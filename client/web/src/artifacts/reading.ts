// A file's bytes, as they come.

import { artifacts } from "../api/clients";
import type { Owner } from "./queries";

/** What a file is made of for the browser; never text/html or what else might run as a page of ours. */
export type ContentType = "application/octet-stream" | "application/pdf" | `${"image" | "audio" | "video"}/${string}`;

export interface Reading {
  owner: Owner;
  path: string;
  signal: AbortSignal;
  /** At most so many bytes from the begin; all where absent. */
  lengthBytes?: number;
  /** A file that has more is refused (`TooLarge`). */
  limitBytes?: number;
  onProgress?: (receivedBytes: number, sizeBytes: number) => void;
}

export interface Bytes {
  /** Those that were asked for. */
  blob: Blob;
  /** All that the file has. */
  sizeBytes: number;
}

export class TooLarge extends Error {
  constructor(
    readonly sizeBytes: number,
    readonly limitBytes: number,
  ) {
    super("the file is too large to be shown");
  }
}

// Bytes in blobs need not stay in memory.
const GATHERED_BYTES = 16 * 1024 * 1024;

/** Reads a file, or its begin. */
export async function readBytes(reading: Reading, type: ContentType = "application/octet-stream"): Promise<Bytes> {
  // What is given up on the way is not sent any further.
  const end = new AbortController();
  try {
    return await gathered({ ...reading, signal: AbortSignal.any([reading.signal, end.signal]) }, type);
  } finally {
    end.abort();
  }
}

async function gathered(reading: Reading, type: ContentType): Promise<Bytes> {
  const { owner, path, signal, lengthBytes = 0, limitBytes = Infinity, onProgress } = reading;
  const parts: Blob[] = [];
  let waiting: BlobPart[] = [];
  let waitingBytes = 0;
  let receivedBytes = 0;
  let sizeBytes = 0;
  const stream = artifacts.downloadArtifact({ owner, path, length: BigInt(lengthBytes) }, { signal });
  for await (const message of stream) {
    if (message.sizeBytes) sizeBytes = Number(message.sizeBytes);
    if (sizeBytes > limitBytes) throw new TooLarge(sizeBytes, limitBytes);
    waiting.push(message.data as Uint8Array<ArrayBuffer>);
    waitingBytes += message.data.byteLength;
    receivedBytes += message.data.byteLength;
    if (waitingBytes >= GATHERED_BYTES) {
      parts.push(new Blob(waiting));
      waiting = [];
      waitingBytes = 0;
    }
    onProgress?.(receivedBytes, lengthBytes ? Math.min(lengthBytes, sizeBytes) : sizeBytes);
  }
  return { blob: new Blob([...parts, ...waiting], { type }), sizeBytes };
}

/** Hands bytes to the reader as a file. They are never named as what a browser might open as a page. */
export function saveAs(blob: Blob, name: string): void {
  const url = URL.createObjectURL(new Blob([blob], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// A file's bytes for whoever shows them: with their progress, and given up when nobody looks any more.

import { useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import type { Owner } from "./queries";
import { readBytes, type Bytes, type ContentType } from "./reading";

/** More than this is not shown. */
export const SHOWN_BYTES_MAX = 50_000_000;

export interface Progress {
  receivedBytes: number;
  sizeBytes: number;
}

export interface Loading {
  found: UseQueryResult<Bytes>;
  progress: Progress | null;
  cancel: () => void;
}

interface Asked {
  owner: Owner;
  path: string;
  type?: ContentType;
  /** Only so many from the begin. */
  lengthBytes?: number;
}

export function useBytes({ owner, path, type, lengthBytes }: Asked): Loading {
  const queries = useQueryClient();
  const [progress, setProgress] = useState<Progress | null>(null);
  const queryKey = ["bytes", owner, path, type, lengthBytes];
  const found = useQuery({
    queryKey,
    // What was looked at before is asked for again: a file may be replaced.
    gcTime: 30_000,
    staleTime: 30_000,
    refetchOnWindowFocus: false,
    queryFn: ({ signal }) =>
      readBytes(
        {
          owner,
          path,
          signal,
          onProgress: (receivedBytes, sizeBytes) => setProgress({ receivedBytes, sizeBytes }),
          ...(lengthBytes === undefined ? { limitBytes: SHOWN_BYTES_MAX } : { lengthBytes }),
        },
        type,
      ),
  });
  return { found, progress, cancel: () => void queries.cancelQueries({ queryKey }) };
}

/** An address of bytes within this page, for as long as they are shown. */
export function useBlobUrl(blob: Blob | undefined): string {
  const [url, setUrl] = useState("");
  useEffect(() => {
    if (!blob) return undefined;
    const made = URL.createObjectURL(blob);
    // Made and revoked in one place: what is made while rendering might never be shown, and never be revoked.
    // oxlint-disable-next-line react/set-state-in-effect
    setUrl(made);
    return () => {
      setUrl("");
      URL.revokeObjectURL(made);
    };
  }, [blob]);
  return url;
}

/** Bytes as text, once they are there; null before, and where they are none. */
export function useText(blob: Blob | undefined): { text: string; isText: boolean } | null {
  const [read, setRead] = useState<{ of: Blob; bytes: ArrayBuffer } | null>(null);
  useEffect(() => {
    let wanted = true;
    void blob?.arrayBuffer().then((bytes) => wanted && setRead({ of: blob, bytes }));
    return () => {
      wanted = false;
    };
  }, [blob]);
  return useMemo(() => (read && read.of === blob ? textOf(new Uint8Array(read.bytes)) : null), [read, blob]);
}

/** UTF-8, of which the last sign may be cut; what has NUL in it is no text. */
function textOf(bytes: Uint8Array): { text: string; isText: boolean } {
  const text = new TextDecoder().decode(bytes);
  const sample = text.slice(0, 65_536);
  const unreadable = sample.split("\ufffd").length - 1;
  return { text, isText: !sample.includes("\0") && unreadable <= sample.length / 100 + 1 };
}

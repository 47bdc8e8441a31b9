// A file for the reader to keep: through the server, from its store, or, past what a browser holds, by the command line.

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useTrackingUri } from "../api/address";
import { formatBytes } from "../format";
import { CopyButton } from "../ui/copy-button";
import { Icon } from "../ui/icon";
import { Failure } from "../ui/notice";
import { nameOf, shownName } from "./kinds";
import { linkAtStore, type Owner } from "./queries";
import { readBytes, saveAs } from "./reading";
import { downloadCommand } from "./shell";
import type { Progress } from "./use-bytes";

const HELD_BYTES_MAX = 2_000_000_000;
// Smaller files are not worth another way.
const LINK_BYTES_MIN = 8 * 1024 * 1024;

export function Download({ owner, path, sizeBytes }: { owner: Owner; path: string; sizeBytes: number }): ReactNode {
  const isLarge = sizeBytes >= LINK_BYTES_MIN;
  const link = useQuery({ ...linkAtStore(owner, path), enabled: isLarge });
  return (
    <div className="line-of wraps">
      {link.data && (
        <a className="button small" href={link.data} target="_blank" rel="noopener noreferrer" download={nameOf(path)}>
          <Icon name="download" /> Download from the store
        </a>
      )}
      {sizeBytes > HELD_BYTES_MAX ? (
        <ByCommand owner={owner} path={path} />
      ) : (
        <ThroughServer
          key={path}
          owner={owner}
          path={path}
          words={link.data ? "Through the server" : "Download"}
          sizeBytes={sizeBytes}
        />
      )}
    </div>
  );
}

function ThroughServer(props: { owner: Owner; path: string; words: string; sizeBytes: number }): ReactNode {
  const { owner, path, words, sizeBytes } = props;
  const [progress, setProgress] = useState<Progress | null>(null);
  const [error, setError] = useState<unknown>(null);
  const giveUp = useRef<AbortController>(null);
  useEffect(() => () => giveUp.current?.abort(), []);
  const start = async () => {
    const controller = new AbortController();
    giveUp.current = controller;
    setError(null);
    setProgress({ receivedBytes: 0, sizeBytes });
    const onProgress = (receivedBytes: number, size: number) => setProgress({ receivedBytes, sizeBytes: size });
    try {
      const { blob } = await readBytes({ owner, path, signal: controller.signal, onProgress });
      saveAs(blob, shownName(nameOf(path)));
    } catch (failure) {
      if (!controller.signal.aborted) setError(failure);
    }
    setProgress(null);
  };
  if (progress) return <Progressing progress={progress} onCancel={() => giveUp.current?.abort()} />;
  return (
    <>
      <button className="button small" onClick={() => void start()}>
        <Icon name="download" /> {words}
      </button>
      {error !== null && <Failure error={error} />}
    </>
  );
}

/** How much of a file is there. */
export function Progressing({ progress, onCancel }: { progress: Progress; onCancel: () => void }): ReactNode {
  const { receivedBytes, sizeBytes } = progress;
  return (
    <span className="line-of">
      <progress value={receivedBytes} max={Math.max(sizeBytes, 1)} aria-label="Downloaded" />
      <span className="soft number">
        {formatBytes(receivedBytes)} of {formatBytes(sizeBytes)}
      </span>
      <button className="button small" onClick={onCancel}>
        Cancel
      </button>
    </span>
  );
}

function ByCommand({ owner, path }: { owner: Owner; path: string }): ReactNode {
  const server = useTrackingUri();
  if (server === undefined) return null;
  const command = downloadCommand(server, owner, path);
  return (
    <span className="line-of">
      <span className="soft">Too large for a browser; in a shell:</span>
      <code className="mono clipped">{command}</code>
      <CopyButton text={command} label="Copy the command" />
    </span>
  );
}

// Folders and files, each folder asked for when it is opened.

import { useInfiniteQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import type { Artifact } from "../api/generated/trackwire/v1/artifacts_pb";
import { formatBytes, formatTime } from "../format";
import { Icon } from "../ui/icon";
import { Failure } from "../ui/notice";
import { nameOf, shownName } from "./kinds";
import { folderOf, type Owner } from "./queries";

interface Props {
  owner: Owner;
  /** The folder whose entries these are; empty for the root. */
  folder: string;
  /** What is shown beside the tree; a folder's path ends in "/". */
  chosen: string;
  addressOfFile: (path: string) => string;
  /** Whether more may come. */
  isLive: boolean;
}

export function Tree({ owner, folder, chosen, addressOfFile, isLive }: Props): ReactNode {
  const found = useInfiniteQuery({ ...folderOf(owner, folder), refetchInterval: isLive ? 5_000 : false });
  const entries = found.data?.pages.flatMap((page) => page.artifacts) ?? [];
  return (
    <>
      {found.error && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {found.isSuccess && entries.length === 0 && <p className="soft tree-empty">Nothing is here.</p>}
      <ul className="tree">
        {entries.map((entry) => (
          <li key={entry.path}>
            {entry.isDir ? (
              <Folder {...{ owner, chosen, addressOfFile, isLive }} folder={entry.path} />
            ) : (
              <File entry={entry} isChosen={entry.path === chosen} address={addressOfFile(entry.path)} />
            )}
          </li>
        ))}
        {found.hasNextPage && (
          <li>
            <button
              className="button plain small"
              disabled={found.isFetchingNextPage}
              onClick={() => void found.fetchNextPage()}
            >
              Show more
            </button>
          </li>
        )}
      </ul>
    </>
  );
}

function Folder({ owner, folder, chosen, addressOfFile, isLive }: Props): ReactNode {
  const holdsChosen = chosen.startsWith(`${folder}/`);
  const [isOpen, setOpen] = useState(holdsChosen);
  const [last, setLast] = useState(chosen);
  if (last !== chosen) {
    setLast(chosen);
    if (holdsChosen) setOpen(true);
  }
  const name = shownName(nameOf(folder));
  return (
    <>
      <div className={chosen === `${folder}/` ? "tree-row chosen" : "tree-row"}>
        <button
          className="button plain small tree-fold"
          aria-expanded={isOpen}
          aria-label={`Folder ${name}`}
          onClick={() => setOpen(!isOpen)}
        >
          <Icon name={isOpen ? "down" : "right"} size={12} />
        </button>
        <a
          className="tree-name"
          href={addressOfFile(`${folder}/`)}
          aria-current={chosen === `${folder}/` || undefined}
          title={name}
          onClick={() => setOpen(true)}
        >
          <Icon name="folder" size={14} />
          <bdi className="clipped">{name}</bdi>
        </a>
      </div>
      {isOpen && <Tree {...{ owner, folder, chosen, addressOfFile, isLive }} />}
    </>
  );
}

function File({ entry, isChosen, address }: { entry: Artifact; isChosen: boolean; address: string }): ReactNode {
  const name = shownName(nameOf(entry.path));
  return (
    <div className={isChosen ? "tree-row chosen" : "tree-row"}>
      <span className="tree-fold" />
      <a className="tree-name" href={address} aria-current={isChosen || undefined} title={name}>
        <Icon name="file" size={14} />
        <bdi className="clipped">{name}</bdi>
      </a>
      <span className="soft number tree-size" title={formatTime(entry.modificationTimeMs)}>
        {formatBytes(entry.sizeBytes)}
      </span>
    </div>
  );
}

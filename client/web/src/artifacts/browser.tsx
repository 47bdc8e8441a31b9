// The files of a run or of a logged model: a tree, and what is chosen in it.

import { useInfiniteQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTrackingUri } from "../api/address";
import { formatBytes, formatCount } from "../format";
import { addressOf, usePlace } from "../router";
import { Code } from "../ui/code";
import { CopyButton } from "../ui/copy-button";
import { Empty, Failure } from "../ui/notice";
import "./browser.css";
import { nameOf, shownName } from "./kinds";
import { folderOf, type Owner } from "./queries";
import { SERIES_FOLDER } from "./series";
import { SeriesView } from "./series-view";
import { downloadCommand } from "./shell";
import { Tree } from "./tree";
import { FileView } from "./viewer";

interface Props {
  owner: Owner;
  /** Whether more may come. */
  isLive: boolean;
  /** What of the address stays when another file is chosen. */
  kept: Record<string, string>;
  renderOffer?: RenderOffer;
}

/** What else is offered for a folder or a file, by its path without "/" at its end. */
export type RenderOffer = (path: string, isModel: boolean) => ReactNode;

// What MLflow writes beside a model, in its folder.
const MODEL_FILE = "MLmodel";

export function ArtifactBrowser({ owner, isLive, kept, renderOffer }: Props): ReactNode {
  const { path: page, query } = usePlace();
  const chosen = query.get("path") ?? "";
  const root = useInfiniteQuery({ ...folderOf(owner, ""), refetchInterval: isLive ? 5_000 : false });
  const addressOfFile = (path: string) => addressOf(page, { ...kept, path });
  const rootUri = root.data?.pages[0]?.rootUri;
  const isEmpty = root.isSuccess && root.data.pages[0]?.artifacts.length === 0;
  if (root.error && !root.data) return <Failure error={root.error} onRetry={() => void root.refetch()} />;
  if (isEmpty && !chosen) {
    return (
      <Empty title="There are no artifacts yet">
        <p>Whatever is logged as a file lies here:</p>
        <pre>trackwire.log_artifact(&quot;model.pt&quot;)</pre>
      </Empty>
    );
  }
  return (
    <div className={chosen ? "artifacts panel has-choice" : "artifacts panel"}>
      <nav className="artifacts-tree" aria-label="Artifacts">
        <Tree key={owner.value} {...{ owner, chosen, addressOfFile, isLive }} folder="" />
        {rootUri && (
          <p className="artifacts-root">
            <span className="soft mono clipped" title={rootUri}>
              {rootUri}
            </span>
            <CopyButton text={rootUri} label="Copy where the artifacts lie" />
          </p>
        )}
      </nav>
      <div className="artifacts-shown">
        {chosen && (
          <a className="button small artifacts-back" href={addressOf(page, kept)}>
            All files
          </a>
        )}
        <Chosen key={owner.value} {...{ owner, chosen, addressOfFile, renderOffer }} />
      </div>
    </div>
  );
}

interface ChosenProps {
  owner: Owner;
  chosen: string;
  addressOfFile: (path: string) => string;
  renderOffer: RenderOffer | undefined;
}

function Chosen({ owner, chosen, addressOfFile, renderOffer }: ChosenProps): ReactNode {
  if (!chosen) return <Empty title="Choose a file to look at it">{renderOffer?.("", true)}</Empty>;
  if (!chosen.endsWith("/")) return <FileView owner={owner} path={chosen} offer={renderOffer?.(chosen, false)} />;
  const folder = chosen.slice(0, -1);
  if (folder === SERIES_FOLDER) return <SeriesView owner={owner} folder={folder} addressOfFile={addressOfFile} />;
  return (
    <div className="folder-view">
      <FolderView key={folder} {...{ owner, folder, renderOffer }} />
      {/* Where the window has no room for the tree beside it. */}
      <div className="folder-entries">
        <Tree key={folder} {...{ owner, folder, chosen, addressOfFile }} isLive={false} />
      </div>
    </div>
  );
}

function FolderView({
  owner,
  folder,
  renderOffer,
}: Pick<ChosenProps, "owner" | "renderOffer"> & { folder: string }): ReactNode {
  const found = useInfiniteQuery(folderOf(owner, folder));
  const server = useTrackingUri();
  const entries = found.data?.pages.flatMap((page) => page.artifacts) ?? [];
  const files = entries.filter((entry) => !entry.isDir);
  const bytes = files.reduce((sum, entry) => sum + Number(entry.sizeBytes), 0);
  const isModel = files.some(({ path }) => nameOf(path) === MODEL_FILE);
  const atLeast = found.hasNextPage ? "at least " : "";
  return (
    <Empty title={shownName(nameOf(folder))}>
      {found.isSuccess && (
        <p>
          {atLeast}
          {formatCount(files.length, "file")} with {formatBytes(bytes)},{" "}
          {formatCount(entries.length - files.length, "folder")}
        </p>
      )}
      {found.isSuccess && renderOffer?.(folder, isModel)}
      {server !== undefined && (
        <>
          <p>All of it, in a shell:</p>
          <Code text={downloadCommand(server, owner, folder, nameOf(folder))} />
        </>
      )}
    </Empty>
  );
}

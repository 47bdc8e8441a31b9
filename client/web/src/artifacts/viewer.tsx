// One file, shown by its kind.

import { useMemo, useState, type ReactNode } from "react";
import { formatBytes } from "../format";
import { CopyButton } from "../ui/copy-button";
import { Empty, Failure } from "../ui/notice";
import { Download, Progressing } from "./download";
import { HtmlView, MediaView, PdfView } from "./framed-views";
import { ImageView } from "./image-view";
import { JsonView } from "./json-view";
import { kindOf, mediaType, nameOf, shownName, suffixOf, type Kind } from "./kinds";
import type { Owner } from "./queries";
import { TooLarge, type ContentType } from "./reading";
import { tableOfText } from "./table-data";
import { TableView } from "./table-view";
import { Shortened, TextView } from "./text-view";
import { SHOWN_BYTES_MAX, useBytes, useText, type Loading } from "./use-bytes";

const BEGIN_BYTES = 1024 * 1024;
// A file without a known ending is looked at before it is called text.
const SAMPLE_BYTES = 64 * 1024;

interface Props {
  owner: Owner;
  path: string;
  /** What else is offered for it. */
  offer?: ReactNode;
}

export function FileView({ owner, path, offer }: Props): ReactNode {
  const kind = kindOf(path);
  return (
    <section className="file-view" aria-label={shownName(nameOf(path))}>
      {kind === "text" || kind === "table" || kind === "unknown" ? (
        <BeginOfFile key={path} {...{ owner, path, offer }} kind={kind} />
      ) : kind === "binary" ? (
        <Unshown key={path} {...{ owner, path, offer }} />
      ) : (
        <WholeFile key={path} {...{ owner, path, offer }} kind={kind} />
      )}
    </section>
  );
}

function Head({ owner, path, offer, sizeBytes }: Props & { sizeBytes: number | undefined }): ReactNode {
  return (
    <div className="file-head">
      <h2 className="clipped" title={shownName(path)}>
        <bdi>{shownName(nameOf(path))}</bdi>
      </h2>
      <CopyButton text={path} label="Copy the path" />
      {sizeBytes !== undefined && <span className="soft number">{formatBytes(sizeBytes)}</span>}
      <span className="grow" />
      {sizeBytes !== undefined && offer}
      {sizeBytes !== undefined && <Download owner={owner} path={path} sizeBytes={sizeBytes} />}
    </div>
  );
}

/** Text and rows: as much as can be read at a glance, and more when it is asked for. */
function BeginOfFile({ owner, path, offer, kind }: Props & { kind: Kind }): ReactNode {
  const [lengthBytes, setLengthBytes] = useState(kind === "unknown" ? SAMPLE_BYTES : BEGIN_BYTES);
  const loading = useBytes({ owner, path, lengthBytes });
  const read = useText(loading.found.data?.blob);
  const sizeBytes = loading.found.data?.sizeBytes ?? 0;
  const more = () => setLengthBytes(Math.min(Math.max(4 * lengthBytes, BEGIN_BYTES), SHOWN_BYTES_MAX));
  const note = (
    <Shortened
      shownBytes={loading.found.data?.blob.size ?? 0}
      sizeBytes={sizeBytes}
      onMore={lengthBytes < SHOWN_BYTES_MAX ? more : undefined}
    />
  );
  return (
    <>
      <Head {...{ owner, path, offer }} sizeBytes={loading.found.data?.sizeBytes} />
      <State loading={loading} />
      {read && !read.isText && <Empty title="This file is no text">{note}</Empty>}
      {read?.isText && read.text === "" && <Empty title="This file is empty" />}
      {read?.isText && read.text !== "" && (
        <Begin path={path} kind={kind} text={read.text} isWhole={lengthBytes >= sizeBytes} note={note} />
      )}
    </>
  );
}

function Begin(props: { path: string; kind: Kind; text: string; isWhole: boolean; note: ReactNode }): ReactNode {
  const { path, kind, text, isWhole, note } = props;
  const table = useMemo(() => {
    if (kind !== "table") return null;
    // The last row may be cut.
    const whole = isWhole ? text : text.slice(0, text.lastIndexOf("\n") + 1) || text;
    return tableOfText(whole, suffixOf(path) === "tsv" ? "\t" : ",");
  }, [path, kind, text, isWhole]);
  return table ? <TableView table={table} note={note} /> : <TextView text={text} note={note} />;
}

/** What can only be shown whole. */
function WholeFile({ owner, path, offer, kind }: Props & { kind: Kind }): ReactNode {
  const loading = useBytes({ owner, path, type: typeFor(kind, path) });
  const { data, error } = loading.found;
  const sizeBytes = error instanceof TooLarge ? error.sizeBytes : data?.sizeBytes;
  return (
    <>
      <Head {...{ owner, path, offer }} sizeBytes={sizeBytes} />
      <State loading={loading} />
      {data && <Shown blob={data.blob} kind={kind} path={path} />}
    </>
  );
}

function typeFor(kind: Kind, path: string): ContentType {
  return kind === "pdf" ? "application/pdf" : mediaType(path);
}

function Shown({ blob, kind, path }: { blob: Blob; kind: Kind; path: string }): ReactNode {
  const read = useText(kind === "json" || kind === "html" ? blob : undefined);
  const name = nameOf(path);
  if (blob.size === 0) return <Empty title="This file is empty" />;
  if (kind === "image") return <ImageView blob={blob} name={name} />;
  if (kind === "pdf") return <PdfView blob={blob} name={name} />;
  if (kind === "audio" || kind === "video") return <MediaView blob={blob} name={name} kind={kind} />;
  if (!read) return null;
  return kind === "html" ? <HtmlView key={path} html={read.text} name={name} /> : <JsonView text={read.text} />;
}

function Unshown({ owner, path, offer }: Props): ReactNode {
  // One byte tells the size of the whole.
  const loading = useBytes({ owner, path, lengthBytes: 1 });
  return (
    <>
      <Head {...{ owner, path, offer }} sizeBytes={loading.found.data?.sizeBytes} />
      <State loading={loading} />
      {loading.found.data && (
        <Empty title="Files of this kind can't be shown">
          <p>Download it to look at it with what it was written by.</p>
        </Empty>
      )}
    </>
  );
}

/** How far the bytes have come, or why there are none. */
function State({ loading }: { loading: Loading }): ReactNode {
  const { found, progress, cancel } = loading;
  if (found.error instanceof TooLarge) {
    return (
      <Empty title="This file is too large to be shown">
        <p>
          It has {formatBytes(found.error.sizeBytes)}, and at most {formatBytes(found.error.limitBytes)} are shown here.
        </p>
      </Empty>
    );
  }
  if (found.error) return <Failure error={found.error} onRetry={() => void found.refetch()} />;
  if (found.isFetching && progress && progress.sizeBytes > BEGIN_BYTES) {
    return (
      <div className="view-tools">
        <Progressing progress={progress} onCancel={cancel} />
      </div>
    );
  }
  if (found.isPending && !found.isFetching) {
    return (
      <Empty title="The download was given up">
        <button className="button" onClick={() => void found.refetch()}>
          Load it
        </button>
      </Empty>
    );
  }
  return null;
}

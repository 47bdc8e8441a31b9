// Words for a shell that mean nothing to it but themselves.

import type { Owner } from "./queries";

/** Downloads a file or a folder, whatever its path begins with, into a folder; into the present one by default. */
export function downloadCommand(server: string, { case: whose, value }: Owner, path: string, into = ""): string {
  if (whose === "modelId") return downloadByUri(server, `models:/${value}/${path}`, into);
  return download(server, `${quoted(value)} ${path.startsWith("-") ? "-- " : ""}${quoted(path)}`, into);
}

/** Downloads what such a URI as `models:/name@alias` means. */
export function downloadByUri(server: string, uri: string, into: string): string {
  return download(server, quoted(uri), into);
}

function download(server: string, wanted: string, into: string): string {
  const command = `trackwire --server ${quoted(server)} artifacts download ${wanted}`;
  return into ? `${command} ${quoted(`./${into}/`)}` : command;
}

function quoted(text: string): string {
  return /^[\w./:=@-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

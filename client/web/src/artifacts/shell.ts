// Words for a shell that mean nothing to it but themselves.

/** Downloads a file or a folder of a run, whatever its path begins with, into a folder; into the present one by default. */
export function downloadCommand(server: string, runId: string, path: string, into = ""): string {
  const where = `trackwire --server ${quoted(server)} artifacts download`;
  const wanted = `${where} ${quoted(runId)} ${path.startsWith("-") ? "-- " : ""}${quoted(path)}`;
  return into ? `${wanted} ${quoted(`./${into}/`)}` : wanted;
}

function quoted(text: string): string {
  return /^[\w./:=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

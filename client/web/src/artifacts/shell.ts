// Words for a shell that mean nothing to it but themselves.

/** Downloads a file or a folder of a run, whatever its path begins with. */
export function downloadCommand(server: string, runId: string, path: string): string {
  const where = `trackwire --server ${quoted(server)} artifacts download`;
  return `${where} ${quoted(runId)} ${path.startsWith("-") ? "-- " : ""}${quoted(path)}`;
}

function quoted(text: string): string {
  return /^[\w./:=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

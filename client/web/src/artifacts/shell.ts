// Words for a shell that mean nothing to it but themselves.

export function downloadCommand(runId: string, path: string): string {
  return `trackwire artifacts download ${runId} ${path.startsWith("-") ? "-- " : ""}${quoted(path)}`;
}

function quoted(text: string): string {
  return /^[\w./=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

// Tables from text: comma- and tab-separated values, and tables as `log_table` stores them.

export interface Table {
  columns: string[];
  /** Each has a cell for every column. */
  rows: string[][];
}

const NULL_WORDS = "";

/** Values with a separator between them (RFC 4180). The first row names the columns. */
export function tableOfText(text: string, separator: "," | "\t"): Table {
  const [columns = [], ...rows] = rowsOf(text, separator);
  const width = Math.max(columns.length, ...chunkedWidths(rows));
  const named = Array.from({ length: width }, (_, at) => columns[at] ?? `Column ${at + 1}`);
  return { columns: named, rows: rows.map((row) => named.map((_, at) => row[at] ?? "")) };
}

/** Rows are too many to be arguments of one call. */
function chunkedWidths(rows: string[][]): number[] {
  return [rows.reduce((width, row) => Math.max(width, row.length), 0)];
}

function rowsOf(text: string, separator: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const source = text.startsWith("\ufeff") ? text.slice(1) : text;
  let at = 0;
  while (at < source.length) {
    const [cell, end] = source[at] === '"' ? quotedCell(source, at, separator) : bareCell(source, at, separator);
    row.push(cell);
    at = end;
    if (source[at] === separator) {
      at += 1;
      if (at < source.length) continue;
      row.push("");
    }
    if (source[at] === "\r") at += 1;
    if (source[at] === "\n") at += 1;
    rows.push(row);
    row = [];
  }
  return rows.filter((cells) => cells.length > 1 || cells[0] !== "");
}

function bareCell(source: string, begin: number, separator: string): [string, number] {
  let end = begin;
  while (end < source.length && source[end] !== separator && source[end] !== "\n" && source[end] !== "\r") end += 1;
  return [source.slice(begin, end), end];
}

/** A quote inside is doubled; what stands behind the last one belongs to the cell, too. */
function quotedCell(source: string, begin: number, separator: string): [string, number] {
  const parts: string[] = [];
  let at = begin + 1;
  for (;;) {
    const quote = source.indexOf('"', at);
    if (quote < 0) return [[...parts, source.slice(at)].join(""), source.length];
    parts.push(source.slice(at, quote));
    if (source[quote + 1] !== '"') {
      const [rest, end] = bareCell(source, quote + 1, separator);
      return [[...parts, rest].join(""), end];
    }
    parts.push('"');
    at = quote + 2;
  }
}

/** A table in pandas' orientation "split"; null for what is another thing. */
export function tableOfJson(value: unknown): Table | null {
  if (typeof value !== "object" || value === null) return null;
  const { columns, data } = value as { columns?: unknown; data?: unknown };
  if (!Array.isArray(columns) || !Array.isArray(data)) return null;
  if (!data.every((row): row is unknown[] => Array.isArray(row) && row.length === columns.length)) return null;
  return { columns: columns.map(cellText), rows: data.map((row) => row.map(cellText)) };
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return NULL_WORDS;
  if (typeof cell === "string") return cell;
  if (typeof cell === "object" && "source" in cell && typeof cell.source === "string") return cell.source;
  return JSON.stringify(cell);
}

// A table of which only the rows that are seen are in the document.

import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, type ReactNode } from "react";
import { formatCount } from "../format";
import { useSetting } from "../router";
import { SearchBox } from "../ui/search-box";
import type { Table } from "./table-data";
import "./table-view.css";

const ROW_PIXELS = 28;
const COLUMNS_MAX = 200;
const SAMPLE_ROWS = 200;
const NUMBER = /^-?(\d[\d_,]*)?(\.\d+)?(e[+-]?\d+)?$/i;

export function TableView({ table, note }: { table: Table; note?: ReactNode }): ReactNode {
  const [search, setSearch] = useSetting("find");
  const place = useRef<HTMLElement>(null);
  const rows = useMemo(() => found(table, search), [table, search]);
  const columns = useMemo(() => columnsOf(table), [table]);
  // It must not be memoized, and nothing here is.
  // oxlint-disable-next-line react/incompatible-library
  const seen = useVirtualizer({
    count: rows.length,
    getScrollElement: () => place.current,
    estimateSize: () => ROW_PIXELS,
    overscan: 20,
  });
  const items = seen.getVirtualItems();
  const before = items[0]?.start ?? 0;
  const behind = seen.getTotalSize() - (items.at(-1)?.end ?? 0);
  return (
    <>
      <div className="view-tools">
        <SearchBox label="Find rows" value={search} onChange={setSearch} />
        <output className="soft number">
          {search && `${rows.length.toLocaleString("en")} of `}
          {formatCount(table.rows.length, "row")}, {formatCount(table.columns.length, "column")}
          {table.columns.length > COLUMNS_MAX && `, of which the first ${COLUMNS_MAX} are shown`}
        </output>
        {note}
      </div>
      {/* What scrolls is reached by keys. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <section ref={place} className="table-place" tabIndex={0} aria-label="Table of the file">
        <table className="data-table" aria-rowcount={rows.length + 1}>
          <colgroup>
            {columns.map(({ at, characters }) => (
              <col key={at} style={{ width: `calc(${characters}ch + 20px)` }} />
            ))}
          </colgroup>
          <thead>
            <tr aria-rowindex={1}>
              {columns.map(({ at, name, isNumber }) => (
                <th key={at} scope="col" className={isNumber ? "right" : undefined} title={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <Space pixels={before} />
            {items.map(({ index }) => (
              <tr key={index} aria-rowindex={index + 2}>
                {columns.map(({ at, isNumber }) => (
                  <td key={at} className={isNumber ? "right" : undefined} title={rows[index]?.[at]}>
                    {rows[index]?.[at]?.slice(0, 500)}
                  </td>
                ))}
              </tr>
            ))}
            <Space pixels={behind} />
          </tbody>
        </table>
      </section>
    </>
  );
}

/** Stands for the rows that are not in the document. */
function Space({ pixels }: { pixels: number }): ReactNode {
  return pixels > 0 ? <tr aria-hidden="true" className="space" style={{ height: pixels }} /> : null;
}

interface Column {
  at: number;
  name: string;
  characters: number;
  isNumber: boolean;
}

function columnsOf({ columns, rows }: Table): Column[] {
  const sample = rows.slice(0, SAMPLE_ROWS);
  return columns.slice(0, COLUMNS_MAX).map((name, at) => {
    const cells = sample.map((row) => row[at] ?? "").filter((cell) => cell !== "");
    const longest = cells.reduce((most, cell) => Math.max(most, cell.length), name.length);
    const isNumber = cells.length > 0 && cells.every((cell) => NUMBER.test(cell));
    return { at, name, characters: Math.min(Math.max(longest + 1, 5), 42), isNumber };
  });
}

function found({ rows }: Table, search: string): string[][] {
  if (!search) return rows;
  const wanted = search.toLowerCase();
  return rows.filter((row) => row.some((cell) => cell.toLowerCase().includes(wanted)));
}

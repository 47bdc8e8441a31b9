// Where the columns of the table of runs stand, and which of them are in sight.

import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, type CSSProperties, type RefObject } from "react";
import type { Column } from "./columns";

const CHECK_WIDTH = 62;
// A phone has room for values, too.
const NAME_WIDTH = window.innerWidth < 640 ? 130 : 220;
/** What the column of names is called where widths are kept. */
export const NAME_COLUMN = "name";
/** The columns before those that are chosen: the box, and the name. */
export const FIXED_COLUMNS = 2;

export interface Layout {
  readonly nameWidth: number;
  readonly width: number;
  /** Of the columns that stay in sight. */
  readonly fixedWidth: number;
  /** For CSS grid. */
  readonly template: string;
  readonly columns: readonly PlacedColumn[];
}

export interface PlacedColumn {
  readonly column: Column;
  readonly width: number;
  /** Counted from 1, as `aria-colindex` and CSS grid do. */
  readonly place: number;
  /** Whether it stays in sight, beside the name. */
  readonly isPinned: boolean;
  readonly className: string;
  readonly style: CSSProperties;
}

export const NAME_STYLE: CSSProperties = { left: CHECK_WIDTH };

export function layoutOf(columns: readonly Column[], pinned: number, widths: ReadonlyMap<string, number>): Layout {
  const nameWidth = widths.get(NAME_COLUMN) ?? NAME_WIDTH;
  let left = CHECK_WIDTH + nameWidth;
  const placed = columns.map((column, at): PlacedColumn => {
    const width = widths.get(column.id) ?? column.width;
    const place = at + FIXED_COLUMNS + 1;
    const isPinned = at < pinned;
    const style = { gridColumn: place, ...(isPinned && { left }) };
    left += width;
    const className = `cell${column.isNumber ? " number" : ""}${isPinned ? " pinned" : ""}`;
    return { column, width, place, isPinned, className, style };
  });
  const template = [CHECK_WIDTH, nameWidth, ...placed.map(({ width }) => width)].map((width) => `${width}px`).join(" ");
  const fixedWidth = placed.reduce((sum, { isPinned, width }) => sum + (isPinned ? width : 0), CHECK_WIDTH + nameWidth);
  return { nameWidth, width: left, fixedWidth, template, columns: placed };
}

/** Of the columns those that are in sight: rows of all would be long to lay out. */
export function useShownColumns(layout: Layout, place: RefObject<HTMLDivElement | null>): readonly PlacedColumn[] {
  const { columns } = layout;
  const across = useVirtualizer({
    horizontal: true,
    count: columns.length,
    getScrollElement: () => place.current,
    estimateSize: (at) => columns[at]?.width ?? 0,
    paddingStart: CHECK_WIDTH + layout.nameWidth,
    overscan: 2,
  });
  useEffect(() => across.measure(), [layout, across]);
  const items = across.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? -1;
  return useMemo(
    () => columns.filter(({ isPinned }, at) => isPinned || (at >= first && at <= last)),
    [columns, first, last],
  );
}

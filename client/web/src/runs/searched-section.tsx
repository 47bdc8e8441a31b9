// A part of a run's page that can be searched, and shows so many lines until more are asked for.

import { useState, type ReactNode } from "react";
import { useSetting } from "../router";
import { SearchBox } from "../ui/search-box";

interface Props<Item> {
  title: string;
  /** By which name its search stands in the address. */
  setting: string;
  items: readonly Item[];
  /** What is searched. */
  textOf: (item: Item) => string;
  /** What is said where there are no items. */
  empty: string;
  /** Buttons beside the title. */
  buttons?: ReactNode;
  renderItems: (items: readonly Item[]) => ReactNode;
}

const LINES = 200;
const SEARCHABLE_FROM = 8;

export function SearchedSection<Item>(props: Props<Item>): ReactNode {
  const { title, items, textOf } = props;
  const [search, setSearch] = useSetting(props.setting);
  const [shown, setShown] = useState(LINES);
  const wanted = search.toLowerCase();
  const found = items.filter((item) => textOf(item).toLowerCase().includes(wanted));
  return (
    <section className="panel section" aria-label={title}>
      <div className="section-head">
        <h2>
          {title} <span className="soft number">{items.length.toLocaleString("en")}</span>
        </h2>
        <span className="grow" />
        {(items.length >= SEARCHABLE_FROM || search) && (
          <SearchBox label={`Search ${title.toLowerCase()}`} value={search} onChange={setSearch} />
        )}
        {props.buttons}
      </div>
      {items.length === 0 && <p className="soft section-empty">{props.empty}</p>}
      {items.length > 0 && found.length === 0 && (
        <p className="soft section-empty">None of them has “{search}” in it.</p>
      )}
      {found.length > 0 && props.renderItems(found.slice(0, shown))}
      {found.length > shown && (
        <p className="section-empty">
          <button className="button small" onClick={() => setShown(shown + 5 * LINES)}>
            Show more of {found.length.toLocaleString("en")}
          </button>
        </p>
      )}
    </section>
  );
}

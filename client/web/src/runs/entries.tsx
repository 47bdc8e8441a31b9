// Keys and values as a table that can be searched; long values fold.

import { useMemo, useState, type ReactNode } from "react";
import { useSetting } from "../router";
import { CopyButton } from "../ui/copy-button";
import { SearchBox } from "../ui/search-box";

interface Props {
  title: string;
  /** By which name its search stands in the address. */
  setting: string;
  entries: Record<string, string>;
  empty: string;
  /** Buttons beside the title. */
  children?: ReactNode;
}

const ROWS = 200;
const SEARCHABLE_FROM = 8;

export function EntryTable({ title, setting, entries, empty, children }: Props): ReactNode {
  const [search, setSearch] = useSetting(setting);
  const [shown, setShown] = useState(ROWS);
  const all = useMemo(
    () => Object.entries(entries).toSorted(([a], [b]) => a.localeCompare(b, "en", { numeric: true })),
    [entries],
  );
  const wanted = search.toLowerCase();
  const found = all.filter(([key, value]) => `${key}\n${value}`.toLowerCase().includes(wanted));
  return (
    <section className="panel section" aria-label={title}>
      <div className="section-head">
        <h2>
          {title} <span className="soft number">{all.length.toLocaleString("en")}</span>
        </h2>
        <span className="grow" />
        {(all.length >= SEARCHABLE_FROM || search) && (
          <SearchBox label={`Search ${title.toLowerCase()}`} value={search} onChange={setSearch} />
        )}
        {children}
      </div>
      {all.length === 0 && <p className="soft section-empty">{empty}</p>}
      {all.length > 0 && found.length === 0 && <p className="soft section-empty">None of them has “{search}” in it.</p>}
      {found.length > 0 && (
        <table className="entries">
          <colgroup>
            <col className="entries-key" />
            <col />
            <col className="entries-copy" />
          </colgroup>
          <thead className="unseen">
            <tr>
              <th scope="col">Key</th>
              <th scope="col">Value</th>
              <th scope="col">Copy</th>
            </tr>
          </thead>
          <tbody>
            {found.slice(0, shown).map(([key, value]) => (
              <tr key={key}>
                <th scope="row">{key}</th>
                <td>
                  <Value text={value} />
                </td>
                <td>
                  <CopyButton text={value} label={`Copy the value of ${key}`} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {found.length > shown && (
        <p className="section-empty">
          <button className="button small" onClick={() => setShown(shown + 5 * ROWS)}>
            Show more of {found.length.toLocaleString("en")}
          </button>
        </p>
      )}
    </section>
  );
}

const FOLDED_CHARACTERS = 160;
const FOLDED_LINES = 3;

export function Value({ text }: { text: string }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const begin = text.split("\n", FOLDED_LINES).join("\n").slice(0, FOLDED_CHARACTERS);
  if (begin.length === text.length) return <span className="value">{text}</span>;
  return (
    <>
      <span className="value">{isOpen ? text : `${begin}…`}</span>{" "}
      <button className="link" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {isOpen ? "Show less" : `Show all ${text.length.toLocaleString("en")} characters`}
      </button>
    </>
  );
}

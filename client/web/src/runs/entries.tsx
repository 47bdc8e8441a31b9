// Keys and values as a table that can be searched; long values fold.

import { useMemo, useState, type ReactNode } from "react";
import { CopyButton } from "../ui/copy-button";
import { SearchedSection } from "./searched-section";

interface Props {
  title: string;
  /** By which name its search stands in the address. */
  setting: string;
  entries: Record<string, string>;
  empty: string;
  /** Buttons beside the title. */
  children?: ReactNode;
}

export function EntryTable({ title, setting, entries, empty, children }: Props): ReactNode {
  const all = useMemo(
    () => Object.entries(entries).toSorted(([a], [b]) => a.localeCompare(b, "en", { numeric: true })),
    [entries],
  );
  return (
    <SearchedSection
      title={title}
      setting={setting}
      items={all}
      textOf={([key, value]) => `${key}\n${value}`}
      empty={empty}
      buttons={children}
      renderItems={(shown) => (
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
            {shown.map(([key, value]) => (
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
    />
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

// JSON as a tree that folds, with numbers as they are written; what is no JSON is shown as text.

import { useMemo, useState, type ReactNode } from "react";
import { useSetting } from "../router";
import { tableOfJson } from "./table-data";
import { TableView } from "./table-view";
import { TextView } from "./text-view";
import "./json-view.css";

/** A number that a browser's own would not be equal to, as it is written. */
class Exact {
  constructor(readonly source: string) {}
}

type Read = { value: unknown } | { fault: string };

const CHILDREN_MAX = 200;
const TEXT_MAX = 2_000;
const OPEN_DEPTH = 3;
const OPEN_CHILDREN_MAX = 20;

export function JsonView({ text }: { text: string }): ReactNode {
  const read = useMemo(() => parsed(text), [text]);
  const table = useMemo(() => ("value" in read ? tableOfJson(read.value) : null), [read]);
  const [chosen, choose] = useSetting("as", table ? "table" : "tree");
  if ("fault" in read)
    return <TextView text={text} note={<span className="soft">This is no JSON: {read.fault}</span>} />;
  const modes = [...(table ? [["table", "Table"]] : []), ["tree", "Tree"], ["text", "As stored"]] as [string, string][];
  const switcher = (
    <fieldset className="choice" aria-label="Shown as">
      {modes.map(([mode, words]) => (
        <button key={mode} className="button small" aria-pressed={mode === chosen} onClick={() => choose(mode)}>
          {words}
        </button>
      ))}
    </fieldset>
  );
  if (chosen === "table" && table) return <TableView table={table} note={switcher} />;
  if (chosen === "text") return <TextView text={text} note={switcher} />;
  return (
    <>
      <div className="view-tools">{switcher}</div>
      {/* What scrolls is reached by keys. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <section className="json-tree" aria-label="Tree of the file" tabIndex={0}>
        <Node name="" value={read.value} depth={0} />
      </section>
    </>
  );
}

function Node({ name, value, depth }: { name: string; value: unknown; depth: number }): ReactNode {
  const [isOpen, setOpen] = useState(() => depth === 0 || (depth < OPEN_DEPTH && isSmall(value)));
  const [shown, setShown] = useState(CHILDREN_MAX);
  if (typeof value !== "object" || value === null || value instanceof Exact) {
    return (
      <div className="json-leaf">
        <Name name={name} />
        <Leaf value={value} />
      </div>
    );
  }
  const keys = Object.keys(value);
  const size = Array.isArray(value) ? `[${keys.length.toLocaleString("en")}]` : `{${keys.length.toLocaleString("en")}}`;
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Name name={name} />
        <span className="soft">{size}</span>
      </summary>
      {isOpen &&
        keys
          .slice(0, shown)
          .map((key) => (
            <Node key={key} name={key} value={(value as Record<string, unknown>)[key]} depth={depth + 1} />
          ))}
      {isOpen && keys.length > shown && (
        <button className="button small" onClick={() => setShown(shown + 5 * CHILDREN_MAX)}>
          Show more of {keys.length.toLocaleString("en")}
        </button>
      )}
    </details>
  );
}

function isSmall(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length <= OPEN_CHILDREN_MAX;
}

function Name({ name }: { name: string }): ReactNode {
  return name === "" ? null : <span className="json-name">{name}: </span>;
}

function Leaf({ value }: { value: unknown }): ReactNode {
  const [whole, setWhole] = useState(false);
  if (value instanceof Exact) return <span className="json-number">{value.source}</span>;
  if (typeof value !== "string") return <span className="json-number">{String(value)}</span>;
  const isLong = value.length > TEXT_MAX && !whole;
  return (
    <span className="json-text">
      {JSON.stringify(isLong ? value.slice(0, TEXT_MAX) : value)}
      {isLong && (
        <button className="button small" onClick={() => setWhole(true)}>
          Show all
        </button>
      )}
    </span>
  );
}

function parsed(text: string): Read {
  try {
    return { value: JSON.parse(text, exactly) as unknown };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

/** The text behind a value is told by newer browsers than TypeScript knows. */
function exactly(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  const isRounded = typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);
  return isRounded && source !== undefined ? new Exact(source) : value;
}

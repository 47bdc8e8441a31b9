// Text and code: numbered lines, of which those that are seen are in the document, and a search among them.

import { useMemo, useState, type ReactNode } from "react";
import { formatBytes, formatCount } from "../format";
import { useSetting } from "../router";
import { Icon } from "../ui/icon";
import { Lines, Marked } from "../ui/lines";
import { SearchBox } from "../ui/search-box";

interface Line {
  /** Counted from 1; null for what goes on with the line before. */
  number: number | null;
  text: string;
}

// A browser takes seconds to lay out a longer one.
const LINE_CHARACTERS_MAX = 5_000;

export function TextView({ text, note }: { text: string; note?: ReactNode }): ReactNode {
  const lines = useMemo(() => linesOf(text), [text]);
  const [search, setSearch] = useSetting("find");
  const [wrap, setWrap] = useSetting("wrap", "off");
  const [place, setPlace] = useState(0);
  const found = useMemo(() => placesOf(lines, search), [lines, search]);
  const at = found.length ? place % found.length : 0;
  const step = (by: number) => setPlace((at + by + found.length) % Math.max(1, found.length));
  return (
    <>
      <div className="view-tools">
        <SearchBox
          label="Find"
          value={search}
          onChange={(value) => {
            setSearch(value);
            setPlace(0);
          }}
          onEnter={() => step(1)}
        />
        {search && (
          <>
            <output className="soft number">
              {found.length ? `Line ${at + 1} of ${found.length.toLocaleString("en")}` : "Not found"}
            </output>
            <button className="button plain small" aria-label="Found before" onClick={() => step(-1)}>
              <Icon name="up" />
            </button>
            <button className="button plain small" aria-label="Found next" onClick={() => step(1)}>
              <Icon name="down" />
            </button>
          </>
        )}
        <button
          className="button small"
          aria-pressed={wrap === "on"}
          onClick={() => setWrap(wrap === "on" ? "off" : "on")}
        >
          Wrap lines
        </button>
        <span className="soft number">{formatCount(lines.at(-1)?.number ?? lines.length, "line")}</span>
        {note}
      </div>
      <Lines
        label="Text of the file"
        count={lines.length}
        wraps={wrap === "on"}
        target={search ? found[at] : undefined}
        renderLine={(index) => (
          <>
            <span className="lines-number" aria-hidden="true">
              {lines[index]?.number}
            </span>
            <span>
              <Marked text={lines[index]?.text ?? ""} search={search} />
            </span>
          </>
        )}
      />
    </>
  );
}

/** What is shown of a file that is longer, and a button for more of it. */
export function Shortened(props: {
  shownBytes: number;
  sizeBytes: number;
  onMore?: (() => void) | undefined;
}): ReactNode {
  if (props.shownBytes >= props.sizeBytes) return null;
  return (
    <span className="line-of">
      <span className="soft">
        The first {formatBytes(props.shownBytes)} of {formatBytes(props.sizeBytes)}
      </span>
      {props.onMore && (
        <button className="button small" onClick={props.onMore}>
          Show more
        </button>
      )}
    </span>
  );
}

function linesOf(text: string): Line[] {
  const whole = text.split(/\r\n|\n|\r/);
  if (whole.length > 1 && whole.at(-1) === "") whole.pop();
  return whole.flatMap((line, index) => {
    const parts: Line[] = [{ number: index + 1, text: line.slice(0, LINE_CHARACTERS_MAX) }];
    for (let at = LINE_CHARACTERS_MAX; at < line.length; at += LINE_CHARACTERS_MAX) {
      parts.push({ number: null, text: line.slice(at, at + LINE_CHARACTERS_MAX) });
    }
    return parts;
  });
}

function placesOf(lines: Line[], search: string): number[] {
  if (!search) return [];
  const wanted = search.toLowerCase();
  return lines.flatMap(({ text }, index) => (text.toLowerCase().includes(wanted) ? [index] : []));
}

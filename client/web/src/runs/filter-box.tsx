// The filter, with what may stand next below it, or what is wrong with it, under the place where it stands.

import { useId, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { columnOf, wordsOf } from "../api/errors";
import { Icon } from "../ui/icon";
import type { RunKeys } from "./columns";
import { complete, type Completion } from "./completion";
import "./filter-box.css";

interface Props {
  filter: string;
  keys: RunKeys;
  /** What the server said of the filter. */
  error: unknown;
  onFilter: (filter: string) => void;
}

const CLOSED: Completion = { from: 0, suggestions: [] };

export function FilterBox({ filter, keys, error, onFilter }: Props): ReactNode {
  const [text, setText] = useState(filter);
  const [applied, setApplied] = useState(filter);
  // Where suggestions are offered; null where none are.
  const [cursor, setCursor] = useState<number | null>(null);
  const [chosen, setChosen] = useState(-1);
  const [scrolled, setScrolled] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const list = useId();
  // The address may change by the Back button, too.
  if (filter !== applied) {
    setApplied(filter);
    setText(filter);
  }
  // Keys may come after what is typed.
  const offered = useMemo(() => (cursor === null ? CLOSED : complete(text, cursor, keys)), [text, cursor, keys]);
  // Where nothing is begun, Tab leads on, as in any field.
  const isBegun = cursor !== null && offered.from < cursor;
  const column = columnOf(error);
  const isOpen = offered.suggestions.length > 0;

  const offer = (value: string): void => {
    setCursor(input.current?.selectionStart ?? value.length);
    setChosen(-1);
  };
  const close = (): void => setCursor(null);
  const apply = (value: string): void => {
    close();
    setApplied(value.trim());
    onFilter(value.trim());
  };
  const take = (at: number): void => {
    const suggestion = offered.suggestions[at];
    const box = input.current;
    if (!suggestion || !box) return;
    const end = box.selectionStart ?? text.length;
    const head = `${text.slice(0, offered.from)}${suggestion.text}${suggestion.text.endsWith("(") ? "" : " "}`;
    const next = head + text.slice(end).trimStart();
    setText(next);
    requestAnimationFrame(() => {
      box.setSelectionRange(head.length, head.length);
      offer(next);
    });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const count = offered.suggestions.length;
    if (event.key === "ArrowDown" && isOpen) setChosen((chosen + 1) % count);
    else if (event.key === "ArrowUp" && isOpen) setChosen((chosen - 1 + count) % count);
    else if (event.key === "Tab" && !event.shiftKey && isOpen && (chosen >= 0 || isBegun)) take(Math.max(chosen, 0));
    else if (event.key === "Enter" && isOpen && chosen >= 0) take(chosen);
    else if (event.key === "Enter") apply(text);
    else if (event.key === "Escape" && isOpen) close();
    else if (event.key === " " && event.ctrlKey) offer(text);
    else return;
    event.preventDefault();
  };
  return (
    <div className="filter-box">
      <Icon name="search" />
      <input
        ref={input}
        className="field mono"
        role="combobox"
        aria-label="Filter runs"
        aria-expanded={isOpen}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={chosen >= 0 ? `${list}-${chosen}` : undefined}
        aria-invalid={column !== undefined}
        placeholder="metrics.loss < 0.5 AND params.optimizer = 'adam'"
        spellCheck={false}
        autoComplete="off"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          offer(event.target.value);
        }}
        onFocus={() => offer(text)}
        onBlur={() => {
          close();
          if (text.trim() !== applied) apply(text);
        }}
        onScroll={(event) => setScrolled(event.currentTarget.scrollLeft)}
        onKeyDown={onKeyDown}
      />
      {text && (
        <button
          className="button plain small clear"
          aria-label="Clear the filter"
          onClick={() => {
            setText("");
            apply("");
          }}
        >
          <Icon name="close" size={14} />
        </button>
      )}
      <ul id={list} role="listbox" aria-label="Suggestions" className="suggestions" hidden={!isOpen}>
        {offered.suggestions.map((suggestion, at) => (
          <li
            key={suggestion.text}
            id={`${list}-${at}`}
            role="option"
            aria-selected={at === chosen}
            onPointerDown={(event) => {
              event.preventDefault();
              take(at);
            }}
          >
            <span className="mono clipped">{suggestion.text}</span>
            <span className="soft">{suggestion.kind}</span>
          </li>
        ))}
      </ul>
      {column !== undefined && !isOpen && (
        <div className="filter-error" role="alert">
          <span className="caret mono" style={{ marginLeft: `calc(${column}ch - ${scrolled}px)` }}>
            ↑
          </span>
          <span>{sentence(wordsOf(error))}</span>
        </div>
      )}
    </div>
  );
}

/** The server repeats the filter and the column, which stand above. */
function sentence(words: string): string {
  const line = words.split("\n")[0] ?? "";
  return /': (.*?)(?: \(column \d+\))?$/.exec(line)?.[1] ?? line;
}

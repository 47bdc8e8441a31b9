// One of several views of the same thing.

import { useRef, type KeyboardEvent, type ReactNode } from "react";
import { bringIntoSight } from "./in-sight";
import "./tabs.css";

interface Props {
  label: string;
  tabs: readonly (readonly [id: string, words: string])[];
  chosen: string;
  onChoose: (id: string) => void;
}

export function Tabs({ label, tabs, chosen, onChoose }: Props): ReactNode {
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    const at = tabs.findIndex(([id]) => id === chosen);
    const next = tabs[(at + by + tabs.length) % tabs.length];
    if (!next) return;
    onChoose(next[0]);
    list.current?.querySelectorAll("button")[tabs.indexOf(next)]?.focus();
    event.preventDefault();
  };
  return (
    <div className="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={onKeyDown} tabIndex={-1}>
      {tabs.map(([id, words]) => (
        <button
          key={id}
          ref={id === chosen ? bringIntoSight : null}
          role="tab"
          aria-selected={id === chosen}
          tabIndex={id === chosen ? 0 : -1}
          onClick={() => onChoose(id)}
        >
          {words}
        </button>
      ))}
    </div>
  );
}

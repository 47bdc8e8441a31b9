// A field to search in what the page shows.

import type { ReactNode } from "react";
import { Icon } from "./icon";
import "./search-box.css";

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  onEnter?: () => void;
}

export function SearchBox({ label, value, onChange, onEnter }: Props): ReactNode {
  return (
    <label className="search-box">
      <Icon name="search" />
      <span className="unseen">{label}</span>
      <input
        className="field"
        type="search"
        placeholder={label}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") onEnter?.();
        }}
      />
    </label>
  );
}

// Which columns the table has.

import { useState, type ReactNode } from "react";
import { Icon } from "../ui/icon";
import { Popover } from "../ui/popover";
import { allColumns, type RunKeys } from "./columns";
import "./column-chooser.css";

interface Props {
  keys: RunKeys;
  chosen: readonly string[];
  onChoose: (ids: readonly string[]) => void;
}

const SHOWN_MAX = 200;

export function ColumnChooser(props: Props): ReactNode {
  return (
    <Popover
      label={
        <>
          <Icon name="columns" /> Columns
        </>
      }
    >
      <Choices {...props} />
    </Popover>
  );
}

function Choices({ keys, chosen, onChoose }: Props): ReactNode {
  const [search, setSearch] = useState("");
  const words = search.trim().toLowerCase();
  const groups = allColumns(keys)
    .map((group) => ({ ...group, columns: group.columns.filter(({ title }) => title.toLowerCase().includes(words)) }))
    .filter((group) => group.columns.length > 0);
  const toggle = (ids: readonly string[], wanted: boolean): void => {
    const rest = chosen.filter((id) => !ids.includes(id));
    onChoose(wanted ? [...rest, ...ids] : rest);
  };
  return (
    <div className="column-chooser">
      <input
        className="field"
        type="search"
        placeholder="Find a column"
        aria-label="Find a column"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      {groups.map(({ title, columns }) => {
        const ids = columns.map(({ id }) => id);
        const all = ids.every((id) => chosen.includes(id));
        return (
          <fieldset key={title}>
            <legend>
              <label>
                <input type="checkbox" checked={all} onChange={() => toggle(ids, !all)} /> {title}
                <span className="soft"> {columns.length}</span>
              </label>
            </legend>
            {columns.slice(0, SHOWN_MAX).map((column) => (
              <label key={column.id} title={column.title}>
                <input
                  type="checkbox"
                  checked={chosen.includes(column.id)}
                  onChange={(event) => toggle([column.id], event.target.checked)}
                />
                <span className="clipped">{column.title}</span>
              </label>
            ))}
            {columns.length > SHOWN_MAX && (
              <p className="soft">{columns.length - SHOWN_MAX} more: find them by name.</p>
            )}
          </fieldset>
        );
      })}
      {groups.length === 0 && <p className="soft">No column has this in its name.</p>}
    </div>
  );
}

// From where to where runs are kept along each axis, in fields.

import type { ReactNode } from "react";
import { Icon } from "../ui/icon";
import { Popover } from "../ui/popover";
import type { Dimension } from "./dimensions";
import type { Kept, Range } from "./kept";

interface Props {
  axes: readonly Dimension[];
  kept: Kept;
  onKeep: (id: string, range: Range) => void;
}

export function Ranges({ axes, kept, onKeep }: Props): ReactNode {
  return (
    <Popover
      label={
        <>
          <Icon name="settings" /> Ranges
        </>
      }
    >
      {() => (
        <div className="ranges">
          {axes.map((axis) => {
            const [low, high] = kept.get(axis.id) ?? [null, null];
            return (
              <fieldset key={axis.id} className="line-of">
                <legend className="clipped">{axis.title}</legend>
                <End label="From" words={axis.words} value={low} onChange={(next) => onKeep(axis.id, [next, high])} />
                <End label="To" words={axis.words} value={high} onChange={(next) => onKeep(axis.id, [low, next])} />
              </fieldset>
            );
          })}
        </div>
      )}
    </Popover>
  );
}

interface EndProps {
  label: string;
  words: readonly string[] | null;
  value: string | null;
  onChange: (value: string | null) => void;
}

function End({ label, words, value, onChange }: EndProps): ReactNode {
  return (
    <label className="line-of">
      {label}
      {words ? (
        <select
          className="field"
          value={value === null ? -1 : words.indexOf(value)}
          onChange={(event) => onChange(words[Number(event.target.value)] ?? null)}
        >
          <option value={-1}>Any</option>
          {words.map((word, at) => (
            <option key={word} value={at}>
              {word}
            </option>
          ))}
        </select>
      ) : (
        <input
          className="field"
          type="number"
          step="any"
          value={value ?? ""}
          onChange={(event) => onChange(event.target.value || null)}
        />
      )}
    </label>
  );
}

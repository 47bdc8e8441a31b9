import type { ReactNode } from "react";
import type { DimensionName } from "./dimensions";

interface Props {
  label: string;
  all: readonly DimensionName[];
  chosen: string;
  onChoose: (id: string) => void;
  /** What else there is to choose, first. */
  none?: readonly [id: string, words: string];
}

const KINDS = [
  ["param", "Params"],
  ["metric", "Metrics"],
] as const;

/** One of what runs are plotted by. */
export function DimensionSelect({ label, all, chosen, onChoose, none }: Props): ReactNode {
  return (
    <label className="line-of">
      {label}
      <select className="field" value={chosen} onChange={(event) => onChoose(event.target.value)}>
        {none && <option value={none[0]}>{none[1]}</option>}
        {KINDS.map(([kind, title]) => (
          <optgroup key={kind} label={title}>
            {all
              .filter((dimension) => dimension.kind === kind)
              .map(({ id, title }) => (
                <option key={id} value={id}>
                  {title}
                </option>
              ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}

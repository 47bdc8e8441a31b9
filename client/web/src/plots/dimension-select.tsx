import type { ReactNode } from "react";
import type { Dimension } from "./dimensions";

interface Props {
  label: string;
  all: readonly Dimension[];
  chosen: string;
  onChoose: (id: string) => void;
}

/** One of what runs are plotted by. */
export function DimensionSelect({ label, all, chosen, onChoose }: Props): ReactNode {
  return (
    <label className="line-of">
      {label}
      <select className="field" value={chosen} onChange={(event) => onChoose(event.target.value)}>
        {(["param", "metric"] as const).map((kind) => (
          <optgroup key={kind} label={kind === "param" ? "Params" : "Metrics"}>
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

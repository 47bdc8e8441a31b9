import type { ReactNode } from "react";
import type { Dimension } from "./dimensions";

interface Props {
  dimension: Dimension;
  isLog: boolean;
  onToggle: () => void;
}

/** Whether an axis goes by powers of ten; nothing where its values are words. */
export function LogToggle({ dimension, isLog, onToggle }: Props): ReactNode {
  if (dimension.words) return null;
  const why = dimension.isPositive ? "By powers of ten" : "No value is above zero";
  return (
    <label className="log-toggle" title={why}>
      <input
        type="checkbox"
        aria-label={`Logarithmic ${dimension.title}`}
        checked={isLog}
        disabled={!dimension.isPositive && !isLog}
        onChange={onToggle}
      />
      log
    </label>
  );
}

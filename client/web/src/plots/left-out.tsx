import type { ReactNode } from "react";
import { formatCount } from "../format";
import type { Dimension } from "./dimensions";

/** Which runs have no place in a plot, in words; nothing where all have one. */
export function LeftOut({ dimensions, runs }: { dimensions: readonly Dimension[]; runs: number }): ReactNode {
  let missing = 0;
  for (let at = 0; at < runs; at += 1) {
    if (dimensions.some(({ shares }) => Number.isNaN(shares[at]))) missing += 1;
  }
  if (missing === 0) return null;
  const logs = dimensions.some(({ isLog }) => isLog);
  return (
    <p className="soft plot-note">
      {formatCount(missing, "run")} of {runs.toLocaleString("en")} {missing === 1 ? "has" : "have"} no number there
      {logs && ", or none above zero"}.
    </p>
  );
}

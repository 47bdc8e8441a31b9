// Which colour is whose.

import type { ReactNode } from "react";
import "./legend.css";
import type { Look } from "./drawing";

// More are told by pointing at their lines.
const SHOWN = 24;

/** How the line, or all lines of the run, of an id look. */
export type Named = Look & { readonly id: string };

export function ChartLegend({ looks }: { looks: readonly Named[] }): ReactNode {
  const left = looks.length - SHOWN;
  return (
    <ul className="chart-legend" aria-label="Colours">
      {looks.slice(0, SHOWN).map(({ id, name, color }) => (
        <li key={id} className="clipped" title={name}>
          <span className="swatch" style={{ background: color }} />
          {name}
        </li>
      ))}
      {left > 0 && <li className="soft">and {left.toLocaleString("en")} more</li>}
    </ul>
  );
}

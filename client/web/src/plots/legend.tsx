// What the colours of a plot mean, and by what else there could be some.

import { useMemo, type ReactNode } from "react";
import { useDark } from "../ui/theme";
import { BY_RUN } from "./choice";
import { shadeAt, type Coloring } from "./coloring";
import { DimensionSelect } from "./dimension-select";
import type { Dimension, DimensionName } from "./dimensions";
import { LogToggle } from "./log-toggle";

interface Props {
  names: readonly DimensionName[];
  coloring: Coloring;
  /** Whether runs are named where they are drawn. */
  isNamed?: boolean;
  onChoose: (id: string) => void;
  isLog: boolean;
  onLog: () => void;
}

const SWATCHES_SHOWN = 8;
const STOPS = [0, 0.2, 0.4, 0.6, 0.8, 1];

export function Legend({ names, coloring, isNamed = false, onChoose, isLog, onLog }: Props): ReactNode {
  const { by } = coloring;
  return (
    <div className="line-of wraps legend">
      <DimensionSelect
        label="Colour"
        all={names}
        chosen={by?.id ?? BY_RUN}
        onChoose={onChoose}
        none={[BY_RUN, "Runs"]}
      />
      {by && <LogToggle dimension={by} isLog={isLog} onToggle={onLog} />}
      {by && !by.words ? <Ramp by={by} /> : (by || !isNamed) && <Swatches coloring={coloring} />}
    </div>
  );
}

function Ramp({ by }: { by: Dimension }): ReactNode {
  const dark = useDark();
  const shades = STOPS.map((share) => shadeAt(share, dark)).join(", ");
  const [first, last] = [by.ticks[0], by.ticks.at(-1)];
  return (
    <span className="line-of number legend-ramp">
      <span className="soft">{first?.words}</span>
      <span className="ramp" style={{ background: `linear-gradient(to right, ${shades})` }} />
      <span className="soft">{last?.words}</span>
    </span>
  );
}

function Swatches({ coloring }: { coloring: Coloring }): ReactNode {
  const swatches = useMemo(() => coloring.legend(), [coloring]);
  const left = swatches.length - SWATCHES_SHOWN;
  return (
    <ul className="line-of wraps legend-words" aria-label="Colours">
      {swatches.slice(0, SWATCHES_SHOWN).map(({ color, name }, at) => (
        // Two runs may be called the same.
        // oxlint-disable-next-line react/no-array-index-key
        <li key={at} className="line-of">
          <span className="swatch" style={{ background: color }} />
          <span className="clipped">{name}</span>
        </li>
      ))}
      {left > 0 && <li className="soft">and {left.toLocaleString("en")} more</li>}
    </ul>
  );
}

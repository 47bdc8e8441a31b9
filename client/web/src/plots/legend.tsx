// What the colours of a plot mean, and by what else there could be some.

import type { ReactNode } from "react";
import { useDark } from "../ui/theme";
import { BY_RUN } from "./choice";
import { shadeAt, wordColor } from "./coloring";
import { DimensionSelect } from "./dimension-select";
import type { Dimension, DimensionName } from "./dimensions";
import { LogToggle } from "./log-toggle";

interface Props {
  names: readonly DimensionName[];
  by: Dimension | null;
  onChoose: (id: string) => void;
  isLog: boolean;
  onLog: () => void;
}

const WORDS_SHOWN = 8;
const STOPS = [0, 0.2, 0.4, 0.6, 0.8, 1];

export function Legend({ names, by, onChoose, isLog, onLog }: Props): ReactNode {
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
      {by && (by.words ? <Words words={by.words} /> : <Ramp by={by} />)}
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

function Words({ words }: { words: readonly string[] }): ReactNode {
  const dark = useDark();
  return (
    <ul className="line-of wraps legend-words" aria-label="Colours">
      {words.slice(0, WORDS_SHOWN).map((word, at) => (
        <li key={word} className="line-of">
          <span className="swatch" style={{ background: wordColor(at, dark) }} />
          <span className="clipped">{word}</span>
        </li>
      ))}
      {words.length > WORDS_SHOWN && <li className="soft">and {words.length - WORDS_SHOWN} more</li>}
    </ul>
  );
}

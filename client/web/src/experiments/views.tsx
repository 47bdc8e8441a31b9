// In what form the runs of an experiment are shown.

import type { ReactNode } from "react";
import type { PlotView } from "../plots/choice";
import { Icon, type IconName } from "../ui/icon";

export type View = "table" | "charts" | "both" | PlotView;

const VIEWS: [View, string, IconName][] = [
  ["table", "Table", "table"],
  ["both", "Both", "columns"],
  ["charts", "Charts", "chart"],
  ["parallel", "Parallel coordinates", "parallel"],
  ["scatter", "Scatter", "scatter"],
  ["bars", "Bars", "bars"],
];

/** The plot that a view is; null where it is none. */
export function plotOf(view: string): PlotView | null {
  return view === "parallel" || view === "scatter" || view === "bars" ? view : null;
}

export function ViewChoice({ view, onChoose }: { view: string; onChoose: (view: View) => void }): ReactNode {
  return (
    <div className="line-of views" role="group" aria-label="View">
      {VIEWS.map(([each, words, icon]) => (
        <button
          key={each}
          className="button"
          aria-pressed={view === each}
          aria-label={words}
          title={words}
          onClick={() => onChoose(each)}
        >
          <Icon name={icon} />
        </button>
      ))}
    </div>
  );
}

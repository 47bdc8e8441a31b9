// By what runs are plotted: what the address names, or else what differs between them.

import { useCallback, useMemo } from "react";
import { useSetting } from "../router";
import { byTelling } from "../runs/columns";
import type { DimensionName } from "./dimensions";

/** The ids of dimensions where the address names none. */
export interface PlotDefaults {
  readonly axes: readonly string[];
  readonly across: string;
  readonly up: string;
  readonly bar: string;
  readonly color: string;
  /** Why it isn't known what there is to choose from; null where it is. */
  readonly refusal: unknown;
}

export type PlotView = "parallel" | "scatter" | "bars";

/** Each run in a colour of its own. */
export const BY_RUN = "run";
const AXES = 6;

/** `color` is whether runs are many, so that a metric tells more than who is who. */
export function defaultsOf(
  names: readonly DimensionName[],
  useful: readonly DimensionName[],
  areMany: boolean,
  refusal: unknown = null,
): PlotDefaults {
  const params = useful.filter(({ kind }) => kind === "param").slice(0, AXES - 1);
  const metrics = useful.filter(({ kind }) => kind === "metric").toSorted((a, b) => byTelling(a.title, b.title));
  const axes = [...params, ...metrics.slice(0, AXES - params.length)];
  const up = (metrics[0] ?? names.findLast(({ kind }) => kind === "metric") ?? names.at(-1))?.id ?? "";
  return {
    axes: (axes.length > 0 ? axes : names.slice(0, AXES)).map(({ id }) => id),
    across: (params[0] ?? names[0])?.id ?? "",
    up,
    bar: (metrics[0] ?? names.find(({ kind }) => kind === "metric") ?? names[0])?.id ?? "",
    color: areMany && metrics.length > 0 ? up : BY_RUN,
    refusal,
  };
}

export interface PlotChoice {
  readonly axes: readonly string[];
  readonly across: string;
  readonly up: string;
  readonly bar: string;
  readonly color: string;
  readonly setAxes: (ids: readonly string[]) => void;
  readonly setAcross: (id: string) => void;
  readonly setUp: (id: string) => void;
  readonly setBar: (id: string) => void;
  readonly setColor: (id: string) => void;
}

export function usePlotChoice(defaults: PlotDefaults): PlotChoice {
  const [text, setText] = useSetting("axes");
  const [across, setAcross] = useSetting("px", defaults.across);
  const [up, setUp] = useSetting("py", defaults.up);
  const [bar, setBar] = useSetting("bar", defaults.bar);
  const [color, setColor] = useSetting("color", defaults.color);
  const axes = useMemo(() => (text ? text.split("~") : defaults.axes), [text, defaults.axes]);
  const setAxes = useCallback((ids: readonly string[]) => setText(ids.join("~")), [setText]);
  return { axes, across, up, bar, color, setAxes, setAcross, setUp, setBar, setColor };
}

/** What a view shows, by ids. */
export function idsIn(view: PlotView, choice: PlotChoice): string[] {
  if (view === "bars") return [choice.bar, choice.color];
  return view === "scatter" ? [choice.across, choice.up, choice.color] : [...choice.axes, choice.color];
}

/** Which dimensions stand on logarithmic axes. */
export function useLogs(): { logs: ReadonlySet<string>; toggle: (id: string) => void } {
  const [text, setText] = useSetting("log");
  const logs = useMemo(() => new Set(text.split("~").filter(Boolean)), [text]);
  const toggle = useCallback(
    (id: string) => {
      const next = new Set(logs);
      if (!next.delete(id)) next.add(id);
      setText([...next].join("~"));
    },
    [logs, setText],
  );
  return { logs, toggle };
}

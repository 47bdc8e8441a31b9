// A plot of runs, by the name that addresses have for it.

import type { ComponentType, ReactNode } from "react";
import { Failure } from "../ui/notice";
import { BarPlot } from "./bars";
import type { PlotView } from "./choice";
import { ParallelPlot } from "./parallel";
import { ScatterPlot, type PlotProps } from "./scatter";

const PLOTS: Record<PlotView, ComponentType<PlotProps>> = {
  parallel: ParallelPlot,
  scatter: ScatterPlot,
  bars: BarPlot,
};

export function Plot({ view, ...props }: PlotProps & { view: PlotView }): ReactNode {
  const Shown = PLOTS[view];
  const { refusal } = props.defaults;
  return (
    <>
      {refusal !== null && <Failure error={refusal} />}
      <Shown {...props} />
    </>
  );
}

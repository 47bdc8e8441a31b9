// The plots of runs, by the names that addresses have for them.

import type { ComponentType } from "react";
import { BarPlot } from "./bars";
import type { PlotView } from "./choice";
import { ParallelPlot } from "./parallel";
import { ScatterPlot, type PlotProps } from "./scatter";

export const PLOTS: Record<PlotView, ComponentType<PlotProps>> = {
  parallel: ParallelPlot,
  scatter: ScatterPlot,
  bars: BarPlot,
};

// How lines are painted on the canvas of a chart: each with points of its own, and the one that is pointed at on top.

import type uPlot from "uplot";
import { firstFrom, type ChartSettings, type Line, type Range } from "./drawing";

const FEW_LINES = 12;

export interface Shown {
  lines: readonly Line[];
  settings: ChartSettings;
  x: Range;
  y: Range;
  pointed: string | null;
  colors: ReadonlyMap<string, string>;
  ink: string;
}

export function paint(plot: uPlot, shown: Shown): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.lineJoin = "bevel";
  const toX = scaled(shown.x, shown.settings.logX, bbox.left, bbox.left + bbox.width);
  const toY = scaled(shown.y, shown.settings.logY, bbox.top + bbox.height, bbox.top);
  // Many are told apart better as hairlines, which a browser without a GPU also draws in a fifth of the time.
  const width = shown.lines.length > FEW_LINES ? 1 : 1.4;
  // The one that is pointed at lies on top.
  const ordered = shown.lines.toSorted((a, b) => Number(a.id === shown.pointed) - Number(b.id === shown.pointed));
  for (const line of ordered) {
    const from = Math.max(0, firstFrom(line.x, shown.x[0]) - 1);
    const to = Math.min(line.x.length, firstFrom(line.x, shown.x[1]) + 2);
    const faded = shown.pointed !== null && line.id !== shown.pointed ? 0.25 : 1;
    ctx.strokeStyle = ctx.fillStyle = shown.colors.get(line.id) ?? shown.ink;
    ctx.lineWidth = (line.id === shown.pointed ? 2.2 : width) * ratio;
    if (line.band) {
      ctx.globalAlpha = 0.16 * faded;
      fillBetween(ctx, line.x, line.band, from, to, toX, toY);
    }
    if (line.smooth) {
      ctx.globalAlpha = 0.22 * faded;
      strokeLine(ctx, line.x, line.y, from, to, toX, toY);
    }
    ctx.globalAlpha = faded;
    strokeLine(ctx, line.x, line.smooth ?? line.y, from, to, toX, toY);
  }
  ctx.restore();
}

type Scale = (value: number) => number;

function scaled([from, to]: Range, isLog: boolean, start: number, end: number): Scale {
  if (isLog) {
    const low = Math.log10(from);
    const factor = (end - start) / (Math.log10(to) - low);
    return (value) => (value > 0 ? start + (Math.log10(value) - low) * factor : NaN);
  }
  const factor = (end - start) / (to - from);
  return (value) => start + (value - from) * factor;
}

/** A point that can't be drawn (NaN, an infinity, none on a logarithmic axis) leaves a gap; one alone is a dot. */
function strokeLine(
  ctx: CanvasRenderingContext2D,
  xs: Float64Array,
  ys: Float64Array,
  from: number,
  to: number,
  toX: Scale,
  toY: Scale,
): void {
  ctx.beginPath();
  let isDrawing = false;
  let alone: [number, number] | null = null;
  const dot = (): void => {
    if (!alone) return;
    ctx.moveTo(alone[0] + ctx.lineWidth, alone[1]);
    ctx.arc(alone[0], alone[1], ctx.lineWidth, 0, 2 * Math.PI);
  };
  for (let at = from; at < to; at += 1) {
    const x = toX(xs[at] ?? NaN);
    const y = toY(ys[at] ?? NaN);
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      dot();
      alone = null;
      isDrawing = false;
    } else if (isDrawing) {
      ctx.lineTo(x, y);
      alone = null;
    } else {
      ctx.moveTo(x, y);
      alone = [x, y];
      isDrawing = true;
    }
  }
  dot();
  ctx.stroke();
}

function fillBetween(
  ctx: CanvasRenderingContext2D,
  xs: Float64Array,
  band: NonNullable<Line["band"]>,
  from: number,
  to: number,
  toX: Scale,
  toY: Scale,
): void {
  ctx.beginPath();
  for (let at = from; at < to; at += 1) ctx.lineTo(toX(xs[at] ?? 0), toY(band.high[at] ?? 0));
  for (let at = to - 1; at >= from; at -= 1) ctx.lineTo(toX(xs[at] ?? 0), toY(band.low[at] ?? 0));
  ctx.fill();
}

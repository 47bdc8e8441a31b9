// Lines on a canvas. uPlot sees to axes, scales and the selection of a stretch; the lines are painted here, each with
// points of its own.

import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatDuration, formatNumber } from "../format";
import { useDark } from "../ui/theme";
import { firstFrom, rangesOf, type ChartSettings, type Line, type Range } from "./drawing";
import "./line-chart.css";
import { nearest, Tooltip, type Pointed } from "./tooltip";

export interface Look {
  readonly color: string;
  readonly name: string;
}

interface Props {
  lines: readonly Line[];
  settings: ChartSettings;
  /** The stretch that is shown; null for all. */
  zoom: Range | null;
  height: number;
  lookOf: (line: Line) => Look;
  onZoom: (zoom: Range | null) => void;
  label: string;
  /** Whether these are the points that were asked for behind a zoom. */
  isFiner: boolean;
}

const FEW_LINES = 12;
const SYNCED = new Set(["mousemove", "mouseenter", "mouseleave"]);

interface Shown {
  lines: readonly Line[];
  settings: ChartSettings;
  x: Range;
  y: Range;
  pointed: string | null;
  colors: ReadonlyMap<string, string>;
  ink: string;
}

export function LineChart({ lines, settings, zoom, height, lookOf, onZoom, label, isFiner }: Props): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const dark = useDark();
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const pointedId = pointed?.line.id ?? null;
  const ranges = useMemo(() => rangesOf(lines, settings, zoom), [lines, settings, zoom]);
  const colors = useMemo(() => new Map(lines.map((line) => [line.id, lookOf(line).color])), [lines, lookOf]);
  const shown = useMemo<Shown>(
    () => ({ lines, settings, ...ranges, pointed: pointedId, colors, ink: dark ? "#a1abba" : "#566072" }),
    [lines, settings, ranges, pointedId, colors, dark],
  );
  const present = useRef({ shown, onZoom });
  useEffect(() => {
    present.current = { shown, onZoom };
    plot.current?.setData([[...shown.x], [...shown.y]], true);
  }, [shown, onZoom]);

  const { x, logX, logY } = settings;
  useEffect(() => {
    const within = place.current;
    if (!within) return undefined;
    const made = new uPlot(
      options(
        { x, logX, logY, dark, width: within.clientWidth || 320, height },
        {
          shown: () => present.current.shown,
          zoom: (range) => present.current.onZoom(range),
          point: (at) => setPointed(at && nearest(present.current.shown.lines, at)),
        },
      ),
      [[...present.current.shown.x], [...present.current.shown.y]],
      within,
    );
    plot.current = made;
    const sizes = new ResizeObserver(() => {
      if (within.clientWidth > 0) made.setSize({ width: within.clientWidth, height });
    });
    sizes.observe(within);
    return () => {
      sizes.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [x, logX, logY, dark, height]);

  return (
    <div
      className="line-chart"
      data-is-finer={isFiner}
      data-to={shown.x[1]}
      role="img"
      aria-label={label}
      onDoubleClick={() => onZoom(null)}
    >
      <div ref={place} />
      {pointed && <Tooltip pointed={pointed} axis={x} lookOf={lookOf} />}
    </div>
  );
}

interface Fixed {
  x: ChartSettings["x"];
  logX: boolean;
  logY: boolean;
  dark: boolean;
  width: number;
  height: number;
}

interface Hooks {
  shown: () => Shown;
  zoom: (range: Range) => void;
  point: (at: Parameters<typeof nearest>[1] | null) => void;
}

function options(fixed: Fixed, hooks: Hooks): uPlot.Options {
  const axis = {
    stroke: fixed.dark ? "#a1abba" : "#566072",
    grid: { stroke: fixed.dark ? "#232a34" : "#e8ebf0", width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
  };
  return {
    width: fixed.width,
    height: fixed.height,
    legend: { show: false },
    padding: [8, 10, 0, 0],
    scales: {
      x: { time: fixed.x === "time", distr: fixed.logX ? 3 : 1, range: () => [...hooks.shown().x] },
      y: { distr: fixed.logY ? 3 : 1, range: () => [...hooks.shown().y] },
    },
    axes: [
      { ...axis, size: 24, ...(fixed.x === "time" ? {} : { values: (_plot, ticks) => ticks.map(xWords(fixed.x)) }) },
      { ...axis, size: 54, values: (_plot, ticks) => ticks.map((tick) => (tick === null ? "" : formatNumber(tick))) },
    ],
    // Scales take their ranges from what is shown; the series only has uPlot draw at all.
    series: [{}, { show: true, paths: () => null, points: { show: false } }],
    cursor: {
      points: { show: false },
      // All charts of a page show where the mouse is along x.
      sync: { key: "charts", scales: ["x", null], filters: { pub: (type) => SYNCED.has(type) } },
      drag: { x: true, y: false, setScale: false, dist: 4 },
    },
    hooks: {
      draw: [(plot) => paint(plot, hooks.shown())],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 4) return;
          hooks.zoom([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
      setCursor: [
        (plot) => {
          const { left = -1, top = -1 } = plot.cursor;
          const isHere = left >= 0 && plot.over.matches(":hover");
          hooks.point(
            !isHere
              ? null
              : {
                  over: plot.over,
                  left,
                  top,
                  x: plot.posToVal(left, "x"),
                  toTop: (value) => plot.valToPos(value, "y"),
                  toLeft: (value) => plot.valToPos(value, "x"),
                  toX: (at) => plot.posToVal(at, "x"),
                },
          );
        },
      ],
    },
  };
}

function xWords(axis: ChartSettings["x"]): (tick: number | null) => string {
  if (axis === "relative") return (tick) => (tick === null ? "" : formatDuration(tick * 1000));
  return (tick) => (tick === null ? "" : compact(tick));
}

const compactly = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 5 });

function compact(tick: number): string {
  return compactly.format(tick);
}

function paint(plot: uPlot, shown: Shown): void {
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

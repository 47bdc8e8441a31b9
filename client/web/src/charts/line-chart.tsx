// Lines on a canvas, by mouse and by keys. uPlot sees to axes, scales and the selection of a stretch.

import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatDuration, formatNumber } from "../format";
import { useDark } from "../ui/theme";
import { press } from "./chart-keys";
import { rangesOf, type ChartSettings, type Line, type Look, type Range } from "./drawing";
import "./line-chart.css";
import { paint, type Shown } from "./painting";
import { cursorAt, nearest, type Cursor, type Pointed } from "./pointing";
import { pointedWords, Tooltip } from "./tooltip";

interface Props {
  lines: readonly Line[];
  settings: ChartSettings;
  /** The stretch that is shown; null for all. */
  zoom: Range | null;
  /** All that there is along x. */
  wholeOf: () => Range;
  height: number;
  lookOf: (line: Line) => Look;
  onZoom: (zoom: Range | null) => void;
  label: string;
  /** Whether these are the points that were asked for behind a zoom. */
  isFiner: boolean;
}

const SYNCED = new Set(["mousemove", "mouseenter", "mouseleave"]);

export function LineChart(props: Props): ReactNode {
  const { lines, settings, zoom, height, lookOf, onZoom, label } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const dark = useDark();
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const [isKeyed, setKeyed] = useState(false);
  const pointedId = pointed?.line.id ?? null;
  const ranges = useMemo(() => rangesOf(lines, settings, zoom), [lines, settings, zoom]);
  const colors = useMemo(() => new Map(lines.map((line) => [line.id, lookOf(line).color])), [lines, lookOf]);
  const shown = useMemo<Shown>(
    () => ({ lines, settings, ...ranges, pointed: pointedId, colors, ink: dark ? "#a1abba" : "#566072" }),
    [lines, settings, ranges, pointedId, colors, dark],
  );
  const present = useRef({ shown, onZoom, isKeyed });
  useEffect(() => {
    present.current = { shown, onZoom, isKeyed: present.current.isKeyed };
  });
  // Painted anew for what is shown alone: who zooms may be told by every render.
  useEffect(() => plot.current?.setData([[...shown.x], [...shown.y]], true), [shown]);

  const { x, logX, logY } = settings;
  useEffect(() => {
    const within = place.current;
    if (!within) return undefined;
    const made = new uPlot(
      options(
        { x, logX, logY, dark, width: within.clientWidth || 320, height },
        {
          shown: () => present.current.shown,
          isKeyed: () => present.current.isKeyed,
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

  const keepKeyed = (next: boolean): void => {
    present.current.isKeyed = next;
    setKeyed(next);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!plot.current || event.ctrlKey || event.metaKey || event.altKey) return;
    keepKeyed(true);
    const keyed = { plot: plot.current, lines, pointed, whole: props.wholeOf(), onZoom };
    if (press(event.key, event.shiftKey, keyed)) event.preventDefault();
  };
  const onBlur = (): void => {
    keepKeyed(false);
    plot.current?.setCursor({ left: -10, top: -10 });
  };
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div role="group" aria-label={`${label}, by keys`} tabIndex={0} onKeyDown={onKeyDown} onBlur={onBlur}>
      <div
        className="line-chart"
        data-is-finer={props.isFiner}
        data-to={shown.x[1]}
        role="img"
        aria-label={label}
        onDoubleClick={() => onZoom(null)}
      >
        <div ref={place} />
        {pointed && <Tooltip pointed={pointed} axis={x} lookOf={lookOf} />}
      </div>
      <span className="unseen" role="status">
        {isKeyed && pointed && pointedWords(pointed, x, lookOf)}
      </span>
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
  /** Whether keys point, and not the mouse. */
  isKeyed: () => boolean;
  zoom: (range: Range) => void;
  point: (at: Cursor | null) => void;
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
          const isHere = left >= 0 && (hooks.isKeyed() || plot.over.matches(":hover"));
          hooks.point(isHere ? cursorAt(plot, left, top) : null);
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

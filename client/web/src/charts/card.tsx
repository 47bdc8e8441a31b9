// The chart of one metric: read when it comes into sight, zoomed by a drag, enlarged by a click.

import { useQuery } from "@tanstack/react-query";
import { useCallback, useContext, useMemo, useState, useSyncExternalStore, type ReactNode } from "react";
import { wordsOf } from "../api/errors";
import { useSetting } from "../router";
import { Dialog } from "../ui/dialog";
import { Icon } from "../ui/icon";
import { savePicture, type Picture } from "../ui/picture";
import { useSettled } from "../ui/use-settled";
import "./card.css";
import { FeedContext } from "./context";
import { firstFrom, linesOf, wholeOf, type ChartSettings, type Line, type Look, type Range } from "./drawing";
import { ChartLegend } from "./legend";
import { LineChart } from "./line-chart";
import { append, idOf, readPoints, seriesOf, type Series, type Wanted } from "./series";

export const CARD_HEIGHT = 250;
const PLOT_HEIGHT = 200;
const CARD_POINTS = 800;
const LARGE_POINTS = 2_000;
// The chart that was zoomed is read and drawn first, and then the others.
const OTHERS_WAIT_MS = 250;

interface Props {
  metric: string;
  runIds: readonly string[];
  settings: ChartSettings;
  lookOf: (line: Line) => Look;
  zoom: Range | null;
  onZoom: (zoom: Range | null) => void;
}

export function ChartCard(props: Props): ReactNode {
  const { metric, lookOf } = props;
  const [large, setLarge] = useSetting("large");
  const isLarge = large === metric;
  const chart = useChart(props, isLarge ? LARGE_POINTS : CARD_POINTS);
  return (
    <section className="chart-card panel" aria-label={metric}>
      <div className="spread">
        <h3 className="clipped" title={metric}>
          {metric}
        </h3>
        <span className="line-of card-actions">
          {chart.zoom && (
            <button
              className="button plain small"
              aria-label={`Show all of ${metric}`}
              onClick={() => chart.setZoom(null)}
            >
              <Icon name="reset" size={14} />
            </button>
          )}
          <button className="button plain small" aria-label={`Enlarge ${metric}`} onClick={() => setLarge(metric)}>
            <Icon name="expand" size={14} />
          </button>
        </span>
      </div>
      <Plot chart={chart} height={PLOT_HEIGHT} metric={metric} lookOf={lookOf} settings={props.settings} />
      {isLarge && (
        <Dialog large title={metric} onClose={() => setLarge("")}>
          <div className="line-of">
            <button
              className="button small"
              onClick={(event) => {
                const within = event.currentTarget.closest("dialog");
                const drawn = within?.querySelector("canvas");
                if (within && drawn) void savePicture(within, pictureOf(metric, drawn, chart.lines.map(lookOf)));
              }}
            >
              <Icon name="download" size={14} /> Picture
            </button>
            {chart.zoom && (
              <button className="button small" onClick={() => chart.setZoom(null)}>
                <Icon name="reset" size={14} /> Show all
              </button>
            )}
            <span className="soft">Drag to zoom, double-click to show all.</span>
          </div>
          <Plot
            chart={chart}
            height={Math.max(240, window.innerHeight - 280)}
            metric={metric}
            lookOf={lookOf}
            settings={props.settings}
          />
          <ChartLegend looks={chart.lines.map((line) => ({ id: line.id, ...lookOf(line) }))} />
        </Dialog>
      )}
    </section>
  );
}

function pictureOf(title: string, drawn: HTMLCanvasElement, legend: readonly Look[]): Picture {
  const { clientWidth: width, clientHeight: height } = drawn;
  const draw = (context: CanvasRenderingContext2D): void => context.drawImage(drawn, 0, 0, width, height);
  return { title, drawing: { width, height, draw }, legend };
}

interface Chart {
  lines: readonly Line[];
  zoom: Range | null;
  /** All that there is along x. */
  wholeOf: () => Range;
  setZoom: (zoom: Range | null) => void;
  isRead: boolean;
  isFiner: boolean;
  error: unknown;
}

function useChart({ metric, runIds, settings, zoom: wanted, onZoom }: Props, points: number): Chart {
  const feed = useContext(FeedContext);
  const [own, setOwn] = useState<Range | null>(null);
  const settled = useSettled(wanted, OTHERS_WAIT_MS);
  const zoom = wanted?.join() === own?.join() ? wanted : settled;
  const setZoom = (next: Range | null): void => {
    setOwn(next);
    onZoom(next);
  };
  const subscribe = useCallback((listener: () => void) => feed.want(metric, listener), [feed, metric]);
  const version = useSyncExternalStore(subscribe, () => feed.versionOf(metric));
  const coarse = useMemo(
    () => linesOf(feed.seriesOf(metric, runIds), settings),
    // The version is what says that the feed has something else.
    // eslint-disable-next-line react/exhaustive-deps
    [feed, metric, settings, runIds, version],
  );
  const steps = useMemo(
    () => (zoom ? stepsWithin(feed.seriesOf(metric, runIds), coarse, zoom) : null),
    [feed, metric, runIds, coarse, zoom],
  );
  const finer = useQuery({
    queryKey: ["finer", metric, runIds, steps, points],
    enabled: steps !== null,
    staleTime: 5_000,
    gcTime: 30_000,
    queryFn: ({ signal }) => readFiner({ runIds, keys: [metric], maxPoints: points }, steps ?? [0, 0], signal),
  });
  const lines = useMemo(
    () => (zoom && finer.data ? linesOf(finer.data, settings) : coarse),
    [zoom, finer.data, settings, coarse],
  );
  const isFiner = zoom !== null && finer.data !== undefined;
  return {
    lines,
    zoom,
    wholeOf: () => wholeOf(coarse, settings),
    setZoom,
    isFiner,
    isRead: feed.isRead(metric, runIds),
    error: feed.errorOf(metric) ?? finer.error,
  };
}

/** From which step to which the points within a stretch go, with a point more on each side. */
function stepsWithin(series: readonly Series[], lines: readonly Line[], [from, to]: Range): Range {
  const byId = new Map(series.map((each) => [each.id, each]));
  let low = Infinity;
  let high = -Infinity;
  for (const line of lines) {
    const steps = byId.get(line.id)?.steps;
    if (!steps || line.x.length === 0) continue;
    low = Math.min(low, steps[Math.max(0, firstFrom(line.x, from) - 1)] ?? Infinity);
    high = Math.max(high, steps[Math.min(line.x.length - 1, firstFrom(line.x, to))] ?? -Infinity);
  }
  return low <= high ? [low, high] : [0, 0];
}

async function readFiner(
  of: Pick<Wanted, "runIds" | "keys" | "maxPoints">,
  [minStep, maxStep]: Range,
  signal: AbortSignal,
): Promise<Series[]> {
  const found = new Map<string, Series>();
  const wanted = { ...of, minStep, maxStep };
  await readPoints(
    wanted,
    (points) => {
      const id = idOf(points.header);
      let series = found.get(id);
      if (!series) found.set(id, (series = seriesOf(points.header)));
      append(series, points);
    },
    signal,
  );
  return [...found.values()];
}

interface PlotProps {
  chart: Chart;
  height: number;
  metric: string;
  settings: ChartSettings;
  lookOf: (line: Line) => Look;
}

function Plot({ chart, height, metric, settings, lookOf }: PlotProps): ReactNode {
  if (chart.lines.length === 0) {
    const words = chart.error ? wordsOf(chart.error) : chart.isRead ? "None of these runs has logged it." : "";
    return (
      <div className="plot-empty soft" style={{ height }} role={chart.error ? "alert" : undefined}>
        {words}
      </div>
    );
  }
  return (
    <LineChart
      lines={chart.lines}
      settings={settings}
      zoom={chart.zoom}
      wholeOf={chart.wholeOf}
      height={height}
      lookOf={lookOf}
      onZoom={chart.setZoom}
      isFiner={chart.isFiner}
      label={`${metric} of ${chart.lines.length} series`}
    />
  );
}

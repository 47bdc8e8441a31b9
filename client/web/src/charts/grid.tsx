// All metrics of some runs as cards, by the part of their keys before the first slash. Only cards in sight are in the
// page.

import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useSetting } from "../router";
import { colorOf, SlotsContext } from "../runs/colors";
import { Icon } from "../ui/icon";
import { Empty } from "../ui/notice";
import { SearchBox } from "../ui/search-box";
import { useDark } from "../ui/theme";
import { useWidth } from "../ui/use-width";
import { CARD_HEIGHT, ChartCard } from "./card";
import { FeedContext } from "./context";
import { ChartLegend, type Named } from "./legend";
import type { Line, Look } from "./drawing";
import { SeriesFeed } from "./feed";
import "./grid.css";

import { ChartSettingsMenu, useChartSettings, useZoom } from "./settings";

export interface ChartedRun {
  readonly runId: string;
  readonly name: string;
  readonly isAtWork: boolean;
}

interface Props {
  runs: readonly ChartedRun[];
  /** Keys of metrics, sorted. */
  keys: readonly string[];
  /** Whether nothing else on the page says which colour is whose. */
  legend?: boolean;
  /** What else is said of them. */
  children?: ReactNode;
}

const CARD_WIDTH_MIN = 330;
const GAP = 12;
const HEAD_HEIGHT = 36;
const WITHOUT_PREFIX = "Metrics";

type Row = { group: string; count: number } | { cards: string[] };

export function ChartGrid({ runs, keys, legend = false, children }: Props): ReactNode {
  const settings = useChartSettings();
  const [zoom, setZoom] = useZoom();
  const [search, setSearch] = useSetting("charts");
  const [closed, setClosed] = useSetting("closed");
  const [feed, runIds] = useFeed(runs);
  const [lookOf, looks] = useLooks(runs);
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const columns = Math.max(1, Math.floor((width + GAP) / (CARD_WIDTH_MIN + GAP)));
  const folded = useMemo(() => new Set(closed.split("|").filter(Boolean)), [closed]);
  const rows = useMemo(() => rowsOf(matching(keys, search), columns, folded), [keys, search, columns, folded]);
  const shown = useVirtualizer({
    count: rows.length,
    getScrollElement: () => place.current,
    estimateSize: (at) => ("cards" in (rows[at] ?? { cards: [] }) ? CARD_HEIGHT + GAP : HEAD_HEIGHT),
    overscan: 1,
  });
  useLargeInSight(rows, shown);
  // Heights stand by kinds of rows, which change with what is searched for.
  useEffect(() => shown.measure(), [rows, shown]);
  const fold = (group: string): void => {
    const next = new Set(folded);
    if (!next.delete(group)) next.add(group);
    setClosed([...next].join("|"));
  };
  return (
    <FeedContext value={feed}>
      <div className="chart-area">
        <h2 className="unseen">Charts</h2>
        <div className="line-of chart-tools">
          <SearchBox label="Find a metric" value={search} onChange={setSearch} />
          {children}
          <ChartSettingsMenu settings={settings} />
        </div>
        {legend && <ChartLegend looks={looks} />}
        <div className="chart-scroll" ref={place}>
          {rows.length === 0 && <Nothing search={search} runs={runs.length} />}
          <div style={{ height: shown.getTotalSize(), position: "relative" }}>
            {shown.getVirtualItems().map((item) => {
              const row = rows[item.index];
              if (!row) return null;
              const style = { transform: `translateY(${item.start}px)` };
              return "cards" in row ? (
                <div
                  key={row.cards[0]}
                  className="chart-row"
                  style={{ ...style, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, height: CARD_HEIGHT }}
                >
                  {row.cards.map((metric) => (
                    <ChartCard
                      key={metric}
                      metric={metric}
                      runIds={runIds}
                      settings={settings}
                      lookOf={lookOf}
                      zoom={zoom}
                      onZoom={setZoom}
                    />
                  ))}
                </div>
              ) : (
                <h2 key={`group ${row.group}`} className="chart-group" style={style}>
                  <button
                    className="fold line-of"
                    aria-expanded={!folded.has(row.group)}
                    onClick={() => fold(row.group)}
                  >
                    <Icon name={folded.has(row.group) ? "right" : "down"} size={14} /> {row.group}
                    <span className="count">{row.count}</span>
                  </button>
                </h2>
              );
            })}
          </div>
        </div>
      </div>
    </FeedContext>
  );
}

/** The chart that an address names as enlarged is where it can be seen, once. */
function useLargeInSight(rows: readonly Row[], shown: { scrollToIndex: (index: number) => void }): void {
  const [large] = useSetting("large");
  const done = useRef("");
  useEffect(() => {
    const at = rows.findIndex((row) => "cards" in row && row.cards.includes(large));
    if (at >= 0 && done.current !== large) shown.scrollToIndex(at);
    if (at >= 0) done.current = large;
  }, [rows, shown, large]);
}

function Nothing({ search, runs }: { search: string; runs: number }): ReactNode {
  if (search) return <Empty title={`No metric has “${search}” in its key`} />;
  return <Empty title={runs > 0 ? "These runs have logged no metrics yet" : "No run is shown"} />;
}

function matching(keys: readonly string[], search: string): readonly string[] {
  const words = search.trim().toLowerCase();
  return words ? keys.filter((key) => key.toLowerCase().includes(words)) : keys;
}

function groupOf(key: string): string {
  const slash = key.indexOf("/");
  return slash > 0 ? key.slice(0, slash) : WITHOUT_PREFIX;
}

/** What the machine tells stands behind what the training does. */
function orderOf(group: string): string {
  return group === WITHOUT_PREFIX ? "0" : group === "system" ? "2" : `1${group}`;
}

function rowsOf(keys: readonly string[], columns: number, folded: ReadonlySet<string>): Row[] {
  const groups = Map.groupBy(keys, groupOf);
  const names = [...groups.keys()].toSorted((a, b) => orderOf(a).localeCompare(orderOf(b)));
  const rows: Row[] = [];
  for (const group of names) {
    const members = groups.get(group) ?? [];
    // One group alone has no head, by which it could be unfolded.
    const hasHead = names.length > 1;
    if (hasHead) rows.push({ group, count: members.length });
    if (hasHead && folded.has(group)) continue;
    for (let at = 0; at < members.length; at += columns) rows.push({ cards: members.slice(at, at + columns) });
  }
  return rows;
}

/** One feed for the page, told which runs are wanted. */
function useFeed(runs: readonly ChartedRun[]): [SeriesFeed, readonly string[]] {
  const [feed] = useState(() => new SeriesFeed());
  const name = runs.map(({ runId }) => runId).join(" ");
  const live = runs
    .filter(({ isAtWork }) => isAtWork)
    .map(({ runId }) => runId)
    .join(" ");
  const runIds = useMemo(() => name.split(" ").filter(Boolean), [name]);
  useEffect(() => feed.setRuns(runIds, live.split(" ").filter(Boolean)), [feed, runIds, live]);
  useEffect(() => feed.open(), [feed]);
  return [feed, runIds];
}

/** How a line looks, and how all lines of each run do. */
function useLooks(runs: readonly ChartedRun[]): [(line: Line) => Look, readonly Named[]] {
  const dark = useDark();
  const names = useMemo(() => new Map(runs.map(({ runId, name }) => [runId, name])), [runs]);
  const slots = useContext(SlotsContext);
  const lookOf = useCallback(
    ({ runId, rank, about }: Pick<Line, "runId" | "rank" | "about">): Look => {
      const parts = [names.get(runId) ?? runId, rank === undefined ? "" : `rank ${rank}`, about];
      return { color: colorOf(slots.get(runId) ?? 0, dark), name: parts.filter(Boolean).join(", ") };
    },
    [names, slots, dark],
  );
  const looks = useMemo(
    () => runs.map(({ runId }) => ({ id: runId, ...lookOf({ runId, rank: undefined, about: "" }) })),
    [runs, lookOf],
  );
  return [lookOf, looks];
}

// What stands beside the cursor: the nearest line, and the others at the same place.

import { useLayoutEffect, useRef, type ReactNode } from "react";
import { formatDuration, formatNumber, formatTime } from "../format";
import { firstFrom, type ChartSettings, type Line } from "./drawing";
import type { Look } from "./line-chart";
import { placeOf } from "./tooltip-place";

const NEAR_PIXELS = 40;
const AT_PIXELS = 5;
const OTHERS_MAX = 9;

export interface Cursor {
  /** What the lines are drawn within, and the cursor's place there. */
  readonly over: HTMLElement;
  readonly left: number;
  readonly top: number;
  readonly x: number;
  readonly toTop: (value: number) => number;
  readonly toLeft: (value: number) => number;
  readonly toX: (left: number) => number;
}

interface Found {
  readonly line: Line;
  readonly x: number;
  readonly y: number;
  readonly smooth: number | undefined;
}

export interface Pointed extends Found {
  readonly others: readonly Found[];
  readonly cursor: Cursor;
}

/** The line that is drawn nearest to the cursor, if one is near. */
export function nearest(lines: readonly Line[], cursor: Cursor): Pointed | null {
  const middle = cursor.toLeft(cursor.x);
  const distance = ({ y, smooth, x }: Found): number =>
    Math.hypot(cursor.toTop(smooth ?? y) - cursor.top, (cursor.toLeft(x) - middle) / 2);
  const found = lines.map((line) => pick(line, cursor, distance)).filter((each) => each !== null);
  const closest = found.reduce<Found | null>(
    (best, each) => (!best || distance(each) < distance(best) ? each : best),
    null,
  );
  if (!closest || !(distance(closest) < NEAR_PIXELS)) return null;
  const others = found.toSorted((a, b) => (b.smooth ?? b.y) - (a.smooth ?? a.y));
  return { ...closest, others, cursor };
}

/** Of a line's points at the cursor, or the two that are nearest to it, the one that is drawn nearest. */
function pick(line: Line, cursor: Cursor, distance: (found: Found) => number): Found | null {
  const width = Math.abs(cursor.toX(AT_PIXELS) - cursor.toX(0));
  const from = Math.max(0, firstFrom(line.x, cursor.x - width) - 1);
  const to = Math.min(line.x.length, firstFrom(line.x, cursor.x + width) + 1);
  let best: Found | null = null;
  for (let at = from; at < to; at += 1) {
    const y = line.y[at] ?? NaN;
    const found = { line, x: line.x[at] ?? 0, y, smooth: line.smooth?.[at] };
    if (Number.isFinite(y) && (!best || distance(found) < distance(best))) best = found;
  }
  return best;
}

interface Props {
  pointed: Pointed;
  axis: ChartSettings["x"];
  lookOf: (line: Line) => Look;
}

export function Tooltip({ pointed, axis, lookOf }: Props): ReactNode {
  const { others, line } = pointed;
  const told = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!told.current) return;
    // Over all else, as it may be larger than a card.
    if (!told.current.matches(":popover-open")) told.current.showPopover();
    const { left, top } = placeOf(told.current, pointed);
    told.current.style.left = `${left}px`;
    told.current.style.top = `${top}px`;
  }, [pointed]);
  const start = Math.max(0, Math.min(others.findIndex((each) => each.line === line) - 4, others.length - OTHERS_MAX));
  return (
    <div ref={told} className="chart-tooltip" popover="manual" aria-hidden="true">
      <div className="soft">{xWords(pointed.x, axis)}</div>
      {others.slice(start, start + OTHERS_MAX).map((each) => (
        <div key={each.line.id} className={each.line === line ? "line-of here" : "line-of"}>
          <span className="swatch" style={{ background: lookOf(each.line).color }} />
          <span className="clipped grow">{lookOf(each.line).name}</span>
          <span className="number">
            {formatNumber(each.smooth ?? each.y)}
            {each.smooth !== undefined && <span className="soft"> ({formatNumber(each.y)})</span>}
          </span>
        </div>
      ))}
      {others.length > OTHERS_MAX && <div className="soft">{others.length} lines</div>}
    </div>
  );
}

function xWords(x: number, axis: ChartSettings["x"]): string {
  if (axis === "step") return `Step ${x.toLocaleString("en")}`;
  return axis === "time" ? formatTime(x * 1000) : `${formatDuration(x * 1000)} after the start`;
}

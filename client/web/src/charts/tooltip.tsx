// What stands beside the cursor: the nearest line, and the others at the same place.

import { useLayoutEffect, useRef, type ReactNode } from "react";
import { formatDuration, formatNumber, formatTime } from "../format";
import type { ChartSettings, Line, Look } from "./drawing";
import type { Pointed } from "./pointing";
import { placeOf } from "./tooltip-place";

const OTHERS_MAX = 9;

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

/** The point that is pointed at, in a line. */
export function pointedWords(pointed: Pointed, axis: ChartSettings["x"], lookOf: Props["lookOf"]): string {
  return `${xWords(pointed.x, axis)}, ${lookOf(pointed.line).name}: ${formatNumber(pointed.smooth ?? pointed.y)}`;
}

function xWords(x: number, axis: ChartSettings["x"]): string {
  if (axis === "step") return `Step ${x.toLocaleString("en")}`;
  return axis === "time" ? formatTime(x * 1000) : `${formatDuration(x * 1000)} after the start`;
}

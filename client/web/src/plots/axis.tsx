// An axis of parallel coordinates; a drag along it keeps the runs that pass there, a click lets go.

import { useRef, type PointerEvent, type ReactNode } from "react";
import type { Dimension } from "./dimensions";
import { rangeBetween, sharesOf, type Range } from "./kept";
import { PLOT, topOf } from "./lines";
import { shortened } from "./ticks";

interface Props {
  dimension: Dimension;
  left: number;
  /** Of the plot. */
  height: number;
  kept: Range | undefined;
  /** Again and again while somebody drags, and once it is over. */
  onKeep: (range: Range | null, isOver: boolean) => void;
}

const TITLE = 18;
const WORDS = 14;
// Words are narrow: one is a stretch, too.
const AROUND = 6;

export function Axis({ dimension, left, height, kept, onKeep }: Props): ReactNode {
  const bottom = topOf(0, height);
  const start = useRef<number | null>(null);
  const [low, high] = kept ? sharesOf(dimension, kept) : [0, 0];
  const around = dimension.words ? AROUND : 0;
  const shareAt = (event: PointerEvent<SVGRectElement>): number => {
    const top = event.clientY - (event.currentTarget.ownerSVGElement?.getBoundingClientRect().top ?? 0);
    return Math.max(0, Math.min(1, (bottom - top) / (bottom - PLOT.top)));
  };
  return (
    <g transform={`translate(${left} 0)`}>
      <text className="axis-title" y={PLOT.top - 26} textAnchor="middle">
        <title>{dimension.title}</title>
        {shortened(dimension.title, TITLE)}
      </text>
      <line className="axis" y1={PLOT.top} y2={bottom} />
      {dimension.ticks.map(({ share, words }) => (
        <g key={share} transform={`translate(0 ${topOf(share, height)})`}>
          <line className="axis" x1={-3} x2={3} />
          <title>{words}</title>
          <text className="axis-tick" x={7} y={4}>
            {shortened(words, WORDS, !dimension.words)}
          </text>
        </g>
      ))}
      {kept && (
        <rect
          className="kept"
          x={-7}
          width={14}
          y={topOf(high, height) - around}
          height={(bottom - PLOT.top) * Math.max(0, high - low) + 2 * around}
        />
      )}
      <rect
        className="brush"
        x={-12}
        width={24}
        y={PLOT.top - 8}
        height={bottom - PLOT.top + 16}
        onClick={(event) => event.stopPropagation()}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          start.current = shareAt(event);
        }}
        onPointerMove={(event) => {
          if (start.current === null) return;
          onKeep(rangeBetween(dimension, start.current, shareAt(event)), false);
        }}
        onPointerUp={(event) => {
          if (start.current === null) return;
          const share = shareAt(event);
          const isClick = Math.abs(share - start.current) < 0.01;
          onKeep(isClick ? null : rangeBetween(dimension, start.current, share), true);
          start.current = null;
        }}
        onPointerCancel={() => {
          start.current = null;
          onKeep(kept ?? null, true);
        }}
      />
    </g>
  );
}

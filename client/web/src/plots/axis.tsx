// An axis of parallel coordinates; a drag along it keeps the runs that pass there, a click lets go.

import { useRef, type PointerEvent, type ReactNode } from "react";
import type { Dimension } from "./dimensions";
import { PLOT, topOf } from "./lines";

interface Props {
  dimension: Dimension;
  left: number;
  /** Of the plot. */
  height: number;
  kept: readonly [number, number] | undefined;
  onKeep: (range: readonly [number, number] | null) => void;
}

const TITLE = 18;
const WORDS = 14;

export function Axis({ dimension, left, height, kept, onKeep }: Props): ReactNode {
  const bottom = topOf(0, height);
  const start = useRef<number | null>(null);
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
        <g key={words} transform={`translate(0 ${topOf(share, height)})`}>
          <line className="axis" x1={-3} x2={3} />
          <text className="axis-tick" x={7} y={4}>
            {shortened(words, WORDS)}
          </text>
        </g>
      ))}
      {kept && (
        <rect
          className="kept"
          x={-7}
          width={14}
          y={topOf(kept[1], height)}
          height={(bottom - PLOT.top) * (kept[1] - kept[0])}
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
          const share = shareAt(event);
          onKeep([Math.min(start.current, share), Math.max(start.current, share)]);
        }}
        onPointerUp={(event) => {
          if (start.current !== null && Math.abs(shareAt(event) - start.current) < 0.01) onKeep(null);
          start.current = null;
        }}
      />
    </g>
  );
}

function shortened(text: string, characters: number): string {
  return text.length > characters ? `${text.slice(0, characters - 1)}…` : text;
}

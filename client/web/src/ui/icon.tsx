// Small drawings, by the strokes of a 16 × 16 grid.

import type { ReactNode } from "react";

const PATHS = {
  half: "M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12M8 2v12M8 5h4.6M8 8h6M8 11h4.6",
  sun: "M8 5a3 3 0 1 0 0 6a3 3 0 1 0 0-6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1",
  moon: "M13.5 9.5A6 6 0 1 1 6.5 2.5a5 5 0 0 0 7 7",
  keys: "M1.5 4h13v8h-13zM4 6.5h.01M6.7 6.5h.01M9.3 6.5h.01M12 6.5h.01M5 9.5h6",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9M10.5 10.5L14 14",
  close: "M4 4l8 8M12 4l-8 8",
  down: "M4 6l4 4l4-4",
  right: "M6 4l4 4l-4 4",
  up: "M4 10l4-4l4 4",
  left: "M10 4l-4 4l4 4",
  plus: "M8 3v10M3 8h10",
  pin: "M6 2h4l-.5 5l2 2.5h-7l2-2.5zM8 9.5V14",
  eye: "M1.5 8c3-5 10-5 13 0c-3 5-10 5-13 0M8 6a2 2 0 1 0 0 4a2 2 0 1 0 0-4",
  columns: "M2 3h12v10H2zM6 3v10M10 3v10",
  parallel: "M3 2v12M8 2v12M13 2v12M3 4.5l5 6.5l5-7",
  scatter: "M2 2v12h12M6 10.5h.01M7.5 6h.01M10 9h.01M12.5 4h.01M11.5 6.5h.01",
  bars: "M2 2v12M2 4h11M2 8h8M2 12h5",
  chart: "M2 2v12h12M4.5 10l3-4l2.5 2.5L14 4",
  table: "M2 3h12v10H2zM2 6.5h12M2 10h12M6.5 3v10",
  settings:
    "M3 5h6M12 5h1M3 11h1M7 11h6M10.5 3.5a1.5 1.5 0 1 0 0 3a1.5 1.5 0 1 0 0-3M5.5 9.5a1.5 1.5 0 1 0 0 3a1.5 1.5 0 1 0 0-3",
  expand: "M9.5 2H14v4.5M14 2L9 7M6.5 14H2V9.5M2 14l5-5",
  download: "M8 2v8M4.5 7L8 10.5L11.5 7M3 14h10",
  trash: "M3 4h10M6 4V2.5h4V4M4.5 4l.5 9.5h6l.5-9.5M7 7v4M9 7v4",
  tag: "M2 2h5.5L14 8.5L8.5 14L2 7.5zM5 4.5a.5.5 0 1 0 0 1a.5.5 0 1 0 0-1",
  copy: "M5 5h8v9H5zM3 11V2h8",
  file: "M4 1.5h5l3 3v10H4zM9 1.5v3h3",
  folder: "M1.5 3.5h5l1.5 2h6.5v8h-13z",
  pencil: "M3 13l.5-3L11 2.5l2.5 2.5L6 12.5z",
  check: "M3 8.5l3.5 3.5L13 4.5",
  more: "M3 8h.01M8 8h.01M13 8h.01",
  reset: "M3 3v4h4M3.5 7a5 5 0 1 1-.5 3",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }): ReactNode {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" fill="none" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}

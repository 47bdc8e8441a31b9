// Lines of text, of which only those that are seen are in the document.

import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, type ReactNode } from "react";
import "./lines.css";

interface Props {
  label: string;
  count: number;
  wraps: boolean;
  /** Whether the end stays in sight while lines come, as long as the reader has not gone up. */
  follows?: boolean;
  /** The line to be brought into sight. */
  target?: number | undefined;
  renderLine: (index: number) => ReactNode;
}

const LINE_PIXELS = 19;
const GESTURE_MS = 500;

export function Lines({ label, count, wraps, follows = false, target, renderLine }: Props): ReactNode {
  const place = useRef<HTMLElement>(null);
  const isAtEnd = useRef(follows);
  // When the reader last did something here: other scrolling is the browser's, or ours.
  const touched = useRef(-Infinity);
  const touch = (): void => {
    touched.current = performance.now();
  };
  // It must not be memoized, and nothing here is.
  // oxlint-disable-next-line react/incompatible-library
  const rows = useVirtualizer({
    count,
    getScrollElement: () => place.current,
    estimateSize: () => LINE_PIXELS,
    overscan: 30,
  });
  // Whatever makes the lines higher, more of them or a better guess of their heights, the end stays in sight.
  const all = useRef(null as HTMLDivElement | null);
  useEffect(() => {
    if (!follows || !all.current) return undefined;
    const sizes = new ResizeObserver(() => {
      if (isAtEnd.current) place.current?.scrollTo({ top: place.current.scrollHeight });
    });
    sizes.observe(all.current);
    return () => sizes.disconnect();
  }, [follows]);
  useEffect(() => {
    if (target !== undefined && target >= 0) rows.scrollToIndex(target, { align: "center" });
  }, [target, rows]);
  useEffect(() => rows.measure(), [wraps, rows]);
  return (
    <section
      ref={place}
      className={wraps ? "lines wrapped" : "lines"}
      // What scrolls is reached by keys.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      aria-label={label}
      onWheel={touch}
      onTouchMove={touch}
      onPointerDown={touch}
      onPointerMove={(event) => event.buttons > 0 && touch()}
      onKeyDown={touch}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        if (scrollHeight - scrollTop - clientHeight < 2 * LINE_PIXELS) isAtEnd.current = true;
        else if (performance.now() - touched.current < GESTURE_MS) isAtEnd.current = false;
      }}
    >
      <div ref={all} className="lines-all" style={{ height: rows.getTotalSize() }}>
        <div className="lines-seen" style={{ transform: `translateY(${rows.getVirtualItems()[0]?.start ?? 0}px)` }}>
          {rows.getVirtualItems().map(({ index, key }) => (
            <div key={key} ref={rows.measureElement} data-index={index} className="lines-line">
              {renderLine(index)}
            </div>
          ))}
        </div>
      </div>
    </section>
  );
}

/** Text with what was searched for marked. */
export function Marked({ text, search }: { text: string; search: string }): ReactNode {
  if (!search) return text;
  const parts: ReactNode[] = [];
  const folded = text.toLowerCase();
  const wanted = search.toLowerCase();
  let at = 0;
  for (let found = folded.indexOf(wanted); found >= 0; found = folded.indexOf(wanted, at)) {
    parts.push(text.slice(at, found), <mark key={found}>{text.slice(found, found + search.length)}</mark>);
    at = found + search.length;
  }
  parts.push(text.slice(at));
  return parts;
}

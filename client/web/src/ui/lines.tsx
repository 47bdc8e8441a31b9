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

export function Lines({ label, count, wraps, follows = false, target, renderLine }: Props): ReactNode {
  const place = useRef<HTMLElement>(null);
  const isAtEnd = useRef(follows);
  // It must not be memoized, and nothing here is.
  // oxlint-disable-next-line react/incompatible-library
  const rows = useVirtualizer({
    count,
    getScrollElement: () => place.current,
    estimateSize: () => LINE_PIXELS,
    overscan: 30,
  });
  useEffect(() => {
    if (follows && isAtEnd.current && count > 0) rows.scrollToIndex(count - 1, { align: "end" });
  }, [follows, count, rows]);
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
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < 2 * LINE_PIXELS;
      }}
    >
      <div className="lines-all" style={{ height: rows.getTotalSize() }}>
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

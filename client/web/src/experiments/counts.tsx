// How many runs there are, are selected, and are drawn.

import type { ReactNode } from "react";
import { formatCount } from "../format";
import { RUNS_MAX, type FoundRuns } from "../runs/found-runs";

interface CountedProps {
  found: FoundRuns;
  isSearched: boolean;
  /** How many of them are selected. */
  chosen?: number;
  /** And how many that are not among them. */
  hidden?: number;
}

export function Counted({ found, isSearched, chosen = 0, hidden = 0 }: CountedProps): ReactNode {
  const count = found.rows.length;
  const none = isSearched ? "No run matches the filter" : "No run is here";
  const some = found.isWhole ? formatCount(count, "run") : `${formatCount(count, "run")} and counting`;
  const words = count === 0 && found.isWhole ? none : some;
  // What was found before stays.
  const asBefore = count === 0 ? "Nothing was searched" : `${formatCount(count, "run")} from before`;
  return (
    <span className="soft" role="status">
      {found.error === null ? words : asBefore}
      {count >= RUNS_MAX && ": a filter finds the others"}
      {chosen + hidden > 0 && `, ${chosen.toLocaleString("en")} selected`}
      {hidden > 0 && found.isWhole && `, ${hidden.toLocaleString("en")} more not shown`}
    </span>
  );
}

interface LeftOutProps {
  charted: number;
  of: number;
  /** More are never drawn. */
  most: number;
  onMore: (most: string) => void;
}

export function LeftOut({ charted, of, most, onMore }: LeftOutProps): ReactNode {
  if (charted >= of) return null;
  const more = Math.min(of, most);
  return (
    <span className="line-of soft" role="status">
      The first {charted.toLocaleString("en")} of {formatCount(of, "run")}
      {more > charted && (
        <button className="button small" onClick={() => onMore(String(most))}>
          Show {more === of ? "all" : more.toLocaleString("en")}
        </button>
      )}
    </span>
  );
}

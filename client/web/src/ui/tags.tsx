// Tags in a line, but for those that clients set for themselves.

import type { ReactNode } from "react";

export function Tags({ tags, empty = "" }: { tags: Record<string, string>; empty?: string }): ReactNode {
  const shown = Object.entries(tags).filter(([key]) => !key.startsWith("mlflow."));
  if (shown.length === 0) return empty ? <span className="soft">{empty}</span> : null;
  return (
    <span className="tags">
      {shown
        .toSorted(([a], [b]) => a.localeCompare(b))
        .map(([key, value]) => (
          <span key={key} className="tag" title={`${key}: ${value}`}>
            {value ? `${key}: ${value}` : key}
          </span>
        ))}
    </span>
  );
}

// What went wrong, or that there is nothing, in the place where something was to be.

import type { ReactNode } from "react";
import { needsToken, wordsOf } from "../api/errors";
import { askForToken } from "../api/token";
import "./notice.css";

export function Failure({ error, onRetry }: { error: unknown; onRetry?: (() => void) | undefined }): ReactNode {
  return (
    <div className="notice bad" role="alert">
      <span className="grow">{wordsOf(error)}</span>
      {needsToken(error) && (
        <button type="button" className="button small" onClick={askForToken}>
          Give a token
        </button>
      )}
      {onRetry && (
        <button className="button small" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** An empty place that says what to do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }): ReactNode {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

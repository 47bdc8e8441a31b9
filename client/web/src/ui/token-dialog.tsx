// Asks for a token where the server wants one, and then has everything asked anew. Who closes it is not asked again,
// but by the button that stands where something was refused.

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { needsToken } from "../api/errors";
import { accessToken, keepToken, onTokenWanted } from "../api/token";
import { Dialog } from "./dialog";

export function TokenDialog(): ReactNode {
  const queries = useQueryClient();
  const [asks, setAsks] = useState(false);
  const [token, setToken] = useState("");
  const isDeclined = useRef(false);
  useEffect(() => onTokenWanted(() => setAsks(true)), []);
  useEffect(
    () =>
      queries.getQueryCache().subscribe((event) => {
        const isRefused = event.type === "updated" && event.action.type === "error" && needsToken(event.action.error);
        if (isRefused && !isDeclined.current) setAsks(true);
      }),
    [queries],
  );
  if (!asks) return null;
  return (
    <Dialog
      title="This server asks for a token"
      onClose={() => {
        isDeclined.current = true;
        setAsks(false);
      }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          keepToken(token.trim());
          isDeclined.current = false;
          setAsks(false);
          void queries.resetQueries();
        }}
      >
        <p className="soft">
          {accessToken() ? "The one that was given is not known, or it has expired. " : ""}
          Whoever runs the server makes them by <span className="mono">trackwire tokens create</span>. It stays in this
          tab.
        </p>
        <label>
          Token
          <input
            className="field mono"
            type="password"
            autoComplete="off"
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
        </label>
        <div className="actions">
          <button className="button primary" disabled={!token.trim()}>
            Go on
          </button>
        </div>
      </form>
    </Dialog>
  );
}

// Asks for a token where the server wants one, and then has everything asked anew.

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { needsToken } from "../api/errors";
import { accessToken, keepToken } from "../api/token";
import { Dialog } from "./dialog";

export function TokenDialog(): ReactNode {
  const queries = useQueryClient();
  const [asks, setAsks] = useState(false);
  const [token, setToken] = useState("");
  useEffect(
    () =>
      queries.getQueryCache().subscribe((event) => {
        if (event.type === "updated" && event.action.type === "error" && needsToken(event.action.error)) setAsks(true);
      }),
    [queries],
  );
  if (!asks) return null;
  return (
    <Dialog title="This server asks for a token" onClose={() => setAsks(false)}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          keepToken(token.trim());
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

// Says that the server doesn't answer, for as long as that is so: what a page shows may be old.

import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useSyncExternalStore, type ReactNode } from "react";
import { isAway } from "../api/errors";
import "./server-away.css";

export function ServerAway(): ReactNode {
  const cache = useQueryClient().getQueryCache();
  const subscribe = useCallback((listener: () => void) => cache.subscribe(listener), [cache]);
  const away = useSyncExternalStore(subscribe, () =>
    cache.findAll({ fetchStatus: "fetching" }).some(({ state }) => isAway(state.fetchFailureReason)),
  );
  if (!away) return null;
  return (
    <p className="server-away" role="alert">
      The server doesn’t answer: what is shown may be old. It is asked again.
    </p>
  );
}

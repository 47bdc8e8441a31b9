import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { isAway } from "./api/errors";
import { App } from "./app";
import "./theme.css";
import { applyTheme } from "./ui/theme";

const RELOAD_AGAIN_MS = 30_000;

applyTheme();

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // A server that is away comes back; what it refuses, it would refuse again.
      retry: (_failures, error) => isAway(error),
      retryDelay: (failures) => Math.min(1000 * 2 ** failures, 10_000),
      staleTime: 2_000,
    },
  },
});

// After an upgrade the parts of a page that was open before are gone under their old names.
const RELOADED = "trackwire-reloaded";
window.addEventListener("vite:preloadError", (event) => {
  const last = Number(window.sessionStorage.getItem(RELOADED) ?? 0);
  if (Date.now() - last < RELOAD_AGAIN_MS) return;
  window.sessionStorage.setItem(RELOADED, String(Date.now()));
  event.preventDefault();
  window.location.reload();
});

const place = document.getElementById("app");
if (!place) throw new Error("the page has no place for the app");
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);

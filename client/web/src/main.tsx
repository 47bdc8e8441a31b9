import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { isAway } from "./api/errors";
import { App } from "./app";
import "./theme.css";
import { watchParts } from "./ui/parts";
import { applyTheme } from "./ui/theme";

applyTheme();
watchParts();

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

const place = document.getElementById("app");
if (!place) throw new Error("the page has no place for the app");
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);

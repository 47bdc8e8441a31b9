// Light or dark: the system's choice until the reader makes one, which this browser keeps.

import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

const NAME = "trackwire-theme";
const listeners = new Set<() => void>();
const systemIsDark = window.matchMedia("(prefers-color-scheme: dark)");

export function chosenTheme(): Theme {
  const kept = window.localStorage.getItem(NAME);
  return kept === "light" || kept === "dark" ? kept : "system";
}

export function chooseTheme(theme: Theme): void {
  if (theme === "system") window.localStorage.removeItem(NAME);
  else window.localStorage.setItem(NAME, theme);
  applyTheme();
}

export function applyTheme(): void {
  const theme = chosenTheme();
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  for (const listener of listeners) listener();
}

systemIsDark.addEventListener("change", applyTheme);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function isDark(): boolean {
  const theme = chosenTheme();
  return theme === "system" ? systemIsDark.matches : theme === "dark";
}

/** Whether what is drawn on a canvas is to be drawn for the dark. */
export function useDark(): boolean {
  return useSyncExternalStore(subscribe, isDark);
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, chosenTheme);
}

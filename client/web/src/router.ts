// Where the reader is: the part of the address behind `#`, with MLflow's paths, so that links that its client prints
// lead somewhere here. What a page is set to (filters, columns, zooms) is in its query: every state can be shared.

import { useCallback, useSyncExternalStore } from "react";

export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

let shown = { hash: "", place: parse("") };

function parse(hash: string): Place {
  const [path = "", query = ""] = splitOnce(hash.replace(/^#/, ""), "?");
  return { path: path || "/", query: new URLSearchParams(query) };
}

function splitOnce(text: string, by: string): [string, string] {
  const at = text.indexOf(by);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

export function currentPlace(): Place {
  if (shown.hash !== window.location.hash) {
    shown = { hash: window.location.hash, place: parse(window.location.hash) };
  }
  return shown.place;
}

const listeners = new Set<() => void>();

function tellAll(): void {
  for (const listener of listeners) listener();
}

window.addEventListener("hashchange", tellAll);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function usePlace(): Place {
  return useSyncExternalStore(subscribe, currentPlace);
}

/** The address of a place, for an `<a href>`. Segments of a path are encoded by whoever makes them. */
export function addressOf(path: string, query: Record<string, string> = {}): string {
  const search = new URLSearchParams(query).toString();
  return `#${path}${search && `?${search}`}`;
}

export function go(address: string, { replace = false } = {}): void {
  window.history[replace ? "replaceState" : "pushState"](null, "", address);
  tellAll();
}

/** Changes settings of the page in its address; `null` takes one away. No new step for the Back button. */
export function setQuery(changes: Record<string, string | null>): void {
  const { path, query } = currentPlace();
  const changed = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) changed.delete(name);
    else changed.set(name, value);
  }
  const search = changed.toString();
  go(`#${path}${search && `?${search}`}`, { replace: true });
}

/** One setting of the page, as text; the default is not in the address. */
export function useSetting(name: string, fallback = ""): [string, (value: string) => void] {
  const value = usePlace().query.get(name) ?? fallback;
  const set = useCallback((next: string) => setQuery({ [name]: next === fallback ? null : next }), [name, fallback]);
  return [value, set];
}

/** The parts of a path that a pattern such as `/experiments/:id` names, decoded; null where it doesn't fit.
 *
 * One that ends in `/*` fits whatever comes behind it, which is then `rest`.
 */
export function match(pattern: string, path: string): Record<string, string> | null {
  const isOpen = pattern.endsWith("/*");
  const wanted = (isOpen ? pattern.slice(0, -2) : pattern).split("/");
  const found = path.replace(/(.)\/$/, "$1").split("/");
  if (isOpen ? found.length < wanted.length : found.length !== wanted.length) return null;
  const parts: Record<string, string> = {};
  for (const [at, part] of wanted.entries()) {
    const segment = found[at] ?? "";
    if (part.startsWith(":")) parts[part.slice(1)] = decoded(segment);
    else if (part !== segment) return null;
  }
  if (isOpen) parts["rest"] = found.slice(wanted.length).map(decoded).join("/");
  return parts;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

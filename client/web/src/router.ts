// Where the reader is: the part of the address behind `#`, with MLflow's paths, so that links that its client prints
// lead somewhere here. What a page is set to (filters, columns, zooms) is in its query: every state can be shared.

import { useCallback, useSyncExternalStore } from "react";

export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

// Of changes of the address Chrome ignores what is more than 200 in ten seconds, and Safari throws from 100 on. Here
// it is 70: some at once, and then one after the other.
const WRITE_EVERY_MS = 200;
const WRITES_AT_ONCE = 20;

// The place is known here first, and then written into the address.
let shown = window.location.hash;
let place = parse(shown);
/** What the address was when it was last read or written. */
let seen = shown;
let writesLeft = WRITES_AT_ONCE;
let countedAt = 0;
let waiting: number | undefined;

function parse(hash: string): Place {
  const [path = "", query = ""] = splitOnce(hash.replace(/^#/, ""), "?");
  return { path: path || "/", query: new URLSearchParams(query) };
}

function splitOnce(text: string, by: string): [string, string] {
  const at = text.indexOf(by);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

export function currentPlace(): Place {
  // A link, the Back button or a person has changed the address: what was still to be written was of another place.
  if (seen !== window.location.hash) read();
  return place;
}

function read(): void {
  window.clearTimeout(waiting);
  waiting = undefined;
  seen = window.location.hash;
  show(seen);
}

function show(hash: string): void {
  if (hash === shown) return;
  shown = hash;
  place = parse(hash);
}

function write(how: "pushState" | "replaceState"): void {
  window.clearTimeout(waiting);
  waiting = undefined;
  writesLeft -= 1;
  try {
    window.history[how](null, "", shown);
    seen = window.location.hash;
  } catch {
    // A SecurityError of Safari: too many, those of the page before among them.
    writeSoon();
  }
}

function mayWrite(): boolean {
  const now = performance.now();
  writesLeft = Math.min(WRITES_AT_ONCE, writesLeft + (now - countedAt) / WRITE_EVERY_MS);
  countedAt = now;
  return writesLeft >= 1;
}

function writeSoon(): void {
  waiting ??= window.setTimeout(writeWaiting, WRITE_EVERY_MS);
}

function writeWaiting(): void {
  currentPlace();
  if (waiting !== undefined) write("replaceState");
}

const listeners = new Set<() => void>();

function tellAll(): void {
  for (const listener of listeners) listener();
}

window.addEventListener("hashchange", tellAll);
window.addEventListener("popstate", () => {
  read();
  tellAll();
});
window.addEventListener("pagehide", writeWaiting);
// A link leaves the place before anybody is told.
window.addEventListener("click", writeWaiting, { capture: true });

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
  // What is waiting belongs to the place that is left.
  if (!replace) writeWaiting();
  // As the address will have it.
  show(new URL(address, window.location.href).hash);
  if (!replace) write("pushState");
  else if (mayWrite()) write("replaceState");
  else writeSoon();
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

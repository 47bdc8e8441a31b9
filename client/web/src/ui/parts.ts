// Parts of the page that are fetched when they are first shown: what comes of one that can't be.

const RELOADED = "trackwire-reloaded";
const RELOAD_AGAIN_MS = 30_000;

const failures = new WeakSet<Error>();

/** Whether an error is that of such a part. No browser fetches it again: only a new page does. */
export function isOfPart(error: Error): boolean {
  return failures.has(error);
}

export function watchParts(): void {
  window.addEventListener("vite:preloadError", ({ payload }) => {
    failures.add(payload);
    // After an upgrade the parts of a page that was open before are gone under their old names.
    const last = Number(window.sessionStorage.getItem(RELOADED) ?? 0);
    if (Date.now() - last < RELOAD_AGAIN_MS) return;
    window.sessionStorage.setItem(RELOADED, String(Date.now()));
    void reload();
  });
}

/** Loads the page anew if it is there: a browser that can't reach it would lose what is open. */
export async function reload(): Promise<void> {
  const { origin, pathname, search } = window.location;
  const answer = await fetch(origin + pathname + search, { cache: "no-store" }).catch(() => null);
  if (answer?.ok) window.location.reload();
}

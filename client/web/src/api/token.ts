// The token of whoever reads, where the server asks for one. It stays in this browser tab.

const NAME = "trackwire-token";

export function accessToken(): string {
  return window.sessionStorage.getItem(NAME) ?? "";
}

const askers = new Set<() => void>();

/** Has whoever reads asked for a token. */
export function askForToken(): void {
  for (const ask of askers) ask();
}

/** Has a token asked for by this from now on, until what it returns is called. */
export function onTokenWanted(ask: () => void): () => void {
  askers.add(ask);
  return () => askers.delete(ask);
}

export function keepToken(token: string): void {
  window.sessionStorage.setItem(NAME, token);
}

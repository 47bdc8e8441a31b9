// The token of whoever reads, where the server asks for one. It stays in this browser tab.

const NAME = "trackwire-token";

export function accessToken(): string {
  return window.sessionStorage.getItem(NAME) ?? "";
}

export function keepToken(token: string): void {
  window.sessionStorage.setItem(NAME, token);
}

/** What makes a call that creates something safe to be tried again: it is the same for every try. */
export function newRequestId(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}

/** Whoever types in a field means the sign itself, and not what it does as a key. */
export function isTyping(target: EventTarget | null): boolean {
  const fields = "input:not([type='checkbox'], [type='radio']), textarea, select";
  return target instanceof Element && target.closest(fields) !== null;
}

// Values of params, which are texts: which of them are numbers, and in which order those stand that are not.

// As Python writes them.
const ODD = /^([+-]?)(nan|inf|infinity)$/i;
const words = new Intl.Collator("en", { numeric: true });

/** NaN for what is no number. */
export function numberOf(value: string | number): number {
  if (typeof value === "number") return value;
  const [, sign, odd] = ODD.exec(value.trim()) ?? [];
  if (odd !== undefined) return odd.toLowerCase() === "nan" ? NaN : sign === "-" ? -Infinity : Infinity;
  return value.trim() === "" ? NaN : Number(value);
}

/** Also whether it is one that says that it is none. */
export function isNumber(text: string): boolean {
  return !Number.isNaN(numberOf(text)) || ODD.test(text.trim());
}

/** Numbers by their size, before all others. */
export function compareWords(a: string, b: string): number {
  const [first, second] = [numberOf(a), numberOf(b)];
  const [isFirst, isSecond] = [!Number.isNaN(first), !Number.isNaN(second)];
  if (isFirst !== isSecond) return isFirst ? -1 : 1;
  return (isFirst && first !== second ? first - second : 0) || words.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

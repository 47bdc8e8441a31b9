// Where an axis begins and ends, and which round numbers stand along it.

export interface AxisScale {
  readonly low: number;
  readonly high: number;
  /** Ascending, from the begin to the end. */
  readonly ticks: readonly number[];
}

const TICKS = 5;
const DECADES_MAX = 7;
// Along fewer decades, 2 and 5 stand between powers of ten.
const DECADES_FEW = 2;
// Beyond, powers of ten are no numbers.
const EXPONENT_MIN = -323;
const EXPONENT_MAX = 308;

/** From a round number at or below the least value to one at or above the largest; steps are 1, 2 or 5 × 10^n. */
export function linearScale(least: number, largest: number): AxisScale {
  const room = least === largest ? Math.abs(least) * 0.1 || 1 : 0;
  const { part, exponent } = stepOf((largest + room - (least - room)) / TICKS);
  const step = Number(`${part}e${exponent}`);
  const first = Math.floor((least - room) / step + 1e-9);
  const last = Math.ceil((largest + room) / step - 1e-9);
  const isFew = Number.isFinite(step) && last - first <= 4 * TICKS;
  // Read from decimals: a product would be beside the round number.
  const ticks = Array.from({ length: isFew ? last - first + 1 : 0 }, (_, at) =>
    Number(`${(first + at) * part}e${exponent}`),
  );
  const [low = NaN, high = NaN] = [ticks[0], ticks.at(-1)];
  // Too far apart, or too near each other, for round numbers to be between them.
  const isAround = low <= least + step * 1e-6 && high >= largest - step * 1e-6;
  return isAround && new Set(ticks).size === ticks.length
    ? { low, high, ticks }
    : { low: least, high: largest, ticks: [least, largest] };
}

/** The same for logarithms of values above zero. */
export function logScale(least: number, largest: number): AxisScale {
  const from = Math.max(EXPONENT_MIN, Math.floor(Math.log10(least)));
  const to = Math.min(EXPONENT_MAX, Math.max(from + 1, Math.ceil(Math.log10(largest))));
  const parts = to - from <= DECADES_FEW ? [1, 2, 5] : [1];
  const exponents = Array.from({ length: to - from + 1 }, (_, at) => from + at);
  const all = exponents.flatMap((exponent) => parts.map((part) => Number(`${part}e${exponent}`)));
  const low = all.findLast((tick) => tick <= least) ?? least;
  const high = all.find((tick) => tick >= largest) ?? largest;
  const every = Math.ceil((to - from) / DECADES_MAX);
  const shown = every === 1 ? all : all.filter((_, at) => at % every === 0);
  const isPoint = low === high;
  return {
    low: isPoint ? low / 2 : low,
    high: isPoint ? high * 2 : high,
    ticks: shown.filter((tick) => tick >= low && tick <= high),
  };
}

function stepOf(width: number): { part: number; exponent: number } {
  const exponent = Math.floor(Math.log10(width));
  const part = [1, 2, 5].find((each) => each * 10 ** exponent >= width * (1 - 1e-9)) ?? 10;
  return { part, exponent };
}

// Longer ones are read more easily without.
const EXPONENTIAL_MAX = 9;

/** How these are written: with all the digits that tell them apart, and exponents where that is short. */
export function tickFormat(ticks: readonly number[]): (tick: number) => string {
  const isPlain = ticks.some((tick) => exponential(tick).length > EXPONENTIAL_MAX);
  return (tick) => {
    const size = Math.abs(tick);
    if (size >= 1e21 || (size !== 0 && size < 1e-3) || (size >= 1e6 && !isPlain)) return exponential(tick);
    const digits = String(tick).split(".")[1]?.length ?? 0;
    return tick.toLocaleString("en", { maximumFractionDigits: digits });
  };
}

function exponential(tick: number): string {
  return tick.toExponential().replace("e+", "e");
}

/** Numbers near each other differ in their last digits, words in their first letters. */
export function shortened(text: string, characters: number, isNumber = false): string {
  if (text.length <= characters) return text;
  return isNumber ? `…${text.slice(1 - characters)}` : `${text.slice(0, characters - 1)}…`;
}

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
  const step = stepOf((largest + room - (least - room)) / TICKS);
  const first = Math.floor((least - room) / step + 1e-9);
  const last = Math.ceil((largest + room) / step - 1e-9);
  // Too far apart, or too near each other, for numbers to be between them.
  if (!Number.isFinite(step) || !(last - first <= 4 * TICKS)) return { low: least, high: largest, ticks: [] };
  const ticks = Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
  return { low: first * step, high: last * step, ticks };
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

function stepOf(width: number): number {
  const power = 10 ** Math.floor(Math.log10(width));
  const part = [1, 2, 5].find((each) => each * power >= width * (1 - 1e-9)) ?? 10;
  return part * power;
}

/** A round number, as short as it is. */
export function formatTick(tick: number): string {
  const size = Math.abs(tick);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return tick.toExponential().replace("e+", "e");
  return tick.toLocaleString("en", { maximumFractionDigits: 12 });
}

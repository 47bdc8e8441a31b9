// Numbers, times and sizes as people read them.

import { RunStatus } from "./api/generated/trackwire/v1/runs_pb";

const integers = new Intl.NumberFormat("en");

/** Up to five significant digits; exponents for what is very small or large. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return integers.format(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(3).replace("e+", "e");
  return String(Number(value.toPrecision(5)));
}

export function formatCount(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

const times = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

// Those that calendars of browsers reach.
const TIME_MAX_MS = 8.64e15;

/** The number as it is, where it is no time: whoever logs may have meant nanoseconds. */
export function formatTime(timeMs: bigint | number): string {
  return Math.abs(Number(timeMs)) <= TIME_MAX_MS ? times.format(Number(timeMs)) : String(timeMs);
}

const AGES: [number, Intl.RelativeTimeFormatUnit][] = [
  [31_557_600, "year"],
  [2_629_800, "month"],
  [604_800, "week"],
  [86_400, "day"],
  [3_600, "hour"],
  [60, "minute"],
  [1, "second"],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "narrow" });

export function formatAge(timeMs: bigint | number, nowMs = Date.now()): string {
  const seconds = Math.max(0, Math.round((nowMs - Number(timeMs)) / 1000));
  const [size, unit] = AGES.find(([size]) => seconds >= size) ?? [1, "second" as const];
  return relative.format(-Math.floor(seconds / size), unit);
}

export function formatDuration(ms: number): string {
  if (ms < 9_950) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  // Rounded before they are parted, as no minute has 60.
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function formatBytes(bytes: bigint | number): string {
  let size = Number(bytes);
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toPrecision(3)} ${units[unit]}`;
}

export const STATUS_WORDS: Record<RunStatus, string> = {
  [RunStatus.UNSPECIFIED]: "Unknown",
  [RunStatus.RUNNING]: "Running",
  [RunStatus.SCHEDULED]: "Scheduled",
  [RunStatus.FINISHED]: "Finished",
  [RunStatus.FAILED]: "Failed",
  [RunStatus.KILLED]: "Killed",
};

// Points as columns: read in whole or thinned out by the server, and followed as they are committed.
//
// The server's messages are read by their private twins, whose columns are bytes: a view of numbers instead of an object
// each.

import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import { transport } from "../api/clients";
import { SeriesColumnsSchema, type SeriesColumns } from "../api/generated/trackwire/internal/v1/metrics_pb";
import { MetricService, type SeriesHeader } from "../api/generated/trackwire/v1/metrics_pb";

/** Points of one series, ordered by step: the first `length` of each array. */
export interface Series {
  readonly id: string;
  readonly runId: string;
  readonly key: string;
  readonly rank: number | undefined;
  /** What sets it apart from other series of the key, beside its rank: a dataset or a model. */
  readonly about: string;
  steps: Float64Array;
  /** Unix milliseconds. */
  times: Float64Array;
  values: Float64Array;
  length: number;
}

export interface Points {
  readonly header: SeriesHeader;
  readonly steps: Float64Array;
  readonly times: Float64Array;
  readonly values: Float64Array;
}

export interface Wanted {
  readonly runIds: readonly string[];
  readonly keys: readonly string[];
  readonly maxPoints: number;
  readonly minStep?: number;
  readonly maxStep?: number;
}

const READ = { ...MetricService.method.readMetrics, output: SeriesColumnsSchema };
const TAIL = { ...MetricService.method.tailMetrics, output: SeriesColumnsSchema };

/** Reads series to their end; a long one comes in parts, which are handed on as they come. */
export async function readPoints(wanted: Wanted, take: (points: Points) => void, signal?: AbortSignal): Promise<void> {
  const { minStep, maxStep, ...rest } = wanted;
  const input = {
    ...rest,
    runIds: [...wanted.runIds],
    keys: [...wanted.keys],
    ...(minStep !== undefined && { minStep: BigInt(Math.floor(minStep)) }),
    ...(maxStep !== undefined && { maxStep: BigInt(Math.ceil(maxStep)) }),
  };
  for await (const message of await stream(READ, input, signal)) unpack(message, take);
}

/** Follows runs until it is given up or broken off. `told` is given each message's token, the first at once: from then on
 * nothing is missed. */
export async function tailPoints(
  request: { runIds: readonly string[]; resumeToken: string },
  take: (points: Points) => void,
  told: (token: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for await (const message of await stream(TAIL, { ...request, runIds: [...request.runIds] }, signal)) {
    unpack(message, take);
    told(message.token);
  }
}

async function stream<Input extends DescMessage>(
  method: typeof READ | typeof TAIL,
  input: MessageInitShape<Input>,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<SeriesColumns>> {
  const inputs = createAsyncIterable([input as MessageInitShape<DescMessage>]);
  const answer = await transport.stream<DescMessage, typeof SeriesColumnsSchema>(
    method,
    signal,
    undefined,
    undefined,
    inputs,
  );
  return answer.message;
}

function unpack(message: SeriesColumns, take: (points: Points) => void): void {
  const counts = uint32s(message.counts);
  const steps = int64s(message.steps);
  const times = int64s(message.timesMs);
  const values = float64s(message.values);
  let from = 0;
  for (const [at, header] of message.series.entries()) {
    const to = from + (counts[at] ?? 0);
    take({
      header,
      steps: steps.subarray(from, to),
      times: times.subarray(from, to),
      values: values.subarray(from, to),
    });
    from = to;
  }
}

/** One run of bytes, at the start of a buffer of its own: views of numbers have to be aligned. */
function joined(parts: readonly Uint8Array[]): ArrayBuffer {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole.buffer;
}

function uint32s(parts: readonly Uint8Array[]): Uint32Array {
  return new Uint32Array(joined(parts));
}

function float64s(parts: readonly Uint8Array[]): Float64Array {
  return new Float64Array(joined(parts));
}

/** As doubles: exact up to 2^53, which no step or time that is drawn exceeds. */
function int64s(parts: readonly Uint8Array[]): Float64Array {
  const halves = new Int32Array(joined(parts));
  const numbers = new Float64Array(halves.length / 2);
  for (let at = 0; at < numbers.length; at += 1) {
    numbers[at] = (halves[2 * at + 1] ?? 0) * 4294967296 + ((halves[2 * at] ?? 0) >>> 0);
  }
  return numbers;
}

export function idOf({ runId, key, context }: SeriesHeader): string {
  return [runId, key, context?.rank ?? "", context?.modelId ?? "", context?.datasetName ?? ""].join("\u0000");
}

/** A series without points. */
export function seriesOf(header: SeriesHeader): Series {
  const { context } = header;
  return {
    id: idOf(header),
    runId: header.runId,
    key: header.key,
    rank: context?.rank,
    about: [context?.datasetName, context?.modelId].filter(Boolean).join(" "),
    steps: new Float64Array(0),
    times: new Float64Array(0),
    values: new Float64Array(0),
    length: 0,
  };
}

/** Adds points behind those that are there; what is late is put where it belongs. */
export function append(series: Series, { steps, times, values }: Omit<Points, "header">): void {
  const before = series.length;
  const length = before + steps.length;
  if (length > series.steps.length) grow(series, Math.max(length, 2 * series.steps.length));
  series.steps.set(steps, before);
  series.times.set(times, before);
  series.values.set(values, before);
  series.length = length;
  for (let at = Math.max(1, before); at < length; at += 1) {
    if ((series.steps[at] ?? 0) < (series.steps[at - 1] ?? 0)) {
      reorder(series);
      return;
    }
  }
}

function grow(series: Series, room: number): void {
  for (const column of ["steps", "times", "values"] as const) {
    const larger = new Float64Array(room);
    larger.set(series[column].subarray(0, series.length));
    series[column] = larger;
  }
}

function reorder(series: Series): void {
  const { steps, times } = series;
  const order = Uint32Array.from({ length: series.length }, (_, at) => at).toSorted(
    (a, b) => (steps[a] ?? 0) - (steps[b] ?? 0) || (times[a] ?? 0) - (times[b] ?? 0) || a - b,
  );
  for (const column of ["steps", "times", "values"] as const) {
    const from = series[column];
    series[column] = Float64Array.from(order, (at) => from[at] ?? 0);
  }
}

/** Keeps the smallest and the largest value of each of so many stretches of steps, and both ends: as the server does. */
export function thinOut(series: Series, pointsMax: number): void {
  const { steps, values, length } = series;
  if (length <= pointsMax) return;
  const first = steps[0] ?? 0;
  const width = ((steps[length - 1] ?? 0) - first) / Math.max(1, pointsMax / 2 - 1) || 1;
  const kept = new Set([0, length - 1]);
  const stretchOf = (at: number): number => Math.floor(((steps[at] ?? 0) - first) / width);
  for (let at = 0; at < length;) {
    const stretch = stretchOf(at);
    let low = at;
    let high = at;
    for (; at < length && stretchOf(at) === stretch; at += 1) {
      const value = values[at] ?? NaN;
      if (value < (values[low] ?? NaN) || Number.isNaN(values[low])) low = at;
      if (value > (values[high] ?? NaN) || Number.isNaN(values[high])) high = at;
    }
    kept.add(low).add(high);
  }
  const order = Uint32Array.from(kept).toSorted();
  for (const column of ["steps", "times", "values"] as const) {
    const from = series[column];
    series[column] = Float64Array.from(order, (at) => from[at] ?? 0);
  }
  series.length = order.length;
}

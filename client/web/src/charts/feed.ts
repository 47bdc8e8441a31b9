// The series of the charts of a page: read where they come into sight, and followed while runs train.
//
// First a tail is opened, then what is there is read: so nothing is missed between the two, and a point that both bring
// is drawn twice in one place.

import { Code, ConnectError } from "@connectrpc/connect";
import { append, idOf, readPoints, seriesOf, tailPoints, thinOut, type Points, type Series } from "./series";

export const CARD_POINTS = 400;
const THINNED_ABOVE = 4 * CARD_POINTS;
const KEYS_PER_READ = 4;
const READS_MAX = 2;
const KEPT_KEYS = 64;
const TELL_MS = 200;
const AGAIN_MS = 2_000;
const TAIL_BEGINS_MS = 1_500;

/** What is known of a key. */
interface Known {
  readonly series: Map<string, Series>;
  /** Runs whose points are here, or on their way. */
  readonly read: Map<string, "here" | "coming">;
  readonly listeners: Set<() => void>;
  wanted: number;
  /** Counts changes, so that who shows it knows. */
  version: number;
  error: unknown;
}

export class SeriesFeed {
  private readonly known = new Map<string, Known>();
  private runIds: readonly string[] = [];
  private live: readonly string[] = [];
  private ending = new AbortController();
  private tail: AbortController | null = null;
  private tailBegan: Promise<void> = Promise.resolve();
  private underWay = 0;
  private planned = 0;
  private readonly changed = new Set<string>();
  private telling = 0;
  private toldMs = 0;

  /** Chooses the runs, and those among them that are still at work. */
  setRuns(runIds: readonly string[], live: readonly string[]): void {
    this.runIds = runIds;
    // A run that has ended is followed on: its last points may be on their way.
    const followed = new Set(this.live.filter((runId) => runIds.includes(runId)));
    const added = live.filter((runId) => !followed.has(runId));
    if (added.length > 0 || followed.size !== this.live.length) {
      this.live = [...followed, ...added];
      this.follow();
    }
    this.plan();
  }

  /** Reads a key, and keeps it current, until the answer is called. */
  want(key: string, listener: () => void): () => void {
    const known = this.knownOf(key);
    known.wanted += 1;
    known.listeners.add(listener);
    // The last one wanted is kept the longest.
    this.known.delete(key);
    this.known.set(key, known);
    this.plan();
    return () => {
      known.wanted -= 1;
      known.listeners.delete(listener);
      this.forgetSome();
    };
  }

  /** All series of a key, of some of the chosen runs. */
  seriesOf(key: string, runIds: readonly string[]): Series[] {
    const wanted = new Set(runIds);
    return [...(this.known.get(key)?.series.values() ?? [])].filter((series) => wanted.has(series.runId));
  }

  versionOf(key: string): number {
    return this.known.get(key)?.version ?? 0;
  }

  errorOf(key: string): unknown {
    return this.known.get(key)?.error;
  }

  isRead(key: string, runIds: readonly string[]): boolean {
    const known = this.known.get(key);
    return known !== undefined && runIds.length > 0 && runIds.every((runId) => known.read.get(runId) === "here");
  }

  /** Asks the server for something only from now on until the answer is called. */
  open(): () => void {
    if (this.ending.signal.aborted) this.ending = new AbortController();
    this.follow();
    this.plan();
    return () => {
      this.ending.abort();
      this.tail?.abort();
      window.clearTimeout(this.planned);
      window.clearTimeout(this.telling);
      this.telling = 0;
    };
  }

  private knownOf(key: string): Known {
    let known = this.known.get(key);
    if (!known) {
      known = { series: new Map(), read: new Map(), listeners: new Set(), wanted: 0, version: 0, error: null };
      this.known.set(key, known);
    }
    return known;
  }

  private forgetSome(): void {
    for (const [key, known] of this.known) {
      if (this.known.size <= KEPT_KEYS) return;
      if (known.wanted === 0) this.known.delete(key);
    }
  }

  private plan(): void {
    window.clearTimeout(this.planned);
    this.planned = window.setTimeout(() => void this.readMissing(), 0);
  }

  private async readMissing(): Promise<void> {
    await this.tailBegan;
    while (this.underWay < READS_MAX && !this.ending.signal.aborted) {
      const next = this.nextRead();
      if (!next) return;
      this.underWay += 1;
      void this.read(next.keys, next.runIds).finally(() => {
        this.underWay -= 1;
        this.plan();
      });
    }
  }

  /** Some keys in sight that lack the same runs. */
  private nextRead(): { keys: string[]; runIds: string[] } | null {
    let runIds: string[] = [];
    const keys: string[] = [];
    for (const [key, known] of this.known) {
      if (known.wanted === 0 || known.error !== null) continue;
      const missing = this.runIds.filter((runId) => !known.read.has(runId));
      if (missing.length === 0) continue;
      if (keys.length === 0) runIds = missing;
      else if (missing.join() !== runIds.join()) continue;
      keys.push(key);
      if (keys.length === KEYS_PER_READ) break;
    }
    return keys.length > 0 ? { keys, runIds } : null;
  }

  private async read(keys: string[], runIds: string[]): Promise<void> {
    const asked = keys.map((key) => this.knownOf(key));
    for (const { read } of asked) for (const runId of runIds) read.set(runId, "coming");
    try {
      await readPoints({ runIds, keys, maxPoints: CARD_POINTS }, (points) => this.take(points), this.ending.signal);
      for (const { read } of asked) for (const runId of runIds) read.set(runId, "here");
    } catch (error) {
      for (const { read } of asked) for (const runId of runIds) read.delete(runId);
      if (this.ending.signal.aborted) return;
      for (const known of asked) known.error = error;
      window.setTimeout(() => {
        for (const known of asked) known.error = null;
        this.plan();
      }, AGAIN_MS);
    }
    for (const key of keys) this.tell(key);
  }

  /** Points of a read or of a tail. */
  private take(points: Points): void {
    const known = this.known.get(points.header.key);
    if (!known) return;
    const id = idOf(points.header);
    let series = known.series.get(id);
    if (!series) known.series.set(id, (series = seriesOf(points.header)));
    append(series, points);
    if (series.length > THINNED_ABOVE) thinOut(series, CARD_POINTS);
    this.tell(points.header.key);
  }

  /** Tells of changes now and then, and of one key at a time: between two charts that are drawn there is room for the
   * reader. */
  private tell(key: string): void {
    this.changed.add(key);
    if (this.telling === 0) this.tellIn(Math.max(0, this.toldMs + TELL_MS - performance.now()));
  }

  private tellIn(ms: number): void {
    this.telling = window.setTimeout(() => this.tellOne(), ms);
  }

  private tellOne(): void {
    this.telling = 0;
    this.toldMs = performance.now();
    for (const key of this.changed) {
      this.changed.delete(key);
      const known = this.known.get(key);
      if (!known) continue;
      known.version += 1;
      if (known.listeners.size === 0) continue;
      for (const listener of known.listeners) listener();
      break;
    }
    if (this.changed.size > 0) this.tellIn(0);
  }

  /** The tail before goes on until the new one has begun, so that nothing is missed between them. */
  private follow(): void {
    const before = this.tail;
    this.tail = null;
    this.tailBegan = Promise.resolve();
    if (this.live.length === 0) {
      before?.abort();
      return;
    }
    const tail = (this.tail = new AbortController());
    tail.signal.addEventListener("abort", () => before?.abort());
    this.tailBegan = new Promise((began) => {
      // A server that can't tail is read all the same.
      const waited = window.setTimeout(began, TAIL_BEGINS_MS);
      tail.signal.addEventListener("abort", () => began());
      void this.followOn(tail.signal, () => {
        window.clearTimeout(waited);
        before?.abort();
        began();
      });
    });
  }

  private async followOn(signal: AbortSignal, began: () => void): Promise<void> {
    let resumeToken = "";
    const runIds = this.live;
    while (!signal.aborted) {
      try {
        await tailPoints(
          { runIds, resumeToken },
          (points) => this.take(points),
          (token) => {
            resumeToken = token;
            began();
          },
          signal,
        );
      } catch (error) {
        if (signal.aborted) return;
        if (ConnectError.from(error).code === Code.OutOfRange) {
          resumeToken = "";
          this.readAnew(runIds);
        }
      }
      await new Promise((resolve) => window.setTimeout(resolve, AGAIN_MS));
    }
  }

  /** The tail was away for longer than the server keeps what it would resume by. */
  private readAnew(runIds: readonly string[]): void {
    for (const known of this.known.values()) {
      for (const runId of runIds) known.read.delete(runId);
      for (const [id, series] of known.series) if (runIds.includes(series.runId)) known.series.delete(id);
    }
    this.plan();
  }
}

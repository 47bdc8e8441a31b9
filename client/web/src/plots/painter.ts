// Draws many marks without keeping the browser from all else: a slice at a time, and shown once all are there.

/** What is drawn; the marks in the order in which they lie over each other. */
export interface Painting {
  readonly width: number;
  readonly height: number;
  readonly order: readonly number[];
  readonly draw: (context: CanvasRenderingContext2D, at: number) => void;
}

const SLICE_MS = 20;
// After so many the clock is looked at.
const MARKS = 100;

export class Painter {
  readonly #shown: HTMLCanvasElement;
  readonly #back = document.createElement("canvas");
  readonly #context: CanvasRenderingContext2D | null;
  #next: Painting | null = null;
  #frame = 0;

  constructor(shown: HTMLCanvasElement) {
    this.#shown = shown;
    // Drawn at once, as only so its time is known.
    this.#context = this.#back.getContext("2d", { willReadFrequently: true });
  }

  /** What is being drawn is ended first: who drags sees something before the end. */
  paint(painting: Painting): void {
    this.#next = painting;
    if (this.#frame === 0) this.#begin();
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#next = null;
  }

  #begin(): void {
    const painting = this.#next;
    this.#next = null;
    if (!painting || !this.#context) return;
    const ratio = window.devicePixelRatio;
    this.#back.width = Math.round(painting.width * ratio);
    this.#back.height = Math.round(painting.height * ratio);
    this.#context.scale(ratio, ratio);
    this.#slice(painting, this.#context, 0);
  }

  #slice(painting: Painting, context: CanvasRenderingContext2D, from: number): void {
    const until = performance.now() + SLICE_MS;
    let at = from;
    while (at < painting.order.length && performance.now() < until) {
      const end = Math.min(at + MARKS, painting.order.length);
      for (; at < end; at += 1) painting.draw(context, painting.order[at] ?? 0);
      // What was asked for is drawn by now.
      context.getImageData(0, 0, 1, 1);
    }
    if (at < painting.order.length) {
      this.#frame = requestAnimationFrame(() => this.#slice(painting, context, at));
      return;
    }
    this.#frame = 0;
    this.#show();
    this.#begin();
  }

  #show(): void {
    this.#shown.width = this.#back.width;
    this.#shown.height = this.#back.height;
    if (this.#back.width > 0 && this.#back.height > 0) this.#shown.getContext("2d")?.drawImage(this.#back, 0, 0);
  }
}

// A picture to be kept or shown elsewhere: what is drawn, below a title and above a legend.

export interface Drawing {
  /** In CSS pixels, as the context's are. */
  readonly width: number;
  readonly height: number;
  /** The context has the ink and the font of the picture's words. */
  readonly draw: (context: CanvasRenderingContext2D) => void | Promise<void>;
}

export interface Swatch {
  readonly color: string;
  readonly name: string;
}

export interface Picture {
  readonly title: string;
  readonly drawing: Drawing;
  readonly legend: readonly Swatch[];
  /** What the legend is about, where its names don't say it. */
  readonly legendTitle?: string;
}

const LEGEND_MAX = 24;
const LINE = 18;
const HEAD = 30;
const MARGIN = 12;
const FONT = "12px system-ui, sans-serif";

/** On the ground and in the ink of an element. */
export async function savePicture(paper: Element, picture: Picture): Promise<void> {
  const { title, drawing, legendTitle = "" } = picture;
  const left = picture.legend.length - LEGEND_MAX;
  const legend = picture.legend.slice(0, LEGEND_MAX);
  const words = [legendTitle, left > 0 ? `and ${left.toLocaleString("en")} more` : ""];
  const lines = legend.length + words.filter(Boolean).length;
  const ratio = devicePixelRatio;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(drawing.width * ratio);
  canvas.height = Math.round((HEAD + drawing.height + (lines > 0 ? lines * LINE + MARGIN : 0)) * ratio);
  const context = canvas.getContext("2d");
  if (!context) return;
  const { backgroundColor, color } = getComputedStyle(paper);
  context.scale(ratio, ratio);
  context.fillStyle = backgroundColor;
  context.fillRect(0, 0, drawing.width, canvas.height);
  context.fillStyle = color;
  context.font = "600 15px system-ui, sans-serif";
  context.fillText(fitted(context, title, drawing.width - 2 * MARGIN), MARGIN, 21);
  context.font = FONT;
  context.save();
  context.translate(0, HEAD);
  await drawing.draw(context);
  context.restore();
  context.translate(MARGIN, HEAD + drawing.height);
  const line = (name: string, swatch: string | null): void => {
    const indent = swatch === null ? 0 : 18;
    context.fillStyle = swatch ?? color;
    if (swatch !== null) context.fillRect(2, 6, 10, 10);
    context.fillStyle = color;
    context.fillText(fitted(context, name, drawing.width - 2 * MARGIN - indent), indent, 15);
    context.translate(0, LINE);
  };
  if (words[0]) line(words[0], null);
  for (const { color: swatch, name } of legend) line(name, swatch);
  if (words[1]) line(words[1], null);
  canvas.toBlob((blob) => {
    if (blob) offer(blob, `${title.replaceAll(/[^\w.-]+/g, "-")}.png`);
  });
}

/** As much of some words as there is room for. */
export function fitted(context: CanvasRenderingContext2D, words: string, width: number): string {
  if (context.measureText(words).width <= width) return words;
  let end = words.length;
  while (end > 0 && context.measureText(`${words.slice(0, end)}…`).width > width) end -= 1;
  return `${words.slice(0, end)}…`;
}

function offer(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

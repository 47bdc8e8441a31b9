// A chart as a picture, with its title and its legend, to be kept or shown elsewhere.

import type { Look } from "./line-chart";

const LEGEND_MAX = 24;
const LINE = 18;

export function savePicture(within: Element, title: string, looks: readonly Look[]): void {
  const drawn = within.querySelector("canvas");
  if (!drawn) return;
  const ratio = devicePixelRatio;
  const legend = looks.slice(0, LEGEND_MAX);
  const canvas = document.createElement("canvas");
  canvas.width = drawn.width;
  canvas.height = drawn.height + (36 + legend.length * LINE) * ratio;
  const ctx = canvas.getContext("2d");
  if (!ctx) return;
  const style = getComputedStyle(document.body);
  ctx.fillStyle = style.backgroundColor;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.drawImage(drawn, 0, 30 * ratio);
  ctx.scale(ratio, ratio);
  ctx.fillStyle = style.color;
  ctx.font = "600 15px system-ui, sans-serif";
  ctx.fillText(title, 12, 21);
  ctx.font = "12px system-ui, sans-serif";
  for (const [at, { color, name }] of legend.entries()) {
    const top = drawn.height / ratio + 36 + at * LINE;
    ctx.fillStyle = color;
    ctx.fillRect(14, top, 10, 10);
    ctx.fillStyle = style.color;
    ctx.fillText(name, 30, top + 9);
  }
  canvas.toBlob((blob) => {
    if (blob) offer(blob, `${title.replaceAll(/[^\w.-]+/g, "-")}.png`);
  });
}

function offer(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

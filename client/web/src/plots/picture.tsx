// A plot as a picture to keep, with its axes, and with what its colours mean.

import type { ReactNode } from "react";
import { Icon } from "../ui/icon";
import { savePicture, type Drawing } from "../ui/picture";
import type { Coloring } from "./coloring";

interface Props {
  title: string;
  coloring: Coloring;
  /** Whether runs are named where they are drawn. */
  isNamed?: boolean;
  /** What is drawn within a plot; null where nothing is. */
  drawingIn: (plot: Element) => Drawing | null;
}

export function PictureButton({ title, coloring, isNamed = false, drawingIn }: Props): ReactNode {
  const save = async (plot: Element): Promise<void> => {
    const drawing = drawingIn(plot);
    if (!drawing) return;
    const legend = coloring.by || !isNamed ? coloring.legend() : [];
    await savePicture(plot, { title, drawing, legend, legendTitle: coloring.by?.title ?? "" });
  };
  return (
    <button
      className="button"
      onClick={(event) => {
        const plot = event.currentTarget.closest(".plot");
        if (plot) void save(plot);
      }}
    >
      <Icon name="download" size={14} /> Picture
    </button>
  );
}

/** The marks of a plot, and the axes below and over them. */
export function marksIn(plot: Element): Drawing | null {
  const layers = [...plot.querySelectorAll<SVGSVGElement | HTMLCanvasElement>(".plot-area > :is(svg, canvas)")];
  const marks = layers.find((layer) => layer instanceof HTMLCanvasElement);
  if (!marks) return null;
  const { clientWidth: width, clientHeight: height } = marks;
  const draw = async (context: CanvasRenderingContext2D): Promise<void> => {
    // In the order in which they lie over each other.
    for (const layer of layers) {
      // oxlint-disable-next-line no-await-in-loop
      const image = layer instanceof SVGSVGElement ? await imageOf(layer) : layer;
      context.drawImage(image, 0, 0, width, height);
    }
  };
  return { width, height, draw };
}

const LOOKS = ["fill", "stroke", "stroke-width", "font-family", "font-size", "font-weight", "paint-order"];

/** An SVG by itself has no style sheet: each of its elements takes along how it looks. */
async function imageOf(svg: SVGSVGElement): Promise<HTMLImageElement> {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const copies = copy.querySelectorAll("*");
  for (const [at, element] of svg.querySelectorAll("*").entries()) {
    const style = getComputedStyle(element);
    for (const look of LOOKS) copies[at]?.setAttribute(look, style.getPropertyValue(look));
  }
  const text = new XMLSerializer().serializeToString(copy);
  const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    return image;
  } finally {
    URL.revokeObjectURL(address);
  }
}

import { useEffect, useState, type RefObject } from "react";

/** The width of an element in pixels, kept current; 0 before it is known. */
export function useWidth(place: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const sizes = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    if (place.current) sizes.observe(place.current);
    return () => sizes.disconnect();
  }, [place]);
  return width;
}

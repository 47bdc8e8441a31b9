import { useEffect, useState, type RefObject } from "react";

/** The height of an element in whole pixels, kept current; 0 before it is known. */
export function useHeight(place: RefObject<HTMLElement | null>): number {
  const [height, setHeight] = useState(0);
  useEffect(() => {
    const sizes = new ResizeObserver(([entry]) => setHeight(Math.floor(entry?.contentRect.height ?? 0)));
    if (place.current) sizes.observe(place.current);
    return () => sizes.disconnect();
  }, [place]);
  return height;
}

// An image: fitted or enlarged, with its pixels or smoothed, on a ground that shows what is transparent.

import { useState, type ReactNode } from "react";
import { useSetting } from "../router";
import { shownName } from "./kinds";
import { useBlobUrl } from "./use-bytes";
import "./image-view.css";

const ZOOMS = ["fit", "1", "2", "4", "8", "16"];
const GROUNDS = ["checks", "white", "black"];

export function ImageView({ blob, name }: { blob: Blob; name: string }): ReactNode {
  const url = useBlobUrl(blob);
  const [zoom, setZoom] = useSetting("zoom", "fit");
  const [pixels, setPixels] = useSetting("pixels", "smooth");
  const [ground, setGround] = useSetting("ground", "checks");
  const [size, setSize] = useState<{ width: number; height: number } | null>(null);
  const [isBroken, setBroken] = useState(false);
  const factor = Number(zoom) || 1;
  const sizing = zoom === "fit" || !size ? undefined : { width: size.width * factor, height: size.height * factor };
  return (
    <>
      <div className="view-tools">
        <label className="line-of">
          Zoom
          <select className="field compact" value={zoom} onChange={(event) => setZoom(event.target.value)}>
            {ZOOMS.map((each) => (
              <option key={each} value={each}>
                {each === "fit" ? "Fit" : `${Number(each) * 100} %`}
              </option>
            ))}
          </select>
        </label>
        <label className="line-of">
          Ground
          <select className="field compact" value={ground} onChange={(event) => setGround(event.target.value)}>
            {GROUNDS.map((each) => (
              <option key={each} value={each}>
                {each === "checks" ? "Checks" : each === "white" ? "White" : "Black"}
              </option>
            ))}
          </select>
        </label>
        <button
          className="button small"
          aria-pressed={pixels === "sharp"}
          onClick={() => setPixels(pixels === "sharp" ? "smooth" : "sharp")}
        >
          Sharp pixels
        </button>
        {size && (
          <span className="soft number">
            {size.width} × {size.height}
          </span>
        )}
      </div>
      {/* What scrolls is reached by keys. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <section className={`image-place on-${ground}`} tabIndex={0} aria-label="Image">
        {isBroken && <p className="soft">The browser can&apos;t read this image.</p>}
        {url && !isBroken && (
          <img
            src={url}
            alt={shownName(name)}
            className={`${zoom === "fit" ? "fitted" : ""} ${pixels}`}
            style={sizing}
            onLoad={({ currentTarget }) =>
              setSize({ width: currentTarget.naturalWidth, height: currentTarget.naturalHeight })
            }
            onError={() => setBroken(true)}
          />
        )}
      </section>
    </>
  );
}

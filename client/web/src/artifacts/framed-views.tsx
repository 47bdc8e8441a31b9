// What the browser itself shows, shut off from this page: HTML in a frame without an origin, PDF, sounds and films.

import { useEffect, useRef, type ReactNode, type RefObject } from "react";
import { shownName } from "./kinds";
import { useBlobUrl } from "./use-bytes";

/**
 * HTML runs its scripts in a frame that is nobody's: no cookies, no storage, no token, no calls, no way into this page.
 * The policy of frame.html lets it run what this page's own policy would not; it must never get allow-same-origin.
 */
export function HtmlView({ html, name }: { html: string; name: string }): ReactNode {
  const frame = useRef<HTMLIFrameElement>(null);
  const sent = useRef(false);
  return (
    <iframe
      ref={frame}
      className="framed"
      title={shownName(name)}
      sandbox="allow-scripts"
      referrerPolicy="no-referrer"
      src="frame.html"
      onLoad={() => {
        // What is written into it loads, too.
        if (sent.current) return;
        sent.current = true;
        // It has no origin that could be named; nothing but frame.html can be there yet.
        frame.current?.contentWindow?.postMessage({ html }, "*");
      }}
    />
  );
}

/** The type is ours, not the file's word: whatever is in it, it is read as PDF or not at all. */
export function PdfView({ blob, name }: { blob: Blob; name: string }): ReactNode {
  const url = useBlobUrl(blob);
  if (!url) return null;
  // In a sandbox the browser's own viewer doesn't run.
  // oxlint-disable-next-line react/iframe-missing-sandbox
  return <iframe className="framed" title={shownName(name)} src={url} />;
}

export function MediaView({ blob, name, kind }: { blob: Blob; name: string; kind: "audio" | "video" }): ReactNode {
  const url = useBlobUrl(blob);
  const place = useRef<HTMLMediaElement>(null);
  useEffect(() => {
    const media = place.current;
    return () => media?.pause();
  }, []);
  if (!url) return null;
  const label = shownName(name);
  // What was logged has no captions.
  return (
    <div className="media-place">
      {kind === "audio" ? (
        // oxlint-disable-next-line jsx-a11y/media-has-caption
        <audio ref={place as RefObject<HTMLAudioElement>} controls src={url} aria-label={label} />
      ) : (
        // oxlint-disable-next-line jsx-a11y/media-has-caption
        <video ref={place as RefObject<HTMLVideoElement>} controls src={url} aria-label={label} />
      )}
    </div>
  );
}

import { useEffect, useRef, useState, type ReactNode } from "react";
import { Failure } from "../ui/notice";
import { mediaType } from "./kinds";
import type { Owner } from "./queries";
import { useBlobUrl, useBytes } from "./use-bytes";

/** An image among others. The one before stays until the next is there: nothing flickers while steps go by. */
export function Thumbnail({ owner, path, alt }: { owner: Owner; path: string; alt: string }): ReactNode {
  const { found } = useBytes({ owner, path, type: mediaType(path) });
  const url = useBlobUrl(found.data?.blob);
  const place = useRef<HTMLImageElement>(null);
  const [broken, setBroken] = useState("");
  useEffect(() => {
    if (url && place.current) place.current.src = url;
  }, [url]);
  const isBroken = url !== "" && broken === url;
  if (found.error) return <Failure error={found.error} />;
  return (
    <>
      {isBroken && <span className="soft">The browser can&apos;t read this image.</span>}
      <img
        ref={place}
        alt={alt}
        className="sharp"
        style={isBroken ? { display: "none" } : undefined}
        onError={() => setBroken(url)}
      />
    </>
  );
}

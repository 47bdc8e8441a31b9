// All image series of a run beside each other, at a step that the reader chooses.

import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { formatTime } from "../format";
import { useSetting } from "../router";
import { Icon } from "../ui/icon";
import { Empty, Failure } from "../ui/notice";
import { SearchBox } from "../ui/search-box";
import { mediaType } from "./kinds";
import { wholeFolder, type Owner } from "./queries";
import { imagesAt, seriesOf, type SeriesImage } from "./series";
import "./series-view.css";
import { useBlobUrl, useBytes } from "./use-bytes";

interface Props {
  owner: Owner;
  folder: string;
  addressOfFile: (path: string) => string;
}

const CARDS = 60;

export function SeriesView({ owner, folder, addressOfFile }: Props): ReactNode {
  const files = useQuery({ ...wholeFolder(owner, folder), refetchInterval: 10_000 });
  const [search, setSearch] = useSetting("find");
  const [chosenStep, chooseStep] = useSetting("step");
  const [shown, setShown] = useState(CARDS);
  const series = useMemo(() => seriesOf(files.data ?? []), [files.data]);
  const keys = [...series.keys()].filter((key) => key.toLowerCase().includes(search.toLowerCase()));
  const steps = useMemo(
    () => [...new Set([...series.values()].flat().map(({ step }) => step))].toSorted((a, b) => a - b),
    [series],
  );
  if (files.error) return <Failure error={files.error} onRetry={() => void files.refetch()} />;
  if (files.isPending) return null;
  if (series.size === 0) {
    return (
      <Empty title="No image series here">
        <p>They are logged by</p>
        <pre>trackwire.log_image(image, key=&quot;samples&quot;, step=step)</pre>
      </Empty>
    );
  }
  const at =
    chosenStep === ""
      ? steps.length - 1
      : Math.max(
          0,
          steps.findLastIndex((step) => step <= Number(chosenStep)),
        );
  const choose = (next: number) => chooseStep(String(steps[Math.min(Math.max(next, 0), steps.length - 1)]));
  const step = steps[at] ?? 0;
  return (
    <>
      <div className="view-tools">
        {series.size > 1 && <SearchBox label="Find series" value={search} onChange={setSearch} />}
        <label className="line-of step-choice">
          <span>Step</span>
          <input
            type="range"
            min={0}
            max={steps.length - 1}
            value={at}
            aria-valuetext={`Step ${step}`}
            onChange={(event) => choose(Number(event.target.value))}
          />
        </label>
        <button
          className="button plain small"
          aria-label="Step before"
          disabled={at === 0}
          onClick={() => choose(at - 1)}
        >
          <Icon name="left" />
        </button>
        <output className="number">{step.toLocaleString("en")}</output>
        <button
          className="button plain small"
          aria-label="Next step"
          disabled={at === steps.length - 1}
          onClick={() => choose(at + 1)}
        >
          <Icon name="right" />
        </button>
      </div>
      <ul className="series-cards">
        {keys.slice(0, shown).map((key) => (
          <Card
            key={key}
            name={key}
            owner={owner}
            images={imagesAt(series.get(key) ?? [], step)}
            addressOfFile={addressOfFile}
          />
        ))}
        {keys.length > shown && (
          <li>
            <button className="button" onClick={() => setShown(shown + CARDS)}>
              Show more series
            </button>
          </li>
        )}
      </ul>
    </>
  );
}

interface CardProps {
  name: string;
  owner: Owner;
  images: SeriesImage[];
  addressOfFile: (path: string) => string;
}

function Card({ name, owner, images, addressOfFile }: CardProps): ReactNode {
  const step = images[0]?.step;
  return (
    <li className="series-card">
      <div className="spread">
        <h2 className="clipped" title={name}>
          {name}
        </h2>
        <span className="soft number">{step === undefined ? "nothing yet" : `step ${step.toLocaleString("en")}`}</span>
      </div>
      <div className="series-images">
        {images.map((image) => (
          <a key={image.path} href={addressOfFile(image.path)} title={formatTime(image.timeMs)}>
            <Thumbnail owner={owner} path={image.thumbnailPath} alt={`${name}, step ${image.step}`} />
          </a>
        ))}
      </div>
    </li>
  );
}

/** The one before stays until the next is there: nothing flickers while steps go by. */
function Thumbnail({ owner, path, alt }: { owner: Owner; path: string; alt: string }): ReactNode {
  const { found } = useBytes({ owner, path, type: mediaType(path) });
  const url = useBlobUrl(found.data?.blob);
  const place = useRef<HTMLImageElement>(null);
  useEffect(() => {
    if (url && place.current) place.current.src = url;
  }, [url]);
  if (found.error) return <Failure error={found.error} />;
  return <img ref={place} alt={alt} className="sharp" />;
}

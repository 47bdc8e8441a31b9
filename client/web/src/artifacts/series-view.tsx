// All image series of a run beside each other, at a step that the reader chooses.

import { useQuery } from "@tanstack/react-query";
import { useMemo, useState, type ReactNode } from "react";
import { formatTime } from "../format";
import { useSetting } from "../router";
import { Empty, Failure } from "../ui/notice";
import { SearchBox } from "../ui/search-box";
import { wholeFolder, type Owner } from "./queries";
import { imagesAt, seriesOf, type SeriesImage } from "./series";
import "./series-view.css";
import { StepChoice, useStep } from "./step-choice";
import { Thumbnail } from "./thumbnail";

interface Props {
  owner: Owner;
  folder: string;
  addressOfFile: (path: string) => string;
}

const CARDS = 60;

export function SeriesView({ owner, folder, addressOfFile }: Props): ReactNode {
  const files = useQuery({ ...wholeFolder(owner, folder), refetchInterval: 10_000 });
  const [search, setSearch] = useSetting("find");
  const [shown, setShown] = useState(CARDS);
  const series = useMemo(() => seriesOf(files.data ?? []), [files.data]);
  const keys = [...series.keys()].filter((key) => key.toLowerCase().includes(search.toLowerCase()));
  const steps = useMemo(
    () => [...new Set([...series.values()].flat().map(({ step }) => step))].toSorted((a, b) => a - b),
    [series],
  );
  const { step } = useStep(steps);
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
  return (
    <>
      <div className="view-tools">
        {series.size > 1 && <SearchBox label="Find series" value={search} onChange={setSearch} />}
        <StepChoice steps={steps} />
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

// The images of runs beside each other: a row for each name, and one step for all series.

import { useQueries, type UseQueryResult } from "@tanstack/react-query";
import { useCallback, useContext, useMemo, useState, type ReactNode } from "react";
import { wordsOf } from "../api/errors";
import { imagesOf, PAGES_MAX, type RunImages } from "../artifacts/run-images";
import { shownName } from "../artifacts/kinds";
import type { Owner } from "../artifacts/queries";
import { StepChoice, useStep } from "../artifacts/step-choice";
import { Thumbnail } from "../artifacts/thumbnail";
import { formatCount } from "../format";
import { addressOf, useSetting } from "../router";
import { SlotsContext } from "../runs/colors";
import { isAtWork, type RunRow } from "../runs/run-row";
import { Empty } from "../ui/notice";
import { SearchBox } from "../ui/search-box";
import { ComparedGrid, type GridRow } from "./grid";
import { cellAt, imageRows, stepsOf, type ImageRow } from "./image-rows";
import "./images.css";

const SIZES = [
  ["small", "Small", 110],
  ["medium", "Medium", 220],
  ["large", "Large", 440],
] as const;
const CAPTION_HEIGHT = 44;
// Of one step in one cell. By its place an image stays until the next is there: nothing flickers.
const PLACES = ["first", "second", "third", "fourth"];

type Found = ReadonlyMap<string, UseQueryResult<RunImages>>;

export function CompareImages({ runs }: { runs: readonly RunRow[] }): ReactNode {
  const [search, setSearch] = useSetting("find");
  const [size, setSize] = useSetting("size", "medium");
  const { found, look } = useImages(runs);
  const known = useMemo(
    () => new Map([...found].flatMap(([runId, { data }]): [string, RunImages][] => (data ? [[runId, data]] : []))),
    [found],
  );
  const slots = useContext(SlotsContext);
  const steps = useMemo(() => stepsOf(known), [known]);
  const { step } = useStep(steps);
  const rows = useMemo(() => imageRows(known, search), [known, search]);
  const side = SIZES.find(([id]) => id === size)?.[2] ?? SIZES[1][2];
  const cut = runs.filter(({ runId }) => known.get(runId)?.isCut).length;
  const isNothing = known.size === runs.length && !search && rows.length === 0;
  if (isNothing) return <NoImages />;
  return (
    <>
      <div className="line-of wraps">
        {steps.length > 0 && <StepChoice steps={steps} />}
        <span className="grow" />
        <label className="line-of">
          Size
          <select className="field compact" value={size} onChange={(event) => setSize(event.target.value)}>
            {SIZES.map(([id, words]) => (
              <option key={id} value={id}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <SearchBox label="Find images" value={search} onChange={setSearch} />
      </div>
      {cut > 0 && (
        <p className="soft">
          {formatCount(cut, "run")} {cut === 1 ? "has" : "have"} more folders than the {PAGES_MAX} that are looked
          through here: images that lie deeper are not shown.
        </p>
      )}
      <ComparedGrid
        label="Images of the runs"
        runs={runs}
        slots={slots}
        columnWidthMin={side + 24}
        corner={<span className="soft">{rowsInWords(rows.length, known.size, search)}</span>}
        below={(at) => stateOf(found.get(runs[at]?.runId ?? ""))}
        onShow={look}
        rows={rows.map((row) => lineOf(row, { runs, found, side, step }))}
      />
    </>
  );
}

function NoImages(): ReactNode {
  return (
    <Empty title="None of these runs has images">
      <p>They are logged by</p>
      <pre>trackwire.log_image(image, key=&quot;samples&quot;, step=step)</pre>
    </Empty>
  );
}

/** Only runs whose columns have been in sight are asked for what they have. */
function useImages(runs: readonly RunRow[]): { found: Found; look: (runIds: readonly string[]) => void } {
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set());
  const look = useCallback(
    (runIds: readonly string[]) =>
      setSeen((last) => (runIds.every((runId) => last.has(runId)) ? last : new Set([...last, ...runIds]))),
    [],
  );
  const asked = useMemo(() => runs.filter(({ runId }) => seen.has(runId)), [runs, seen]);
  const combine = useCallback(
    (results: UseQueryResult<RunImages>[]): Found =>
      new Map(results.map((result, at) => [asked[at]?.runId ?? "", result])),
    [asked],
  );
  const found = useQueries({ queries: asked.map((run) => imagesOf(ownerOf(run), isAtWork(run))), combine });
  return { found, look };
}

function ownerOf({ runId }: RunRow): Owner {
  return { case: "runId", value: runId };
}

function rowsInWords(rows: number, runs: number, search: string): string {
  if (rows > 0) return formatCount(rows, "image");
  if (runs === 0) return "";
  return search ? "No image has that in its name" : "No images in sight";
}

function stateOf(result: UseQueryResult<RunImages> | undefined): string {
  if (result?.error) return wordsOf(result.error);
  if (!result?.data) return "Looking for images";
  const count = result.data.series.size + result.data.files.size;
  return count === 0 ? "No images" : formatCount(count, "image");
}

interface Shown {
  runs: readonly RunRow[];
  found: Found;
  side: number;
  step: number;
}

function lineOf(row: ImageRow, { runs, found, side, step }: Shown): GridRow {
  const name = shownName(row.name);
  return {
    id: `${row.isSeries ? "series" : "file"} ${row.name}`,
    height: side + CAPTION_HEIGHT,
    className: "image-line",
    head: (
      <>
        <bdi title={name}>{name}</bdi>
        {row.isSeries && <span className="soft">By step</span>}
      </>
    ),
    cell: (at) => {
      const run = runs[at];
      const images = run && found.get(run.runId)?.data;
      return run && images && <ImageCell run={run} images={images} row={row} step={step} side={side} />;
    },
  };
}

interface CellProps {
  run: RunRow;
  images: RunImages;
  row: ImageRow;
  step: number;
  side: number;
}

function ImageCell({ run, images, row, step, side }: CellProps): ReactNode {
  const cell = cellAt(images, row, step);
  const name = shownName(row.name);
  const first = cell.images[0];
  if (!first) {
    const isLater = row.isSeries && images.series.has(row.name);
    return <span className="soft image-caption">{isLater ? "Nothing yet at this step" : "Not there"}</span>;
  }
  const page = `/experiments/${run.experimentId}/runs/${run.runId}`;
  const when = cell.step === undefined ? "" : `, step ${cell.step}`;
  const more = cell.images.length - PLACES.length;
  return (
    <>
      <div className="beside" style={{ height: side }}>
        {cell.images.slice(0, PLACES.length).map(({ path, shownPath }, at) => (
          <a key={PLACES[at]} href={addressOf(page, { tab: "artifacts", path })}>
            <Thumbnail owner={ownerOf(run)} path={shownPath} alt={`${name}${when}, ${run.runName}`} />
          </a>
        ))}
      </div>
      <span className="soft number image-caption">
        {cell.step !== undefined && `step ${cell.step.toLocaleString("en")}`}
        {more > 0 && `, and ${more} more`}
      </span>
    </>
  );
}

// What a run printed, as a terminal shows it; the end stays in sight while the run goes on.

import { useQueries, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useMemo, useState, type ReactNode } from "react";
import type { Run } from "../api/generated/trackwire/v1/runs_pb";
import { nameOf, shownName } from "../artifacts/kinds";
import { wholeFolder } from "../artifacts/queries";
import { formatCount } from "../format";
import { useSetting } from "../router";
import { Lines, Marked } from "../ui/lines";
import { Empty, Failure } from "../ui/notice";
import { SearchBox } from "../ui/search-box";
import { CONSOLE_FOLDER, consolePart, type ConsoleLine } from "./console-parts";
import "./console.css";
import { isLive } from "./run-queries";

// A part has up to 256 KiB.
const PARTS = 16;
const LOOKS_AGAIN_MS = 5_000;

export function Console({ run }: { run: Run }): ReactNode {
  const owner = { case: "runId", value: run.runId } as const;
  const again = { refetchInterval: isLive(run) ? LOOKS_AGAIN_MS : (false as const) };
  const folders = useQuery({ ...wholeFolder(owner, CONSOLE_FOLDER), ...again });
  const ranks = (folders.data ?? []).filter((entry) => entry.isDir).map((entry) => nameOf(entry.path));
  ranks.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const [chosen, choose] = useSetting("rank");
  const rank = ranks.includes(chosen) ? chosen : ranks[0];
  if (folders.error) return <Failure error={folders.error} onRetry={() => void folders.refetch()} />;
  if (folders.isPending) return null;
  if (rank === undefined) return <NothingPrinted live={isLive(run)} />;
  return (
    <Printed key={rank} run={run} rank={rank}>
      {ranks.length > 1 && (
        <label className="line-of">
          Rank
          <select className="field console-rank" value={rank} onChange={(event) => choose(event.target.value)}>
            {ranks.map((each) => (
              <option key={each} value={each}>
                {shownName(each)}
              </option>
            ))}
          </select>
        </label>
      )}
    </Printed>
  );
}

function Printed({ run, rank, children }: { run: Run; rank: string; children: ReactNode }): ReactNode {
  const owner = { case: "runId", value: run.runId } as const;
  const live = isLive(run);
  const folder = useQuery({
    ...wholeFolder(owner, `${CONSOLE_FOLDER}/${rank}`),
    refetchInterval: live ? LOOKS_AGAIN_MS : false,
  });
  const [shownParts, setShownParts] = useState(PARTS);
  const paths = (folder.data ?? []).filter((entry) => !entry.isDir).map((entry) => entry.path);
  const shown = paths.slice(-shownParts);
  const { parts, error } = useQueries({
    queries: shown.map((path) => consolePart(run.runId, path)),
    combine: partsOf,
  });
  const lines = useMemo(() => parts.flat(), [parts]);
  const [search, setSearch] = useSetting("find");
  const [stream, setStream] = useSetting("stream", "all");
  const [times, setTimes] = useSetting("times", "shown");
  const found = useMemo(() => linesFound(lines, search, stream), [lines, search, stream]);
  const failure = folder.error ?? error;
  return (
    <section className="panel console" aria-label="Console">
      <div className="console-tools">
        {children}
        <SearchBox label="Find lines" value={search} onChange={setSearch} />
        <label className="line-of">
          <span className="unseen">Stream</span>
          <select className="field console-rank" value={stream} onChange={(event) => setStream(event.target.value)}>
            <option value="all">All output</option>
            <option value="out">stdout</option>
            <option value="err">stderr</option>
          </select>
        </label>
        <button
          className="button small"
          aria-pressed={times === "shown"}
          onClick={() => setTimes(times === "shown" ? "hidden" : "shown")}
        >
          Times
        </button>
        <output className="soft number">
          {(search || stream !== "all") && `${found.length.toLocaleString("en")} of `}
          {formatCount(lines.length, "line")}
        </output>
        {paths.length > shown.length && (
          <button className="button small" onClick={() => setShownParts(shownParts + PARTS)}>
            Load earlier lines
          </button>
        )}
        <span className="grow" />
        {live && <span className="soft">Parts come 15 s to 5 min after they were printed</span>}
      </div>
      {failure && <Failure error={failure} onRetry={() => void folder.refetch()} />}
      <Lines
        label="What the run printed"
        count={found.length}
        wraps
        follows={!search}
        renderLine={(index) => {
          const line = found[index];
          return line && <PrintedLine line={line} search={search} hasTime={times === "shown"} />;
        }}
      />
    </section>
  );
}

function PrintedLine(props: { line: ConsoleLine; search: string; hasTime: boolean }): ReactNode {
  const { line, search, hasTime } = props;
  return (
    <>
      {hasTime && line.time && (
        <time className="console-time" dateTime={line.time}>
          {new Date(line.time).toLocaleTimeString("en-GB")}
        </time>
      )}
      <span className={line.stream === "err" ? "console-err" : line.stream === "---" ? "console-own" : undefined}>
        <Marked text={line.text} search={search} />
      </span>
    </>
  );
}

/** The parts themselves, which stay the same objects: only then is it cheap to see that nothing has changed. */
function partsOf(asked: UseQueryResult<ConsoleLine[]>[]): { parts: ConsoleLine[][]; error: Error | null } {
  return {
    parts: asked.flatMap((part) => (part.data ? [part.data] : [])),
    error: asked.find((part) => part.error)?.error ?? null,
  };
}

function linesFound(lines: ConsoleLine[], search: string, stream: string): ConsoleLine[] {
  if (!search && stream === "all") return lines;
  const wanted = search.toLowerCase();
  return lines.filter(
    (line) => (stream === "all" || line.stream === stream) && line.text.toLowerCase().includes(wanted),
  );
}

function NothingPrinted({ live }: { live: boolean }): ReactNode {
  return (
    <Empty title={live ? "Nothing printed has come yet" : "Nothing that was printed is kept"}>
      <p>
        What a script prints within <span className="mono">trackwire.start_run()</span> is kept from 15 s on, unless
      </p>
      <pre>trackwire.start_run(console=False)</pre>
      <p>
        or <span className="mono">TRACKWIRE_CONSOLE=off</span> says otherwise. MLflow&apos;s own client keeps none of
        it.
      </p>
    </Empty>
  );
}

// MLflow's own pages, by those that there are here instead: its client prints such links, and people keep them.

import { addressOf, match, type Place } from "./router";

type Parts = Record<string, string>;
type Translate = (parts: Parts, query: URLSearchParams) => string | null;

// What a run has there that nothing here is like leads to what it is known by.
const RUN_TABS = new Map(
  Object.entries({
    overview: "overview",
    "model-metrics": "metrics",
    "system-metrics": "system",
    artifacts: "artifacts",
    traces: "overview",
    evaluations: "overview",
    issues: "overview",
  }),
);
const EXPERIMENT_TABS = new Set(
  (
    "s runs overview traces models evaluation-monitoring evaluation-runs judges datasets labeling-sessions " +
    "label-schemas review-queue issues prompts chat-sessions single-chat-session"
  ).split(" "),
);
// Both have it.
const DEFAULT_ORDER = "attributes.start_time DESC";
const MODEL_PARTS = new Set(["versions", "details", "serving"]);

const PLACES: readonly (readonly [string, Translate])[] = [
  ["/experiments/:experimentId", (parts, query) => (hasSearch(query) ? experiment(parts, query) : null)],
  ["/experiments/:experimentId/:tab/*", (parts, query) => (isTab(parts) ? experiment(parts, query) : null)],
  ["/experiments/:experimentId/runs/:runId/:tab", runTab],
  ["/compare-experiments/*", (_parts, query) => oneExperiment(query)],
  ["/compare-model-versions", (_parts, query) => versions(query)],
  ["/metric/*", (parts, query) => metric(parts, query)],
  ["/models/:name/:part", ({ name, part = "" }) => (MODEL_PARTS.has(part) ? addressOf(path("models", name)) : null)],
];

/** What MLflow has nothing alike for here, by the first part of its address. */
export const UNLIKE = new Map(
  Object.entries({
    prompts: "MLflow shows prompts there. They are kept for its clients, and not shown.",
    gateway: "MLflow shows its gateway there, which is no part of Trackwire.",
    settings: "MLflow has its settings there. Here they are those of the server, given when it is started.",
  }),
);

/** The address to go on to from one of MLflow's; null where the place is one of ours. */
export function translated({ path: asked, query }: Place): string | null {
  for (const [pattern, translate] of PLACES) {
    const parts = match(pattern, asked);
    const found = parts && translate(parts, query);
    if (found) return found;
  }
  return null;
}

/** The ids of a list that an address holds as JSON; none where it holds something else. */
export function listed(text: string | null): string[] {
  const found = parsed(text);
  return Array.isArray(found) ? found.map(String) : [];
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return null;
  }
}

function path(...segments: (string | undefined)[]): string {
  return `/${segments.map((each = "") => encodeURIComponent(each)).join("/")}`;
}

function isTab({ tab = "", rest = "" }: Parts): boolean {
  // Runs and logged models have pages of their own.
  return EXPERIMENT_TABS.has(tab) && (rest === "" || (tab !== "runs" && tab !== "models"));
}

function hasSearch(query: URLSearchParams): boolean {
  return ["searchFilter", "orderByKey", "lifecycleFilter"].some((name) => query.has(name));
}

/** An experiment with the filter and the order that it is to be shown by, or the run that is chosen in it. */
function experiment({ experimentId }: Parts, query: URLSearchParams): string {
  const runId = query.get("selectedRunUuid");
  if (runId) return addressOf(path("experiments", experimentId, "runs", runId));
  const settings: Record<string, string> = {};
  const filter = query.get("searchFilter");
  if (filter) settings["filter"] = filter;
  const order = `${query.get("orderByKey") ?? ""} ${query.get("orderByAsc") === "true" ? "ASC" : "DESC"}`;
  if (query.get("orderByKey") && order !== DEFAULT_ORDER) settings["order"] = order;
  if (query.get("lifecycleFilter")?.toLowerCase() === "deleted") settings["show"] = "deleted";
  return addressOf(path("experiments", experimentId), settings);
}

function runTab({ experimentId, runId, tab = "" }: Parts): string | null {
  const ours = RUN_TABS.get(tab);
  const run = path("experiments", experimentId, "runs", runId);
  return ours ? addressOf(run, ours === "overview" ? {} : { tab: ours }) : null;
}

function oneExperiment(query: URLSearchParams): string | null {
  const named = listed(query.get("experiments"));
  return named.length === 1 ? addressOf(path("experiments", named[0])) : null;
}

/** The runs that versions come from. */
function versions(query: URLSearchParams): string {
  const byRun = parsed(query.get("runs"));
  const runIds = byRun && typeof byRun === "object" ? Object.keys(byRun) : [];
  if (runIds.length > 0) return addressOf("/compare-runs", { runs: runIds.join("~") });
  const name = parsed(query.get("name"));
  return typeof name === "string" ? addressOf(path("models", name)) : addressOf("/models");
}

function metric({ rest = "" }: Parts, query: URLSearchParams): string | null {
  const runIds = listed(query.get("runs"));
  const [experimentId] = listed(query.get("experiments"));
  if (runIds.length === 0) return null;
  if (runIds.length > 1) return addressOf("/compare-runs", { runs: runIds.join("~"), view: "charts" });
  if (!experimentId) return addressOf(path("runs", runIds[0]));
  const key = parsed(query.get("metric"));
  const name = typeof key === "string" ? key : rest;
  const wanted = { tab: name.startsWith("system/") ? "system" : "metrics", ...(name ? { charts: name } : {}) };
  return addressOf(path("experiments", experimentId, "runs", runIds[0]), wanted);
}

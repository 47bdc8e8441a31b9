// How an experiment's page was last set up in this tab: pages of its runs lead back to that, and not to a bare table.

import { addressOf } from "../router";

const NAME = "trackwire-experiment-";

export function rememberPlace(experimentId: string, query: string): void {
  window.sessionStorage.setItem(NAME + experimentId, query);
}

export function addressOfExperiment(experimentId: string): string {
  const query = window.sessionStorage.getItem(NAME + experimentId) ?? "";
  return addressOf(`/experiments/${encodeURIComponent(experimentId)}`, Object.fromEntries(new URLSearchParams(query)));
}

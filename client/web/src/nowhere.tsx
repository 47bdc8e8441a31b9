// The page of all addresses that are none, which leads on.

import type { ReactNode } from "react";
import { UNLIKE } from "./mlflow-addresses";
import { addressOf, match } from "./router";

export function Nowhere({ path }: { path: string }): ReactNode {
  const run = match("/experiments/:experimentId/runs/:runId/*", path);
  const experiment = match("/experiments/:experimentId/*", path);
  const model = match("/models/:name/*", path);
  const named = (text = ""): string => encodeURIComponent(text);
  return (
    <main className="page">
      <h1>There is no such page</h1>
      <p className="soft breaks">
        Nothing is at <span className="mono">{path}</span>. {UNLIKE.get(path.split("/")[1] ?? "")}
      </p>
      <ul className="plain-list">
        {run && (
          <li>
            <a href={addressOf(`/experiments/${named(run["experimentId"])}/runs/${named(run["runId"])}`)}>
              See this run.
            </a>
          </li>
        )}
        {experiment && (
          <li>
            <a href={addressOf(`/experiments/${named(experiment["experimentId"])}`)}>See this experiment.</a>
          </li>
        )}
        {model && (
          <li>
            <a href={addressOf(`/models/${named(model["name"])}`)}>See this model.</a>
          </li>
        )}
        <li>
          <a href={addressOf("/experiments")}>See all experiments.</a>
        </li>
        <li>
          <a href={addressOf("/models")}>See all models.</a>
        </li>
      </ul>
    </main>
  );
}

// `#/compare-experiments`, where MLflow has the runs of several experiments in one table: the way to each of them.

import { useQueries } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { listed } from "../mlflow-addresses";
import { addressOf, usePlace } from "../router";
import { Empty } from "../ui/notice";
import { experimentById } from "./queries";

export function SeveralExperiments(): ReactNode {
  const ids = [...new Set(listed(usePlace().query.get("experiments")))];
  const found = useQueries({ queries: ids.map(experimentById) });
  return (
    <main className="page">
      <h1>Several experiments</h1>
      {ids.length === 0 ? (
        <Empty title="This address names no experiments">
          <p>
            <a href={addressOf("/experiments")}>See all experiments.</a>
          </p>
        </Empty>
      ) : (
        <>
          <p className="soft">Runs of several experiments have no table of their own. Each experiment has one:</p>
          <ul className="plain-list">
            {ids.map((id, at) => (
              <li key={id}>
                <a href={addressOf(`/experiments/${encodeURIComponent(id)}`)}>
                  {found[at]?.data?.name ?? `Experiment ${id}`}
                </a>
                {found[at]?.error && <span className="soft"> is not here</span>}
              </li>
            ))}
          </ul>
        </>
      )}
    </main>
  );
}

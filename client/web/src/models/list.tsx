// All registered models: found, made, and what stands for what.

import { useInfiniteQuery } from "@tanstack/react-query";
import { useDeferredValue, useState, type ReactNode } from "react";
import { useTrackingUri } from "../api/address";
import { ModelStage, type RegisteredModel } from "../api/generated/trackwire/v1/model_registry_pb";
import { formatAge, formatTime } from "../format";
import { useSetting } from "../router";
import { Code } from "../ui/code";
import { Icon } from "../ui/icon";
import { Empty, Failure } from "../ui/notice";
import { SearchBox } from "../ui/search-box";
import "../ui/tables.css";
import { Tags } from "../ui/tags";
import { modelAddress, versionAddress } from "./addresses";
import { CreateModelDialog } from "./dialogs";
import { FilterField } from "./filter-field";
import "./models.css";
import { filterOfModels, modelsFound } from "./queries";
import { Stage } from "./stages";

export function ModelList(): ReactNode {
  const [search, setSearch] = useSetting("search");
  const [filter, setFilter] = useSetting("filter");
  const [creates, setCreates] = useState(false);
  const typed = useDeferredValue(search);
  const [, offset] = filterOfModels(typed, filter);
  const found = useInfiniteQuery(modelsFound(typed, filter));
  const shown = found.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <main className="page">
      <div className="spread wraps">
        <h1>Models</h1>
        <div className="line-of wraps list-head">
          <SearchBox label="Search models by name" value={search} onChange={setSearch} />
          <FilterField filter={filter} offset={offset} error={filter ? found.error : null} onApply={setFilter} />
          <button className="button primary" onClick={() => setCreates(true)}>
            <Icon name="plus" /> New model
          </button>
        </div>
      </div>
      {found.error && !filter && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {found.isSuccess && shown.length === 0 && <NothingFound asked={search || filter} />}
      {shown.length > 0 && <ModelTable models={shown} />}
      {found.hasNextPage && (
        <p>
          <button className="button" disabled={found.isFetching} onClick={() => void found.fetchNextPage()}>
            Show more
          </button>
        </p>
      )}
      {creates && <CreateModelDialog onClose={() => setCreates(false)} />}
    </main>
  );
}

function ModelTable({ models }: { models: RegisteredModel[] }): ReactNode {
  return (
    <div className="panel scrolls-across">
      <table className="plain-table models-table">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Latest</th>
            <th scope="col">Aliases</th>
            <th scope="col">Stages</th>
            <th scope="col">Changed</th>
            <th scope="col">Description</th>
            <th scope="col">Tags</th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <Row key={model.name} model={model} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ model }: { model: RegisteredModel }): ReactNode {
  const { name, description, latestVersions } = model;
  const latest = latestVersions.toSorted((a, b) => Number(b.version - a.version))[0];
  const staged = [ModelStage.STAGING, ModelStage.PRODUCTION].flatMap((stage) =>
    latestVersions.filter((each) => each.currentStage === stage),
  );
  return (
    <tr>
      <th scope="row">
        <a className="model-name clipped" href={modelAddress(name)} title={name}>
          {name}
        </a>
      </th>
      <td>
        {latest ? (
          <a href={versionAddress(name, latest.version)}>Version {String(latest.version)}</a>
        ) : (
          <span className="soft">No versions</span>
        )}
      </td>
      <td>
        <AliasLinks name={name} aliases={model.aliases} />
      </td>
      <td>
        <span className="line-of">
          {staged.map((version) => (
            <a key={String(version.version)} className="line-of tight" href={versionAddress(name, version.version)}>
              <Stage stage={version.currentStage} /> {String(version.version)}
            </a>
          ))}
        </span>
      </td>
      <td className="soft" title={formatTime(model.lastUpdateTimeMs)}>
        {formatAge(model.lastUpdateTimeMs)}
      </td>
      <td className="model-description">
        <span className="soft" title={description}>
          {description}
        </span>
      </td>
      <td>
        <Tags tags={model.tags} />
      </td>
    </tr>
  );
}

function AliasLinks({ name, aliases }: { name: string; aliases: Record<string, bigint> }): ReactNode {
  return (
    <span className="line-of">
      {Object.entries(aliases)
        .toSorted(([a], [b]) => a.localeCompare(b))
        .map(([alias, version]) => (
          <a key={alias} className="line-of tight" href={versionAddress(name, version)}>
            <span className="alias">{alias}</span> {String(version)}
          </a>
        ))}
    </span>
  );
}

function NothingFound({ asked }: { asked: string }): ReactNode {
  const server = useTrackingUri();
  if (asked) return <Empty title="No model is found by that" />;
  return (
    <Empty title="There are no models yet">
      <p>
        What a run has logged becomes a version of a model when it is registered: by a button at its artifacts, or in
        Python:
      </p>
      {server !== undefined && <Code text={firstModel(server)} />}
    </Empty>
  );
}

function firstModel(server: string): string {
  return `import trackwire

trackwire.set_tracking_uri("${server}")
trackwire.set_experiment("demo")
with trackwire.start_run() as run:
    trackwire.log_text("what was learned", "model.txt")
trackwire.register_model(f"runs:/{run.info.run_id}/model.txt", "demo")`;
}

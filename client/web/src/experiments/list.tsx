// All experiments: found, made, renamed, deleted and restored.

import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useDeferredValue, useState, type ReactNode } from "react";
import { experiments as service } from "../api/clients";
import { LifecycleStage, ViewType, type Experiment } from "../api/generated/trackwire/v1/experiments_pb";
import { formatAge, formatTime } from "../format";
import { addressOf, useSetting } from "../router";
import { useNow } from "../runs/run-status";
import { Icon } from "../ui/icon";
import { Empty, Failure } from "../ui/notice";
import { SearchBox } from "../ui/search-box";
import "../ui/tables.css";
import { Tags } from "../ui/tags";
import { CreateDialog, DeleteDialog, RenameDialog, TagsDialog } from "./dialogs";
import "./list.css";
import { experimentsFound } from "./queries";

type Asked = { what: "create" } | { what: "rename" | "delete" | "tags"; experiment: Experiment } | null;

export function ExperimentList(): ReactNode {
  const [search, setSearch] = useSetting("search");
  const [stage, setStage] = useSetting("show", "active");
  const [asked, setAsked] = useState<Asked>(null);
  const deleted = stage === "deleted";
  const viewType = deleted ? ViewType.DELETED_ONLY : ViewType.ACTIVE_ONLY;
  const nowMs = useNow(true);
  const found = useInfiniteQuery(experimentsFound(useDeferredValue(search), viewType));
  const shown = found.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <main className="page">
      <div className="spread wraps">
        <h1>Experiments</h1>
        <div className="line-of wraps list-head">
          <SearchBox label="Search experiments by name" value={search} onChange={setSearch} />
          <button className="button" aria-pressed={deleted} onClick={() => setStage(deleted ? "active" : "deleted")}>
            <Icon name="trash" /> Deleted
          </button>
          <button className="button primary" onClick={() => setAsked({ what: "create" })}>
            <Icon name="plus" /> New experiment
          </button>
        </div>
      </div>
      {found.error && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {found.isSuccess && shown.length === 0 && <NothingFound search={search} deleted={deleted} />}
      {shown.length > 0 && (
        <div className="panel scrolls-across">
          <table className="plain-table experiments-table">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Tags</th>
                <th scope="col">Changed</th>
                <th scope="col">Created</th>
                <th scope="col">
                  <span className="unseen">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((experiment) => (
                <Row key={experiment.experimentId} experiment={experiment} nowMs={nowMs} ask={setAsked} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {found.hasNextPage && (
        <p>
          <button className="button" disabled={found.isFetching} onClick={() => void found.fetchNextPage()}>
            Show more
          </button>
        </p>
      )}
      <Asked asked={asked} onClose={() => setAsked(null)} />
    </main>
  );
}

interface RowProps {
  experiment: Experiment;
  nowMs: number;
  ask: (asked: Asked) => void;
}

function Row({ experiment, nowMs, ask }: RowProps): ReactNode {
  return (
    <tr>
      <th scope="row" title={experiment.name}>
        <a href={addressOf(`/experiments/${experiment.experimentId}`)}>{experiment.name}</a>
      </th>
      <td>
        <Tags tags={experiment.tags} />
      </td>
      <td className="soft" data-label="Changed" title={formatTime(experiment.lastUpdateTimeMs)}>
        {formatAge(experiment.lastUpdateTimeMs, nowMs)}
      </td>
      <td className="soft" data-label="Created" title={formatTime(experiment.creationTimeMs)}>
        {formatAge(experiment.creationTimeMs, nowMs)}
      </td>
      <td className="actions">
        {experiment.lifecycleStage === LifecycleStage.DELETED ? (
          <RestoreButton experiment={experiment} />
        ) : (
          <>
            <RowButton
              icon="tag"
              label={`Tags of ${experiment.name}`}
              onClick={() => ask({ what: "tags", experiment })}
            />
            <RowButton
              icon="pencil"
              label={`Rename ${experiment.name}`}
              onClick={() => ask({ what: "rename", experiment })}
            />
            {experiment.experimentId !== "0" && (
              <RowButton
                icon="trash"
                label={`Delete ${experiment.name}`}
                onClick={() => ask({ what: "delete", experiment })}
              />
            )}
          </>
        )}
      </td>
    </tr>
  );
}

function RowButton(props: { icon: "tag" | "pencil" | "trash"; label: string; onClick: () => void }): ReactNode {
  return (
    <button className="button plain small" aria-label={props.label} title={props.label} onClick={props.onClick}>
      <Icon name={props.icon} />
    </button>
  );
}

function RestoreButton({ experiment }: { experiment: Experiment }): ReactNode {
  const queries = useQueryClient();
  const restore = useMutation({
    mutationFn: () => service.restoreExperiment({ experimentId: experiment.experimentId }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["experiments"] }),
  });
  return (
    <>
      {restore.error && <Failure error={restore.error} />}
      <button
        className="button small"
        aria-label={`Restore ${experiment.name}`}
        disabled={restore.isPending}
        onClick={() => restore.mutate()}
      >
        Restore
      </button>
    </>
  );
}

function Asked({ asked, onClose }: { asked: Asked; onClose: () => void }): ReactNode {
  if (!asked) return null;
  if (asked.what === "create") return <CreateDialog onClose={onClose} />;
  const { experiment } = asked;
  if (asked.what === "rename") return <RenameDialog experiment={experiment} onClose={onClose} />;
  if (asked.what === "tags") return <TagsDialog experiment={experiment} onClose={onClose} />;
  return <DeleteDialog experiment={experiment} onClose={onClose} />;
}

function NothingFound({ search, deleted }: { search: string; deleted: boolean }): ReactNode {
  if (search) return <Empty title={`No experiment's name has “${search}” in it`} />;
  if (deleted) return <Empty title="Nothing is deleted" />;
  return <Empty title="There are no experiments yet" />;
}

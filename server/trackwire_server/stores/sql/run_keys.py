"""The keys that runs have, in SQL.

Of metrics an index begins with experiment and key: it is entered once a key, however many runs have it. Of params and
tags nothing tells the keys of an experiment but its runs' own rows, each of which is read, off the primary key. To ask
for each key that there is whether the experiment has it takes half a minute where others have 2,000 other keys.
"""

from collections.abc import Mapping, Sequence
from functools import cache

from sqlalchemy import CTE, ColumnElement, FromClause, Select, Subquery, Table, bindparam, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import ViewType
from trackwire_server.core.paging import Page
from trackwire_server.core.run_keys import RunKey, RunKeyKind, RunKeyQuery
from trackwire_server.stores.sql.dialect import dialect_of
from trackwire_server.stores.sql.entries import owner_of
from trackwire_server.stores.sql.prepared import Prepared, fetch_all
from trackwire_server.stores.sql.tables import experiments, metric_keys, metric_summaries, run_params, run_tags, runs

_ENTRIES: Mapping[RunKeyKind, Table] = {RunKeyKind.PARAM: run_params, RunKeyKind.TAG: run_tags}
_SUMMARIES = metric_summaries.alias("summaries")


async def read_keys(connection: AsyncConnection, query: RunKeyQuery) -> Page[RunKey]:
    """A page of keys: those of one kind, and of the next one where there is room."""
    kind_before, key_before = query.after or ("", "")
    found: list[RunKey] = []
    for kind in query.kinds:
        room = query.page_size + 1 - len(found)
        if kind.value >= str(kind_before) and room:
            parameters = {
                "experiment_nos": [int(experiment_id) for experiment_id in query.experiment_ids],
                # No key is empty.
                "behind": key_before if kind.value == kind_before else "",
                "limit": room,
            }
            statement = keys_statement(kind, query.view, skips=dialect_of(connection).skips_in_indexes)
            rows = await fetch_all(connection, statement, parameters)
            found += (RunKey(kind, key) for (key,) in rows)
    page = found[: query.page_size]
    return Page(page, page[-1].position if len(found) > len(page) else None)


@cache
def keys_statement(kind: RunKeyKind, view: ViewType, *, skips: bool) -> Prepared:
    """Finds `limit` keys `behind` another one, of runs in `experiment_nos`; `skips` as Dialect says."""
    if kind is RunKeyKind.METRIC:
        keys = _keys_of_metrics(view, skips=skips).distinct().subquery()
    else:
        keys = _keys_of_entries(_ENTRIES[kind], view).distinct().subquery()
    # From outside, so that no index is walked through for its order.
    return Prepared(select(keys.c.key).order_by(keys.c.key).limit(bindparam("limit")))


def _keys_of_entries(table: Table, view: ViewType) -> Select[str]:
    of_experiments = select(runs.c.run_no).where(_is_asked_for(runs), _is_seen(view))
    # Not by a join: SQLite sorts these numbers, and reads what lies together together.
    return select(table.c.key).where(owner_of(table).in_(of_experiments), table.c.key > bindparam("behind"))


def _keys_of_metrics(view: ViewType, *, skips: bool) -> Select[str]:
    keys = _skipped() if skips else _walked()
    named = select(metric_keys.c.key).join(keys, keys.c.key_no == metric_keys.c.key_no)
    named = named.where(metric_keys.c.key > bindparam("behind"))
    if view is ViewType.ALL:
        return named
    oldest = select(func.min(runs.c.start_time_ms)).where(runs.c.experiment_no == keys.c.experiment_no, _is_seen(view))
    its_series = (_SUMMARIES.c.experiment_no == keys.c.experiment_no, _SUMMARIES.c.key_no == keys.c.key_no)
    of_key = select(_SUMMARIES.c.run_no).where(*its_series, *_indexed(skips=skips))
    any_run = of_key.where(runs.c.run_no == _SUMMARIES.c.run_no, _is_seen(view)).limit(1)
    return named.where(
        # Of an experiment without such runs each series would be looked up in vain.
        oldest.scalar_subquery().is_not(None),
        # Not EXISTS, which databases make joins of that read the series of every experiment.
        any_run.scalar_subquery().is_not(None),
    )


def _skipped() -> Subquery:
    """The numbers of each experiment's keys."""
    return (
        select(_SUMMARIES.c.experiment_no, _SUMMARIES.c.key_no).where(_is_asked_for(_SUMMARIES)).distinct().subquery()
    )


def _walked() -> CTE:
    """The same, one behind the other, and a NULL at the end."""
    smallest = select(func.min(_SUMMARIES.c.key_no)).where(*_indexed(skips=False))
    first = smallest.where(_SUMMARIES.c.experiment_no == experiments.c.experiment_no).scalar_subquery()
    begin = select(experiments.c.experiment_no, first.label("key_no")).where(_is_asked_for(experiments))
    walk = begin.cte("walk", recursive=True)
    further = (_SUMMARIES.c.experiment_no == walk.c.experiment_no, _SUMMARIES.c.key_no > walk.c.key_no)
    step = select(walk.c.experiment_no, smallest.where(*further).scalar_subquery())
    return walk.union_all(step.where(walk.c.key_no.is_not(None)))


def _indexed(*, skips: bool) -> Sequence[ColumnElement[bool]]:
    # As the index says it: only so it is used. A database that skips knows no such index, and has all series in it,
    # which have the same keys.
    return () if skips else (_SUMMARIES.c.is_primary == true(),)


def _is_asked_for(table: FromClause) -> ColumnElement[bool]:
    return table.c.experiment_no.in_(bindparam("experiment_nos", expanding=True))


def _is_seen(view: ViewType) -> ColumnElement[bool]:
    if view is ViewType.ALL:
        return true()
    # Written out: how many runs are deleted, and how many not, is what a plan depends on.
    return runs.c.lifecycle_stage.in_(bindparam("stages", view.stages(), expanding=True, literal_execute=True))

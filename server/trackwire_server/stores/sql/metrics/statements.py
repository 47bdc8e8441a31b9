"""The statements of the ingest path, built once."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Table,
    Update,
    and_,
    bindparam,
    case,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.types import TypeEngine

from trackwire_server.stores.sql.dialect import Compiled, Dialect
from trackwire_server.stores.sql.prepared import Prepared
from trackwire_server.stores.sql.tables import metric_journal, metric_summaries, metric_writers, run_heads, runs


@dataclass(frozen=True, slots=True)
class IngestStatements:
    """Compiled for one dialect; the parameters bear the names of columns, those in a WHERE with `_is` behind."""

    append_journal: Compiled
    update_summaries: Compiled
    advance_writers: Compiled
    advance_heads: Compiled

    @classmethod
    def of(cls, dialect: Dialect) -> "IngestStatements":
        """The statements in a dialect's words."""
        journal = dialect.given(_types(metric_journal, leave_out=("journal_no",)))
        writers = dialect.given(_types(metric_writers))
        return cls(
            append_journal=dialect.compiled(journal.into(insert(metric_journal))),
            update_summaries=dialect.compiled(_update_summaries(dialect)),
            advance_writers=dialect.compiled(writers.into(dialect.upsert(metric_writers, "mark"))),
            advance_heads=dialect.compiled(_advance_heads(dialect)),
        )


# What a summary sums up.
_SUMS = (
    "count",
    "nan_count",
    "last_value",
    "last_step",
    "last_time_ms",
    "first_value",
    "first_step",
    "first_time_ms",
    "min_value",
    "max_value",
)

# The head rows of runs and the marks of writers there, locked; by run number, so that groups never deadlock.
LOCK_HEADS = Prepared(
    select(
        runs.c.run_no,
        runs.c.run_id,
        runs.c.experiment_no,
        runs.c.lifecycle_stage,
        run_heads.c.arrival,
        metric_writers.c.writer_id,
        metric_writers.c.mark,
    )
    .join(run_heads, run_heads.c.run_no == runs.c.run_no)
    .outerjoin(
        metric_writers,
        and_(
            metric_writers.c.run_no == runs.c.run_no,
            metric_writers.c.writer_id.in_(bindparam("writer_ids", expanding=True)),
        ),
    )
    .where(runs.c.run_id.in_(bindparam("run_ids", expanding=True)))
    .order_by(runs.c.run_no)
    .with_for_update(of=run_heads)
)


def _types(table: Table, *, leave_out: tuple[str, ...] = ()) -> dict[str, TypeEngine[Any]]:
    return {column.name: column.type for column in table.columns if column.name not in leave_out}


def _update_summaries(dialect: Dialect) -> Update:
    """Adds new points' sums to a series' row. The result doesn't depend on the order of such updates."""
    row = metric_summaries.c
    given = dialect.given({"series_no_is": row.series_no.type} | {f"new_{name}": row[name].type for name in _SUMS})
    new = {name: given[f"new_{name}"] for name in _SUMS}
    at_end = tuple_(new["last_step"], new["last_time_ms"]) >= tuple_(row.last_step, row.last_time_ms)
    at_start = tuple_(new["first_step"], new["first_time_ms"]) < tuple_(row.first_step, row.first_time_ms)
    # Some databases assign one after the other, and see the new values from there on. Steps come last: with the new
    # time in place of the old one, each of the two comparisons says the same of the step.
    changes: dict[str, ColumnElement[Any]] = {
        name: case((at_end, new[name]), else_=row[name]) for name in ("last_value", "last_time_ms", "last_step")
    }
    changes |= {
        name: case((at_start, new[name]), else_=row[name]) for name in ("first_value", "first_time_ms", "first_step")
    }
    changes |= {
        "min_value": case(
            (or_(row.min_value.is_(None), new["min_value"] < row.min_value), new["min_value"]), else_=row.min_value
        ),
        "max_value": case(
            (or_(row.max_value.is_(None), new["max_value"] > row.max_value), new["max_value"]), else_=row.max_value
        ),
        "count": row["count"] + new["count"],
        "nan_count": row.nan_count + new["nan_count"],
    }
    return update(metric_summaries).where(row.series_no == given["series_no_is"]).ordered_values(*changes.items())


def _advance_heads(dialect: Dialect) -> Update:
    """Moves a run's arrival on, and counts what waits to be compacted."""
    head = run_heads.c
    number = head.arrival.type
    given = dialect.given(dict.fromkeys(("run_no_is", "new_arrival", "points", "now_ms"), number))
    caught_up = head.compacted_arrival == head.arrival
    changes = {
        "pending_points": head.pending_points + given["points"],
        "pending_since_ms": case((caught_up, given["now_ms"]), else_=head.pending_since_ms),
        "pending_until_ms": given["now_ms"],
        # Behind the look at it.
        "arrival": given["new_arrival"],
    }
    return update(run_heads).where(head.run_no == given["run_no_is"]).ordered_values(*changes.items())

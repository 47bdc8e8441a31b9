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
        writers = dialect.insert(metric_writers).values(_bound(metric_writers))
        return cls(
            append_journal=dialect.compiled(
                insert(metric_journal).values(_bound(metric_journal, leave_out=("journal_no",)))
            ),
            update_summaries=dialect.compiled(_update_summaries()),
            advance_writers=dialect.compiled(
                writers.on_conflict_do_update(
                    index_elements=["run_no", "writer_id"], set_={"mark": writers.excluded.mark}
                )
            ),
            advance_heads=dialect.compiled(_advance_heads()),
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


def _bound(table: Table, *, leave_out: tuple[str, ...] = ()) -> dict[str, ColumnElement[object]]:
    return {column.name: bindparam(column.name) for column in table.columns if column.name not in leave_out}


def _update_summaries() -> Update:
    """Adds new points' sums to a series' row. The result doesn't depend on the order of such updates."""
    row = metric_summaries.c
    new: dict[str, ColumnElement[Any]] = {column.name: bindparam(f"new_{column.name}") for column in row}
    at_end = tuple_(new["last_step"], new["last_time_ms"]) >= tuple_(row.last_step, row.last_time_ms)
    at_start = tuple_(new["first_step"], new["first_time_ms"]) < tuple_(row.first_step, row.first_time_ms)
    changes: dict[str, ColumnElement[Any]] = {
        name: case((at_end, new[name]), else_=row[name]) for name in ("last_value", "last_step", "last_time_ms")
    }
    changes |= {
        name: case((at_start, new[name]), else_=row[name]) for name in ("first_value", "first_step", "first_time_ms")
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
    return update(metric_summaries).where(row.series_no == bindparam("series_no_is")).values(changes)


def _advance_heads() -> Update:
    """Moves a run's arrival on, and counts what waits to be compacted."""
    head = run_heads.c
    caught_up = head.compacted_arrival == head.arrival
    changes = {
        "arrival": bindparam("new_arrival"),
        "pending_points": head.pending_points + bindparam("points"),
        "pending_since_ms": case((caught_up, bindparam("now_ms")), else_=head.pending_since_ms),
        "pending_until_ms": bindparam("now_ms"),
    }
    return update(run_heads).where(head.run_no == bindparam("run_no_is")).values(changes)

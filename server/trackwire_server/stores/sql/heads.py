"""The head row of a run: whoever writes to the run locks it first, so writes to one run are in one order everywhere."""

from dataclasses import dataclass

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import LifecycleStage, WriterStamp
from trackwire_server.core.errors import NotFound, RunDeleted, SequenceGap
from trackwire_server.stores.sql.dialect import Dialect, lock_rows
from trackwire_server.stores.sql.tables import metric_writers, run_heads, runs


@dataclass(frozen=True, slots=True)
class LockedRun:
    """A run whose head row this transaction holds."""

    run_no: int
    experiment_no: int
    run_id: str


async def lock_run(connection: AsyncConnection, run_id: str, *, deleted_too: bool = False) -> LockedRun:
    """Locks a run's head row. Raises NotFound, and RunDeleted unless `deleted_too`."""
    row = await _lock(connection, run_id)
    if row is None:
        raise NotFound("run", run_id, field="run_id")
    if row.lifecycle_stage != LifecycleStage.ACTIVE and not deleted_too:
        raise RunDeleted(run_id)
    return LockedRun(row.run_no, row.experiment_no, run_id)


async def lock_run_if_there(connection: AsyncConnection, run_id: str) -> LockedRun | None:
    """The same for any run, deleted or not; None if there is none."""
    row = await _lock(connection, run_id)
    return None if row is None else LockedRun(row.run_no, row.experiment_no, run_id)


async def _lock(connection: AsyncConnection, run_id: str) -> Row[int, int, str] | None:
    statement = (
        select(runs.c.run_no, runs.c.experiment_no, runs.c.lifecycle_stage)
        .join(run_heads, run_heads.c.run_no == runs.c.run_no)
        .where(runs.c.run_id == run_id)
        .with_for_update(of=run_heads)
    )
    rows = await lock_rows(connection, statement)
    return rows[0] if rows else None


async def advance_writer(
    connection: AsyncConnection, dialect: Dialect, run: LockedRun, stamp: WriterStamp | None
) -> bool:
    """Moves a writer's mark to a stamp; False if it is stored already. Raises SequenceGap."""
    if stamp is None:
        return True
    mine = (metric_writers.c.run_no == run.run_no) & (metric_writers.c.writer_id == stamp.writer_id)
    mark = await connection.scalar(select(metric_writers.c.mark).where(mine)) or 0
    if stamp.sequence <= mark:
        return False
    if mark < stamp.previous_sequence:
        raise SequenceGap(stamp.writer_id, mark=mark, previous_sequence=stamp.previous_sequence)
    row = {"run_no": run.run_no, "writer_id": stamp.writer_id, "mark": stamp.sequence}
    await connection.execute(dialect.upsert(metric_writers, "mark").values(row))
    return True

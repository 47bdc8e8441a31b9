"""What was deleted, in SQL. Rows that belong to a run or an experiment go with it, by ON DELETE CASCADE."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, exists, func, select

from trackwire_server.core.entities import DEFAULT_EXPERIMENT_ID, LifecycleStage
from trackwire_server.core.errors import NotFound
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.deadlocks import tried_again
from trackwire_server.stores.sql.heads import lock_run
from trackwire_server.stores.sql.run_inputs import datasets_of_run, remove_unused
from trackwire_server.stores.sql.tables import experiments, runs, uploads


def _run_is_garbage(before_ms: int) -> ColumnElement[bool]:
    return (runs.c.lifecycle_stage == LifecycleStage.DELETED) & (runs.c.deleted_time_ms <= before_ms)


def _experiment_is_garbage(before_ms: int) -> ColumnElement[bool]:
    return (experiments.c.lifecycle_stage == LifecycleStage.DELETED) & (experiments.c.deleted_time_ms <= before_ms)


@tried_again
class SqlGarbage:
    """GarbageStore over the tables experiments, runs and uploads."""

    def __init__(self, database: Database):
        self._database = database

    async def deleted_runs(self, *, before_ms: int, after: str, limit: int) -> Sequence[tuple[str, str]]:
        """See GarbageStore."""
        statement = (
            select(runs.c.run_id, runs.c.experiment_no)
            .where(_run_is_garbage(before_ms), runs.c.run_id > after)
            .order_by(runs.c.run_id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [(row.run_id, str(row.experiment_no)) for row in await connection.execute(statement)]

    async def deleted_experiments(self, *, before_ms: int) -> Sequence[str]:
        """See GarbageStore."""
        statement = select(experiments.c.experiment_no).where(_experiment_is_garbage(before_ms))
        async with self._database.read() as connection:
            numbers = await connection.scalars(statement.order_by(experiments.c.experiment_no))
            return [str(number) for number in numbers]

    async def count_runs(self, experiment_id: str) -> int:
        """See GarbageStore."""
        statement = select(func.count()).select_from(runs).where(runs.c.experiment_no == int(experiment_id))
        async with self._database.read() as connection:
            return await connection.scalar(statement) or 0

    async def unfinished_uploads(self, run_id: str) -> Sequence[str]:
        """See GarbageStore."""
        statement = (
            select(uploads.c.upload_id)
            .join(runs, runs.c.run_no == uploads.c.run_no)
            .where(runs.c.run_id == run_id, ~uploads.c.complete)
            .order_by(uploads.c.upload_id)
        )
        async with self._database.read() as connection:
            return (await connection.scalars(statement)).all()

    async def remove_run(self, run_id: str, *, before_ms: int) -> bool:
        """See GarbageStore. Under the run's head lock, so that no writer is in the middle of something."""
        async with self._database.write() as connection:
            try:
                run = await lock_run(connection, run_id, deleted_too=True)
            except NotFound:
                return False
            given = await datasets_of_run(connection, run.run_no)
            statement = delete(runs).where(runs.c.run_no == run.run_no, _run_is_garbage(before_ms))
            if (await connection.execute(statement)).rowcount == 0:
                return False
            await remove_unused(connection, given)
            return True

    async def remove_experiment(self, experiment_id: str, *, before_ms: int) -> bool:
        """See GarbageStore."""
        number = int(experiment_id)
        if experiment_id == DEFAULT_EXPERIMENT_ID:
            return False
        statement = delete(experiments).where(
            experiments.c.experiment_no == number,
            _experiment_is_garbage(before_ms),
            ~exists().where(runs.c.experiment_no == number),
        )
        async with self._database.write() as connection:
            # Whoever puts a run into it meanwhile has it locked: a statement behind that sees the run.
            locked = select(experiments.c.experiment_no).where(experiments.c.experiment_no == number).with_for_update()
            await connection.execute(locked)
            return (await connection.execute(statement)).rowcount == 1

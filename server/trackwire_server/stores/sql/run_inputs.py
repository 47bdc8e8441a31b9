"""What runs are given and what they make, in SQL."""

from collections.abc import Sequence

from sqlalchemy import delete, exists, insert, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import WriterStamp
from trackwire_server.core.paging import Page, Position
from trackwire_server.core.run_inputs import Dataset, DatasetInput, DatasetSummary, ModelOutput, RunInputs, RunOutputs
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.deadlocks import tried_again
from trackwire_server.stores.sql.dialect import Dialect
from trackwire_server.stores.sql.heads import LockedRun, advance_writer, lock_run
from trackwire_server.stores.sql.tables import datasets, run_dataset_tags, run_datasets, run_models

_IDENTITY = tuple_(datasets.c.name, datasets.c.digest)
_SUMMARY = (datasets.c.experiment_no, datasets.c.name, datasets.c.digest, run_datasets.c.context)


@tried_again
class SqlRunInputs:
    """A RunInputStore."""

    def __init__(self, database: Database):
        self._database = database

    async def log_run_inputs(self, run_id: str, inputs: RunInputs, stamp: WriterStamp | None) -> None:
        """Inserts what is not there, under the run's lock."""
        dialect = self._database.dialect
        async with self._database.write() as connection:
            run = await lock_run(connection, run_id)
            if await advance_writer(connection, dialect, run, stamp):
                await add_datasets(connection, dialect, run, inputs.datasets)
                models = [ModelOutput(model_id) for model_id in inputs.model_ids]
                await add_models(connection, dialect, run, models, is_output=False)

    async def log_run_outputs(self, run_id: str, outputs: RunOutputs, stamp: WriterStamp | None) -> None:
        """Inserts what is not there, under the run's lock."""
        dialect = self._database.dialect
        async with self._database.write() as connection:
            run = await lock_run(connection, run_id)
            if await advance_writer(connection, dialect, run, stamp):
                await add_models(connection, dialect, run, outputs.models, is_output=True)

    async def search_run_datasets(
        self, experiment_ids: Sequence[str], *, page_size: int, after: Position | None
    ) -> Page[DatasetSummary]:
        """Distinct rows, by keyset; runs have the experiment of their datasets."""
        statement = (
            select(*_SUMMARY)
            .join_from(datasets, run_datasets, run_datasets.c.dataset_no == datasets.c.dataset_no)
            .where(datasets.c.experiment_no.in_([int(experiment_id) for experiment_id in experiment_ids]))
            .distinct()
            .order_by(*_SUMMARY)
            .limit(page_size + 1)
        )
        if after is not None:
            statement = statement.where(tuple_(*_SUMMARY) > tuple_(*map(literal, after)))
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        found = [DatasetSummary(str(row[0]), row[1], row[2], row[3]) for row in rows[:page_size]]
        return Page(found, tuple(rows[page_size - 1]) if len(rows) > page_size else None)


async def datasets_of_run(connection: AsyncConnection, run_no: int) -> Sequence[int]:
    """The numbers of what a run was given."""
    statement = select(run_datasets.c.dataset_no).where(run_datasets.c.run_no == run_no)
    return (await connection.scalars(statement)).all()


async def remove_unused(connection: AsyncConnection, dataset_nos: Sequence[int]) -> None:
    """Removes those of these datasets that no run was given."""
    unused = ~exists().where(run_datasets.c.dataset_no == datasets.c.dataset_no)
    these = datasets.c.dataset_no.in_(dataset_nos)
    # Whoever gives one of them to a run meanwhile has it locked: a statement behind that sees it.
    locked = select(datasets.c.dataset_no).where(these).order_by(datasets.c.dataset_no).with_for_update()
    await connection.execute(locked)
    await connection.execute(delete(datasets).where(these, unused))


async def add_datasets(
    connection: AsyncConnection, dialect: Dialect, run: LockedRun, given: Sequence[DatasetInput]
) -> None:
    """Inserts the datasets that the run was not given yet; what its experiment doesn't have is made."""
    if not given:
        return
    numbers = await _numbered(connection, dialect, run, [each.dataset for each in given])
    there = set(await datasets_of_run(connection, run.run_no))
    new = {number: each for each in given if (number := numbers[each.dataset.identity]) not in there}
    if not new:
        return
    rows = [{"run_no": run.run_no, "dataset_no": number, "context": each.context} for number, each in new.items()]
    await connection.execute(insert(run_datasets), rows)
    made = select(run_datasets.c.input_no, run_datasets.c.dataset_no).where(run_datasets.c.run_no == run.run_no)
    tags = [
        {"input_no": row.input_no, "key": key, "value": value}
        for row in await connection.execute(made)
        if row.dataset_no in new
        for key, value in new[row.dataset_no].tags.items()
    ]
    if tags:
        await connection.execute(insert(run_dataset_tags), tags)


async def _numbered(
    connection: AsyncConnection, dialect: Dialect, run: LockedRun, given: Sequence[Dataset]
) -> dict[tuple[str, str], int]:
    """The numbers of datasets, by identity; what the run's experiment doesn't have is made."""
    rows = [
        {
            "experiment_no": run.experiment_no,
            "name": each.name,
            "digest": each.digest,
            "source_type": each.source_type,
            "source": each.source,
            "schema": each.schema,
            "profile": each.profile,
        }
        for each in sorted(given, key=lambda dataset: dataset.identity)
    ]
    statement = dialect.insert_missing(datasets)
    there = (
        select(datasets.c.dataset_no, datasets.c.name, datasets.c.digest)
        .where(datasets.c.experiment_no == run.experiment_no, _IDENTITY.in_([each.identity for each in given]))
        .order_by(datasets.c.dataset_no)
        # Until this transaction's rows refer to them, nobody removes them as unused.
        .with_for_update(read=True, key_share=True)
    )
    numbers: dict[tuple[str, str], int] = {}
    while len(numbers) < len({each.identity for each in given}):
        await connection.execute(statement, rows)
        numbers = {(row.name, row.digest): row.dataset_no for row in await connection.execute(there)}
    return numbers


async def add_models(
    connection: AsyncConnection, dialect: Dialect, run: LockedRun, models: Sequence[ModelOutput], *, is_output: bool
) -> None:
    """Inserts the models that the run doesn't have yet."""
    if not models:
        return
    rows = [
        {"run_no": run.run_no, "is_output": is_output, "model_id": each.model_id, "step": each.step} for each in models
    ]
    await connection.execute(dialect.insert_missing(run_models), rows)

"""Evaluation datasets in SQL."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import LifecycleStage
from trackwire_server.core.errors import ExperimentDeleted, NotFound
from trackwire_server.core.evaluation_dataset_entities import (
    EvaluationDataset,
    NewEvaluationDataset,
    evaluation_dataset_not_found,
    time_of_change,
)
from trackwire_server.core.paging import Page, SearchQuery
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.deadlocks import tried_again
from trackwire_server.stores.sql.dialect import insert_row
from trackwire_server.stores.sql.entries import delete_entry, upsert_entries
from trackwire_server.stores.sql.evaluation_dataset_rows import (
    EVALUATION_DATASETS,
    find_evaluation_dataset,
    read_evaluation_datasets,
)
from trackwire_server.stores.sql.requests import begun_again, made_before, raced_request
from trackwire_server.stores.sql.search import AnyRow, search_rows
from trackwire_server.stores.sql.tables import (
    evaluation_dataset_experiments,
    evaluation_dataset_tags,
    evaluation_datasets,
    experiments,
)

_LINKS = evaluation_dataset_experiments.c


@tried_again
class SqlEvaluationDatasets:
    """An EvaluationDatasetStore."""

    def __init__(self, database: Database):
        self._database = database

    @begun_again
    async def create_evaluation_dataset(self, new: NewEvaluationDataset) -> EvaluationDataset:
        """Looks for the request before it inserts anything."""
        async with self._database.write(raced_request("dataset", evaluation_datasets, new.request_id)) as connection:
            there = await made_before(connection, evaluation_datasets, new.request_id)
            [dataset] = await read_evaluation_datasets(connection, [there or await self._insert(connection, new)])
            return dataset

    async def get_evaluation_dataset(self, dataset_id: str) -> EvaluationDataset:
        """By the unique id."""
        async with self._database.read() as connection:
            return await read_evaluation_dataset(connection, dataset_id)

    async def search_evaluation_datasets(self, query: SearchQuery) -> Page[EvaluationDataset]:
        """A page of rows, then their data."""
        async with self._database.read() as connection:
            rows, position = await search_rows(connection, EVALUATION_DATASETS, query)
            return Page(await read_evaluation_datasets(connection, rows), position)

    async def change_evaluation_dataset_tags(
        self, dataset_id: str, *, changed: Mapping[str, str], deleted: Sequence[str] = ()
    ) -> None:
        """Upserts and deletes under the row's lock."""
        async with self._database.write() as connection:
            row = await find_evaluation_dataset(connection, dataset_id, lock=True)
            dialect = self._database.dialect
            await upsert_entries(connection, dialect, evaluation_dataset_tags, row.dataset_no, changed)
            for key in deleted:
                if not await delete_entry(connection, evaluation_dataset_tags, row.dataset_no, key):
                    raise NotFound("tag", key, field="key")

    async def link_evaluation_dataset(
        self, dataset_id: str, *, added: Sequence[str] = (), removed: Sequence[str] = (), now_ms: int
    ) -> EvaluationDataset:
        """Inserts and deletes under the row's lock."""
        async with self._database.write() as connection:
            row = await find_evaluation_dataset(connection, dataset_id, lock=True)
            there = await _experiments_of(connection, row.dataset_no)
            await _check_active(connection, added)
            new = {int(experiment_id) for experiment_id in added} - there
            gone = {int(experiment_id) for experiment_id in removed} & there
            await link_to_experiments(connection, row.dataset_no, new)
            if gone:
                mine = _LINKS.dataset_no == row.dataset_no
                await connection.execute(
                    delete(evaluation_dataset_experiments).where(mine, _LINKS.experiment_no.in_(gone))
                )
            if new or gone:
                time_ms = time_of_change(row.last_update_time_ms, now_ms)
                mine = evaluation_datasets.c.dataset_no == row.dataset_no
                await connection.execute(update(evaluation_datasets).where(mine).values(last_update_time_ms=time_ms))
            return await read_evaluation_dataset(connection, dataset_id)

    async def delete_evaluation_dataset(self, dataset_id: str) -> None:
        """Deletes the row, and with it all that refers to it."""
        mine = delete(evaluation_datasets).where(evaluation_datasets.c.dataset_id == dataset_id)
        async with self._database.write() as connection:
            if (await connection.execute(mine)).rowcount == 0:
                raise evaluation_dataset_not_found(dataset_id)

    async def _insert(self, connection: AsyncConnection, new: NewEvaluationDataset) -> AnyRow:
        await _check_active(connection, new.experiment_ids)
        statement = insert(evaluation_datasets).values(
            workspace=new.workspace,
            dataset_id=new.dataset_id,
            name=new.name,
            digest=new.digest,
            creation_time_ms=new.creation_time_ms,
            last_update_time_ms=new.creation_time_ms,
            created_by=new.created_by,
            last_updated_by=new.created_by,
            request_id=new.request_id or None,
        )
        row = await insert_row(connection, statement)
        dialect = self._database.dialect
        await upsert_entries(connection, dialect, evaluation_dataset_tags, row.dataset_no, new.tags)
        await link_to_experiments(connection, row.dataset_no, map(int, new.experiment_ids))
        return row


async def read_evaluation_dataset(connection: AsyncConnection, dataset_id: str) -> EvaluationDataset:
    """The dataset of this id. Raises NotFound."""
    [dataset] = await read_evaluation_datasets(connection, [await find_evaluation_dataset(connection, dataset_id)])
    return dataset


async def _experiments_of(connection: AsyncConnection, dataset_no: int) -> set[int]:
    return set(await connection.scalars(select(_LINKS.experiment_no).where(_LINKS.dataset_no == dataset_no)))


async def _check_active(connection: AsyncConnection, experiment_ids: Sequence[str]) -> None:
    """Under locks that hold off a deletion. Raises NotFound and ExperimentDeleted."""
    stages = await hold_experiments(connection, experiment_ids)
    for experiment_id in experiment_ids:
        if stages[experiment_id] != LifecycleStage.ACTIVE:
            raise ExperimentDeleted(experiment_id)


async def hold_experiments(connection: AsyncConnection, experiment_ids: Sequence[str]) -> Mapping[str, str]:
    """The stages of experiments, under locks that hold off their deletion and removal. Raises NotFound."""
    if not experiment_ids:
        return {}
    numbers = [int(experiment_id) for experiment_id in experiment_ids]
    those = select(experiments.c.experiment_no, experiments.c.lifecycle_stage)
    those = those.where(experiments.c.experiment_no.in_(numbers)).order_by(experiments.c.experiment_no)
    rows = await connection.execute(those.with_for_update(read=True))
    stages = {row.experiment_no: row.lifecycle_stage for row in rows}
    for experiment_id, number in zip(experiment_ids, numbers, strict=True):
        if number not in stages:
            raise NotFound("experiment", experiment_id, field="experiment_id")
    return {experiment_id: stages[number] for experiment_id, number in zip(experiment_ids, numbers, strict=True)}


async def link_to_experiments(connection: AsyncConnection, dataset_no: int, experiment_nos: Iterable[int]) -> None:
    """Adds a dataset to experiments to which it doesn't belong yet."""
    rows = [{"dataset_no": dataset_no, "experiment_no": number} for number in experiment_nos]
    if rows:
        await connection.execute(insert(evaluation_dataset_experiments), rows)

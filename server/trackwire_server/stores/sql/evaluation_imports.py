"""Evaluation datasets that are taken over from elsewhere, in SQL."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import DEFAULT_WORKSPACE
from trackwire_server.core.evaluation_dataset_entities import EvaluationDataset, EvaluationRecord, time_of_change
from trackwire_server.core.import_conflicts import check_same_evaluation_dataset, check_same_evaluation_record
from trackwire_server.core.imported_records import ImportedRecord
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.deadlocks import tried_again
from trackwire_server.stores.sql.dialect import insert_row
from trackwire_server.stores.sql.entries import replace_entries
from trackwire_server.stores.sql.evaluation_dataset_rows import find_evaluation_dataset, read_evaluation_datasets
from trackwire_server.stores.sql.evaluation_datasets import (
    hold_experiments,
    link_to_experiments,
    read_evaluation_dataset,
)
from trackwire_server.stores.sql.evaluation_records import columns_of, touch
from trackwire_server.stores.sql.prepared import parts
from trackwire_server.stores.sql.requests import begun_again, raced
from trackwire_server.stores.sql.tables import (
    evaluation_dataset_experiments,
    evaluation_dataset_tags,
    evaluation_datasets,
)
from trackwire_server.stores.sql.tables import evaluation_dataset_records as rows_of_records


@tried_again
class SqlEvaluationImports:
    """An EvaluationImportStore."""

    def __init__(self, database: Database):
        self._database = database

    @begun_again
    async def import_evaluation_dataset(self, dataset: EvaluationDataset) -> EvaluationDataset:
        """Inserts the row, or updates it under its lock."""
        unique = raced("evaluation dataset", dataset.dataset_id, "uq_evaluation_datasets_dataset_id")
        async with self._database.write(unique) as connection:
            await hold_experiments(connection, dataset.experiment_ids)
            dataset_no = await _put(connection, dataset)
            dialect = self._database.dialect
            await replace_entries(connection, dialect, evaluation_dataset_tags, dataset_no, dataset.tags)
            links = evaluation_dataset_experiments
            await connection.execute(delete(links).where(links.c.dataset_no == dataset_no))
            await link_to_experiments(connection, dataset_no, map(int, dataset.experiment_ids))
            return await read_evaluation_dataset(connection, dataset.dataset_id)

    @begun_again
    async def import_evaluation_records(
        self, dataset_id: str, records: Sequence[ImportedRecord], *, now_ms: int
    ) -> EvaluationDataset:
        """Deletes the rows and inserts them under the numbers that they had, under the dataset's lock."""
        unique = raced("evaluation dataset record", "with an id of these", "uq_evaluation_dataset_records_record_id")
        async with self._database.write(unique) as connection:
            dataset = await find_evaluation_dataset(connection, dataset_id, lock=True)
            if not records:
                return await read_evaluation_dataset(connection, dataset_id)
            numbers = await _numbers_here(connection, records)
            gone = await _delete(connection, dataset.dataset_no, records)
            await _insert(connection, dataset.dataset_no, records, numbers)
            time_ms = time_of_change(dataset.last_update_time_ms, now_ms)
            await touch(connection, dataset, time_ms, added=len(records) - gone)
            return await read_evaluation_dataset(connection, dataset_id)


async def _put(connection: AsyncConnection, dataset: EvaluationDataset) -> int:
    """Stores the row; its number."""
    mine = evaluation_datasets.c.dataset_id == dataset.dataset_id
    here = (await connection.execute(select(evaluation_datasets).where(mine).with_for_update())).all()
    values = _values(dataset)
    if here:
        [before] = await read_evaluation_datasets(connection, here)
        check_same_evaluation_dataset(before, dataset)
        await connection.execute(update(evaluation_datasets).where(mine).values(**values))
        return int(here[0].dataset_no)
    made = insert(evaluation_datasets).values(workspace=DEFAULT_WORKSPACE, dataset_id=dataset.dataset_id, **values)
    return int((await insert_row(connection, made)).dataset_no)


def _values(dataset: EvaluationDataset) -> dict[str, object]:
    return {
        "name": dataset.name,
        "schema": dataset.schema,
        "digest": dataset.digest,
        "creation_time_ms": dataset.creation_time_ms,
        "last_update_time_ms": dataset.last_update_time_ms,
        "created_by": dataset.created_by,
        "last_updated_by": dataset.last_updated_by,
    }


async def _numbers_here(connection: AsyncConnection, records: Sequence[ImportedRecord]) -> Mapping[str, int]:
    """The numbers of those that are here, by id. Raises AlreadyExists for those that are others."""
    columns = rows_of_records.c
    asked = select(columns.record_id, columns.record_no, columns.creation_time_ms, evaluation_datasets.c.dataset_id)
    asked = asked.join(evaluation_datasets, evaluation_datasets.c.dataset_no == columns.dataset_no)
    numbers: dict[str, int] = {}
    for part in parts(records):
        by_id = {each.record.record_id: each for each in part}
        for row in await connection.execute(asked.where(columns.record_id.in_(list(by_id)))):
            there = by_id[row.record_id]
            here = EvaluationRecord(row.record_id, row.dataset_id, "", row.creation_time_ms, row.creation_time_ms)
            check_same_evaluation_record(there.id_field, here, there.record)
            numbers[row.record_id] = row.record_no
    return numbers


async def _delete(connection: AsyncConnection, dataset_no: int, records: Sequence[ImportedRecord]) -> int:
    """Deletes what a dataset has with these ids or these inputs; how many."""
    columns, gone = rows_of_records.c, 0
    mine = delete(rows_of_records).where(columns.dataset_no == dataset_no)
    for part in parts(records):
        by_id = mine.where(columns.record_id.in_([each.record.record_id for each in part]))
        by_inputs = mine.where(columns.input_hash.in_([each.input_hash for each in part]))
        for statement in (by_id, by_inputs):
            gone += (await connection.execute(statement)).rowcount
    return gone


async def _insert(
    connection: AsyncConnection, dataset_no: int, records: Sequence[ImportedRecord], numbers: Mapping[str, int]
) -> None:
    """Stores rows under these numbers, by record, and the others behind all that there are."""
    again, new = [], []
    for each in records:
        row = {"dataset_no": dataset_no, "input_hash": each.input_hash, **columns_of(each.record)}
        number = numbers.get(each.record.record_id)
        if number is None:
            new.append(row)
        else:
            again.append({**row, "record_no": number})
    for rows in (again, new):
        for part in parts(rows, values=len(rows_of_records.c)):
            await connection.execute(insert(rows_of_records), part)

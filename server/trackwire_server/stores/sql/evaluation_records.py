"""Records of evaluation datasets in SQL. What is large is read piece by piece, a page's worth at a time."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.evaluation_dataset_entities import (
    EvaluationRecord,
    RecordSource,
    RecordSourceType,
    digest_of,
    time_of_change,
)
from trackwire_server.core.evaluation_records import PreparedRecord, Upsert, folded, merged_schema
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.paging import Page, Position, entries_that_fit
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.deadlocks import tried_again
from trackwire_server.stores.sql.evaluation_dataset_rows import find_evaluation_dataset
from trackwire_server.stores.sql.prepared import Prepared, fetch_groups, parts
from trackwire_server.stores.sql.search import AnyRow
from trackwire_server.stores.sql.tables import evaluation_dataset_records as records
from trackwire_server.stores.sql.tables import evaluation_datasets

_KNOWN = Prepared(
    select(records.c.input_hash, records.c.record_no, records.c.size_bytes).where(
        records.c.dataset_no == bindparam("dataset_no"), records.c.input_hash.in_(bindparam("hashes", expanding=True))
    )
)
# What a merge may change.
_CHANGED = ("size_bytes", "outputs", "expectations", "tags", "last_update_time_ms", "last_updated_by")
_CHANGE = (
    update(records)
    .where(records.c.record_no == bindparam("its_no"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGED})
)


@tried_again
class SqlEvaluationRecords:
    """An EvaluationRecordStore."""

    def __init__(self, database: Database):
        self._database = database

    async def upsert_evaluation_records(self, dataset_id: str, upsert: Upsert, *, now_ms: int) -> tuple[int, int]:
        """Under the dataset's lock: no other one adds the same inputs meanwhile."""
        async with self._database.write() as connection:
            dataset = await find_evaluation_dataset(connection, dataset_id, lock=True)
            time_ms = time_of_change(dataset.last_update_time_ms, now_ms)
            known = await _known(connection, dataset.dataset_no, upsert.records)
            new = [record for record in upsert.records if record.input_hash not in known]
            inserted = await _insert(connection, dataset, new, time_ms)
            await _merge(connection, dataset, known, upsert.records, time_ms)
            schema = await asyncio.to_thread(merged_schema, dataset.schema, upsert)
            user = upsert.user or dataset.last_updated_by
            await touch(connection, dataset, time_ms, added=inserted, schema=schema, last_updated_by=user)
            return inserted, len(upsert.records) - inserted

    async def list_evaluation_records(
        self, dataset_id: str, *, page_size: int, page_bytes: int, after: Position | None
    ) -> Page[EvaluationRecord]:
        """Asks for sizes first, in one snapshot."""
        async with self._database.read() as connection:
            dataset = await find_evaluation_dataset(connection, dataset_id)
            mine = records.c.dataset_no == dataset.dataset_no
            sized = select(records.c.record_no, records.c.size_bytes).where(mine)
            if after is not None:
                sized = sized.where(records.c.record_no > after[0])
            sizes = (await connection.execute(sized.order_by(records.c.record_no).limit(page_size + 1))).all()
            count = entries_that_fit((row.size_bytes for row in sizes), entries_max=page_size, bytes_max=page_bytes)
            if not count:
                return Page([])
            first, last = sizes[0].record_no, sizes[count - 1].record_no
            whole = select(records).where(mine, records.c.record_no.between(first, last))
            rows = await connection.execute(whole.order_by(records.c.record_no))
            found = [_record(dataset_id, row) for row in rows]
        return Page(found, (last,) if count < len(sizes) else None)

    async def delete_evaluation_records(self, dataset_id: str, record_ids: Sequence[str], *, now_ms: int) -> int:
        """Deletes rows under the dataset's lock."""
        async with self._database.write() as connection:
            dataset = await find_evaluation_dataset(connection, dataset_id, lock=True)
            mine = delete(records).where(records.c.dataset_no == dataset.dataset_no)
            gone = 0
            for part in parts(record_ids):
                gone += (await connection.execute(mine.where(records.c.record_id.in_(part)))).rowcount
            if gone:
                await touch(connection, dataset, time_of_change(dataset.last_update_time_ms, now_ms), added=-gone)
            return gone


async def _known(
    connection: AsyncConnection, dataset_no: int, wanted: Sequence[PreparedRecord]
) -> dict[str, tuple[int, int]]:
    """The number and the size of each record that is there, by the hash of its inputs."""
    hashes = list(dict.fromkeys(record.input_hash for record in wanted))
    [rows] = await fetch_groups(
        connection, [(_KNOWN, {"dataset_no": dataset_no, "hashes": part}) for part in parts(hashes)]
    )
    return {input_hash: (record_no, size) for input_hash, record_no, size in rows}


async def _insert(connection: AsyncConnection, dataset: AnyRow, new: Sequence[PreparedRecord], time_ms: int) -> int:
    """Stores records of which there is none yet; how many."""
    if not new:
        return 0
    made = (await asyncio.to_thread(folded, {}, new, dataset.dataset_id, time_ms)).new
    # Not all at once: to put rows together takes as long as to store them, and others wait meanwhile.
    for part in parts(made.items(), values=len(records.c)):
        rows = [{"dataset_no": dataset.dataset_no, "input_hash": key, **columns_of(record)} for key, record in part]
        await connection.execute(insert(records), rows)
    return len(made)


async def _merge(
    connection: AsyncConnection,
    dataset: AnyRow,
    known: Mapping[str, tuple[int, int]],
    wanted: Sequence[PreparedRecord],
    time_ms: int,
) -> None:
    """Merges records into those that are there."""
    for batch in _batches(known):
        numbers = [known[input_hash][0] for input_hash in batch]
        rows = await connection.execute(select(records).where(records.c.record_no.in_(numbers)))
        there = {row.input_hash: _record(dataset.dataset_id, row) for row in rows}
        more = [record for record in wanted if record.input_hash in there]
        changed = (await asyncio.to_thread(folded, there, more, dataset.dataset_id, time_ms)).changed
        changes = [
            {"its_no": known[input_hash][0], **{f"new_{name}": columns[name] for name in _CHANGED}}
            for input_hash, columns in ((key, columns_of(record)) for key, record in changed.items())
        ]
        await connection.execute(_CHANGE, changes)


def _batches(known: Mapping[str, tuple[int, int]]) -> Iterator[list[str]]:
    """Hashes of records that are read at once."""
    left = list(known)
    while left:
        sizes = (known[input_hash][1] for input_hash in left)
        count = entries_that_fit(
            sizes, entries_max=LIMITS.page_size_default, bytes_max=LIMITS.evaluation_records_page_bytes
        )
        yield left[:count]
        left = left[count:]


async def touch(connection: AsyncConnection, dataset: AnyRow, time_ms: int, *, added: int, **changes: object) -> None:
    """Notes a change of a dataset's records."""
    await connection.execute(
        update(evaluation_datasets)
        .where(evaluation_datasets.c.dataset_no == dataset.dataset_no)
        .values(
            last_update_time_ms=time_ms,
            digest=digest_of(dataset.name, time_ms),
            record_count=dataset.record_count + added,
            **changes,
        )
    )


def columns_of(record: EvaluationRecord) -> dict[str, object]:
    """A record as its row has it."""
    return {
        "record_id": record.record_id,
        "size_bytes": record.size_bytes,
        "inputs": record.inputs,
        "outputs": record.outputs,
        "expectations": record.expectations,
        "tags": record.tags,
        "source_type": None if record.source is None else record.source.type,
        "source_data": "" if record.source is None else record.source.data,
        "creation_time_ms": record.creation_time_ms,
        "last_update_time_ms": record.last_update_time_ms,
        "created_by": record.created_by,
        "last_updated_by": record.last_updated_by,
    }


def _record(dataset_id: str, row: AnyRow) -> EvaluationRecord:
    source = None if row.source_type is None else RecordSource(RecordSourceType(row.source_type), row.source_data)
    return EvaluationRecord(
        record_id=row.record_id,
        dataset_id=dataset_id,
        inputs=row.inputs,
        creation_time_ms=row.creation_time_ms,
        last_update_time_ms=row.last_update_time_ms,
        outputs=row.outputs,
        expectations=row.expectations,
        tags=row.tags,
        source=source,
        created_by=row.created_by,
        last_updated_by=row.last_updated_by,
    )

"""The contract of EvaluationRecordStore, over every store that keeps it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

import pytest
from tests.stores.conftest import Stores

from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.evaluation_dataset_entities import (
    EvaluationRecord,
    NewEvaluationDataset,
    RecordSource,
    RecordSourceType,
)
from trackwire_server.core.evaluation_records import RecordDraft, prepared
from trackwire_server.core.limits import LIMITS

NEW = NewEvaluationDataset("d-1", "questions", 1_000)
IDS = count(1)


@pytest.fixture
async def stores(stores: Stores) -> Stores:
    """With two datasets that are empty."""
    await stores.evaluation_datasets.create_evaluation_dataset(NEW)
    await stores.evaluation_datasets.create_evaluation_dataset(replace(NEW, dataset_id="d-2"))
    return stores


async def upsert(stores: Stores, *drafts: RecordDraft, now_ms: int = 2_000, by: str = "") -> tuple[int, int]:
    request = prepared(drafts, by, lambda: str(next(IDS)))
    return await stores.evaluation_records.upsert_evaluation_records("d-1", request, now_ms=now_ms)


async def pages(
    stores: Stores, *, page_size: int = 1_000, page_bytes: int = 1 << 30
) -> Sequence[Sequence[EvaluationRecord]]:
    found, after = [], None
    while True:
        page = await stores.evaluation_records.list_evaluation_records(
            "d-1", page_size=page_size, page_bytes=page_bytes, after=after
        )
        found.append(page.items)
        after = page.next_position
        if after is None:
            return found


async def listed(stores: Stores) -> Sequence[EvaluationRecord]:
    [records] = await pages(stores)
    return records


def questions(numbers: Iterator[int] | Sequence[int], text: str = "") -> list[RecordDraft]:
    return [RecordDraft({"q": f"{number}{text}"}) for number in numbers]


async def test_new_record_is_read_back_whole(stores: Stores) -> None:
    draft = RecordDraft(
        inputs={"q": "Größe?", "a": [1, 2.5, None, float("inf")]},
        outputs=["some"],
        expectations={"answer": {"is": True}},
        tags={"mlflow.user": "ada", "priority": 1},
        source_type=RecordSourceType.TRACE,
        source_data={"trace_id": "tr-1"},
    )
    assert await upsert(stores, draft, by="bob") == (1, 0)
    [record] = await listed(stores)
    assert record == EvaluationRecord(
        record_id=record.record_id,
        dataset_id="d-1",
        inputs='{"q":"Größe?","a":[1,2.5,null,Infinity]}',
        creation_time_ms=2_000,
        last_update_time_ms=2_000,
        outputs='["some"]',
        expectations='{"answer":{"is":true}}',
        tags='{"mlflow.user":"ada","priority":1}',
        source=RecordSource(RecordSourceType.TRACE, '{"trace_id":"tr-1"}'),
        created_by="ada",
        last_updated_by="ada",
    )
    assert record.record_id.startswith("dr-")


async def test_record_that_says_little_is_read_back(stores: Stores) -> None:
    assert await upsert(stores, RecordDraft({}), RecordDraft({"a": 1}, outputs=None), by="bob") == (2, 0)
    first, second = await listed(stores)
    assert (first.outputs, first.expectations, first.tags, first.source) == ("{}", "", "{}", None)
    assert (second.outputs, second.created_by) == ("null", "bob")


async def test_same_inputs_are_merged_whatever_the_order_of_their_keys(stores: Stores) -> None:
    await upsert(stores, RecordDraft({"a": 1, "b": {"c": 2, "d": 3}}, {"o": 1}, {"x": 1, "y": 1}, {"t": "1"}), by="ada")
    [before] = await listed(stores)
    later = RecordDraft({"b": {"d": 3, "c": 2}, "a": 1}, expectations={"y": 2, "z": 3}, tags={"u": "2"})
    assert await upsert(stores, later, now_ms=3_000) == (0, 1)
    [after] = await listed(stores)
    assert after == replace(
        before,
        expectations='{"x":1,"y":2,"z":3}',
        tags='{"t":"1","u":"2"}',
        last_update_time_ms=3_000,
    )
    source = {"source_type": RecordSourceType.HUMAN, "source_data": {}}
    cleared = replace(later, outputs=None, expectations={}, tags=None, **source)
    assert await upsert(stores, cleared, now_ms=4_000, by="bob") == (0, 1)
    assert await listed(stores) == [replace(after, outputs="null", last_update_time_ms=4_000, last_updated_by="bob")]


async def test_values_that_only_look_alike_are_other_inputs(stores: Stores) -> None:
    alike = (1, 1.0, "1", True, [1], {"1": 1}, None)
    assert await upsert(stores, *(RecordDraft({"q": value}) for value in alike)) == (7, 0)


async def test_one_request_may_bring_a_record_twice(stores: Stores) -> None:
    first, second = RecordDraft({"q": 1}, tags={"a": "1"}), RecordDraft({"q": 1}, tags={"b": "2"})
    assert await upsert(stores, first, second) == (1, 1)
    assert await upsert(stores, second, RecordDraft({"q": 2}), replace(first, outputs=3)) == (1, 2)
    one, two = await listed(stores)
    assert (json.loads(one.tags), one.outputs, two.inputs) == ({"a": "1", "b": "2"}, "3", '{"q":2}')


async def test_datasets_share_no_records(stores: Stores) -> None:
    request = prepared(questions([1]), "", lambda: "same-inputs")
    await upsert(stores, *questions([1]))
    assert await stores.evaluation_records.upsert_evaluation_records("d-2", request, now_ms=2_000) == (1, 0)
    assert await stores.evaluation_records.delete_evaluation_records("d-1", ["dr-same-inputs"], now_ms=2_000) == 0
    assert len(await listed(stores)) == 1


async def test_dataset_knows_its_records(stores: Stores) -> None:
    get = stores.evaluation_datasets.get_evaluation_dataset
    empty = await get("d-1")
    await upsert(stores, *questions(range(3)), RecordDraft({"n": 1}, {"o": 1.5}, {"ok": True}), by="ada")
    full = await get("d-1")
    assert (full.record_count, full.last_update_time_ms, full.last_updated_by, full.created_by) == (4, 2_000, "ada", "")
    assert json.loads(full.schema) == {
        "inputs": {"q": "string", "n": "integer"},
        "outputs": {"o": "float"},
        "expectations": {"ok": "boolean"},
        "version": "1.0",
    }
    # Later values change no type, and who says nothing changes no name.
    await upsert(stores, RecordDraft({"q": 1, "l": []}, "text"), now_ms=3_000)
    more = await get("d-1")
    assert json.loads(more.schema)["inputs"] == {"q": "string", "n": "integer", "l": "array"}
    assert json.loads(more.schema)["outputs"] == {"o": "float"}
    assert (more.record_count, more.last_updated_by) == (5, "ada")
    assert len({empty.digest, full.digest, more.digest}) == 3


async def test_every_change_has_a_time_and_a_digest_of_its_own(stores: Stores) -> None:
    digests = set()
    for now_ms in (2_000, 2_000, 1_500, 1_500):
        await upsert(stores, *questions([now_ms]), now_ms=now_ms)
        digests.add((await stores.evaluation_datasets.get_evaluation_dataset("d-1")).digest)
    assert len(digests) == 4
    assert (await stores.evaluation_datasets.get_evaluation_dataset("d-1")).last_update_time_ms == 2_003


async def test_deleted_records_are_gone(stores: Stores) -> None:
    await upsert(stores, *questions(range(4)))
    ids = [record.record_id for record in await listed(stores)]
    before = await stores.evaluation_datasets.get_evaluation_dataset("d-1")
    delete = stores.evaluation_records.delete_evaluation_records
    assert await delete("d-1", [ids[1], "dr-none", ids[3]], now_ms=3_000) == 2
    assert [record.record_id for record in await listed(stores)] == [ids[0], ids[2]]
    after = await stores.evaluation_datasets.get_evaluation_dataset("d-1")
    assert (after.record_count, after.last_update_time_ms, after.schema) == (2, 3_000, before.schema)
    assert after.digest != before.digest
    assert await delete("d-1", [ids[1]], now_ms=4_000) == 0
    assert await stores.evaluation_datasets.get_evaluation_dataset("d-1") == after
    assert await upsert(stores, *questions([1, 2])) == (1, 1)


async def test_pages_follow_each_other_in_the_order_of_adding(stores: Stores) -> None:
    await upsert(stores, *questions(range(7)))
    await upsert(stores, *questions([3, 1]), now_ms=3_000)
    found = await pages(stores, page_size=3)
    assert [[json.loads(record.inputs)["q"] for record in page] for page in found] == [
        ["0", "1", "2"],
        ["3", "4", "5"],
        ["6"],
    ]


async def test_page_ends_where_it_is_large(stores: Stores) -> None:
    await upsert(stores, *questions(range(5), "ä" * 40))
    # Of each, the inputs have 89 bytes; the outputs and tags two each.
    assert [len(page) for page in await pages(stores, page_bytes=93)] == [1, 1, 1, 1, 1]
    assert [len(page) for page in await pages(stores, page_bytes=94)] == [2, 2, 1]
    assert [len(page) for page in await pages(stores, page_bytes=5 * 93)] == [5]


async def test_page_goes_on_behind_records_that_are_deleted_meanwhile(stores: Stores) -> None:
    await upsert(stores, *questions(range(4)))
    ids = [record.record_id for record in await listed(stores)]
    list_records = stores.evaluation_records.list_evaluation_records
    first = await list_records("d-1", page_size=2, page_bytes=1 << 30, after=None)
    await stores.evaluation_records.delete_evaluation_records("d-1", ids[1:3], now_ms=3_000)
    rest = await list_records("d-1", page_size=2, page_bytes=1 << 30, after=first.next_position)
    assert ([record.record_id for record in rest.items], rest.next_position) == ([ids[3]], None)


async def test_refused_upsert_changes_nothing(stores: Stores) -> None:
    half = "x" * (LIMITS.evaluation_record_bytes // 2)
    await upsert(stores, RecordDraft({"q": 1}, expectations={"a": half}))
    before = (await stores.evaluation_datasets.get_evaluation_dataset("d-1"), await listed(stores))
    too_large = RecordDraft({"q": 1}, expectations={"b": half})
    with pytest.raises(InvalidArgument, match="a record may have 4,194,304") as raised:
        await upsert(stores, *questions([5]), too_large, now_ms=3_000)
    assert raised.value.field == "records[1]"
    many = [RecordDraft({f"{half[:100_000]}{at}": 1}) for at in range(11)]
    with pytest.raises(InvalidArgument, match="it may have 1,048,575") as raised:
        await upsert(stores, *many, now_ms=3_000)
    assert raised.value.field == "records"
    assert (await stores.evaluation_datasets.get_evaluation_dataset("d-1"), await listed(stores)) == before


async def test_many_records_are_added_and_merged(stores: Stores) -> None:
    assert await upsert(stores, *questions(range(2_500))) == (2_500, 0)
    again = [replace(draft, outputs=at) for at, draft in enumerate(questions(range(2_600)))]
    assert await upsert(stores, *again) == (100, 2_500)
    found = [record for page in await pages(stores) for record in page]
    assert [int(record.outputs) for record in found] == list(range(2_600))

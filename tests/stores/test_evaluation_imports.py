"""What every EvaluationImportStore does."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.conftest import NOW_MS
from tests.stores.conftest import Stores

from trackwire_server.core.entities import LifecycleStage, NewExperiment
from trackwire_server.core.errors import AlreadyExists, NotFound
from trackwire_server.core.evaluation_dataset_entities import (
    EvaluationDataset,
    EvaluationRecord,
    RecordSource,
    RecordSourceType,
    digest_of,
)
from trackwire_server.core.imported_records import checked_records

OLD_MS = 1_600_000_000_000
DATASET = EvaluationDataset(
    dataset_id="d-1",
    name="questions",
    creation_time_ms=OLD_MS,
    last_update_time_ms=OLD_MS + 5,
    digest="0123abcd",
    schema='{"inputs":{"q":"string"},"outputs":"string","expectations":{},"version":"1.0"}',
    created_by="ann",
    last_updated_by="bob",
    tags={"team": "red"},
)


def record(number: int, **fields: object) -> EvaluationRecord:
    made = EvaluationRecord(
        record_id=f"dr-{number}",
        dataset_id="d-1",
        inputs=f'{{"q":{number}}}',
        creation_time_ms=OLD_MS + number,
        last_update_time_ms=OLD_MS + number + 1,
        outputs='["a",NaN]',
        expectations='{"answer":42}',
        tags='{"mlflow.user":"ann"}',
        source=RecordSource(RecordSourceType.TRACE, '{"trace_id":"tr-1"}'),
        created_by="ann",
        last_updated_by="bob",
    )
    return replace(made, **fields)  # type: ignore[arg-type]  # fields of a record


async def put(stores: Stores, *records: EvaluationRecord, dataset_id: str = "d-1") -> EvaluationDataset:
    checked = checked_records(dataset_id, records)
    return await stores.evaluation_imports.import_evaluation_records(dataset_id, checked, now_ms=NOW_MS)


async def listed(stores: Stores, dataset_id: str = "d-1") -> Sequence[EvaluationRecord]:
    page = await stores.evaluation_records.list_evaluation_records(
        dataset_id, page_size=100, page_bytes=10_000_000, after=None
    )
    return list(page.items)


async def test_dataset_is_taken_over_whole_and_may_be_again(stores: Stores) -> None:
    deleted = (await stores.experiments.create_experiment(NewExperiment("gone", NOW_MS))).experiment_id
    await stores.experiments.set_experiment_stage(deleted, LifecycleStage.DELETED, now_ms=NOW_MS)
    sent = replace(DATASET, experiment_ids=(deleted, "0"), record_count=9)
    taken = await stores.evaluation_imports.import_evaluation_dataset(sent)
    assert taken == replace(sent, experiment_ids=("0", deleted), record_count=0)
    assert await stores.evaluation_datasets.get_evaluation_dataset("d-1") == taken
    changed = replace(DATASET, name="other", tags={"x": "y"}, experiment_ids=(deleted,), digest="00000000", schema="")
    assert await stores.evaluation_imports.import_evaluation_dataset(changed) == changed
    assert await stores.evaluation_datasets.get_evaluation_dataset("d-1") == changed


async def test_dataset_of_another_time_is_not_replaced(stores: Stores) -> None:
    await stores.evaluation_imports.import_evaluation_dataset(DATASET)
    with pytest.raises(AlreadyExists, match=r"evaluation dataset 'd-1'.*'questions', made at 2020.*'other', made at"):
        await stores.evaluation_imports.import_evaluation_dataset(replace(DATASET, name="other", creation_time_ms=1))
    with pytest.raises(NotFound, match="experiment '77'"):
        await stores.evaluation_imports.import_evaluation_dataset(replace(DATASET, experiment_ids=("0", "77")))
    assert await stores.evaluation_datasets.get_evaluation_dataset("d-1") == DATASET


async def test_records_are_taken_over_whole_in_their_order_and_may_be_again(stores: Stores) -> None:
    with pytest.raises(NotFound, match="evaluation dataset 'd-1'"):
        await put(stores, record(1))
    await stores.evaluation_imports.import_evaluation_dataset(DATASET)
    bare = record(2, outputs="null", expectations="", tags="{}", source=None, created_by="", last_updated_by="")
    sent = [record(3), bare, record(1)]
    changed = await put(stores, *sent)
    assert (changed.record_count, changed.last_update_time_ms) == (3, NOW_MS)
    assert changed.digest == digest_of("questions", NOW_MS)
    assert await listed(stores) == sent
    # What has changed keeps its place, what is new comes last.
    sent[1] = record(2, outputs='"b"')
    assert (await put(stores, record(4), sent[1])).record_count == 4
    assert await listed(stores) == [*sent, record(4)]
    taken = await stores.evaluation_imports.import_evaluation_dataset(DATASET)
    assert taken == replace(DATASET, record_count=4)
    assert await put(stores) == taken


async def test_record_of_the_same_inputs_makes_room(stores: Stores) -> None:
    await stores.evaluation_imports.import_evaluation_dataset(DATASET)
    await put(stores, record(1), record(2), record(3))
    again = record(4, inputs=record(1).inputs)
    # Also where two have each other's.
    swapped = record(2, inputs=record(3).inputs), record(3, inputs=record(2).inputs)
    assert (await put(stores, again, *swapped)).record_count == 3
    assert await listed(stores) == [*swapped, again]


async def test_record_of_another_dataset_or_time_is_not_replaced(stores: Stores) -> None:
    await stores.evaluation_imports.import_evaluation_dataset(DATASET)
    await stores.evaluation_imports.import_evaluation_dataset(replace(DATASET, dataset_id="d-2"))
    await put(stores, record(1))
    with pytest.raises(AlreadyExists, match=r"record 'dr-1'.*dataset 'd-1'.*dataset 'd-2'") as raised:
        await put(stores, record(2), record(1), dataset_id="d-2")
    assert raised.value.metadata["field"] == "records[1].record_id"
    with pytest.raises(AlreadyExists, match=r"record 'dr-1'.*\.001 UTC.*\.000 UTC"):
        await put(stores, record(1, creation_time_ms=OLD_MS))
    assert await listed(stores) == [record(1)]
    assert await listed(stores, "d-2") == []


async def test_thousands_of_records_are_taken_over(stores: Stores) -> None:
    await stores.evaluation_imports.import_evaluation_dataset(DATASET)
    sent = [record(number) for number in range(5_000)]
    assert (await put(stores, *sent)).record_count == 5_000
    assert (await put(stores, *sent)).record_count == 5_000

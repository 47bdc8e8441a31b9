"""The rules of evaluation datasets: what is refused, and by which field."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.conftest import NOW_MS, CountedIds, FakeClock

from trackwire_server.core.errors import InvalidArgument, NotFound
from trackwire_server.core.evaluation_dataset_entities import RecordSourceType
from trackwire_server.core.evaluation_datasets import EvaluationDatasetDraft, EvaluationDatasets
from trackwire_server.core.evaluation_records import RecordDraft
from trackwire_server.core.evaluation_schema import Schema
from trackwire_server.core.searching import SearchRequest
from trackwire_server.stores.memory.evaluation_datasets import MemoryEvaluationDatasets
from trackwire_server.stores.memory.evaluation_records import MemoryEvaluationRecords
from trackwire_server.stores.memory.state import MemoryState

DRAFT = EvaluationDatasetDraft("questions")
RECORD = RecordDraft({"q": 1})


@pytest.fixture
def datasets(memory_state: MemoryState, clock: FakeClock, new_id: CountedIds) -> EvaluationDatasets:
    stores = MemoryEvaluationDatasets(memory_state), MemoryEvaluationRecords(memory_state)
    return EvaluationDatasets(*stores, clock, new_id)


@pytest.fixture
async def dataset_id(datasets: EvaluationDatasets) -> str:
    return (await datasets.create(DRAFT)).dataset_id


def refused(raised: pytest.ExceptionInfo[InvalidArgument]) -> tuple[str, str]:
    return raised.value.field, raised.value.reason


async def test_creator_is_who_is_named_or_the_tag(datasets: EvaluationDatasets) -> None:
    tagged = replace(DRAFT, tags={"mlflow.user": "ada"})
    made = await datasets.create(tagged)
    assert (made.created_by, made.dataset_id, made.creation_time_ms) == ("ada", f"d-{1:032x}", NOW_MS)
    assert (await datasets.create(replace(tagged, created_by="bob"))).created_by == "bob"


async def test_experiments_count_once(datasets: EvaluationDatasets) -> None:
    made = await datasets.create(replace(DRAFT, experiment_ids=["0", "0"]))
    assert made.experiment_ids == ("0",)


@pytest.mark.parametrize(
    ("draft", "field", "reason"),
    [
        (EvaluationDatasetDraft(""), "name", "REQUIRED"),
        (EvaluationDatasetDraft("n" * 501), "name", "TOO_LONG"),
        (EvaluationDatasetDraft("a\0"), "name", "INVALID_ARGUMENT"),
        (replace(DRAFT, request_id="r" * 65), "request_id", "TOO_LONG"),
        (replace(DRAFT, created_by="u" * 257), "created_by", "TOO_LONG"),
        (replace(DRAFT, tags={"mlflow.user": "u" * 257}), "tags[mlflow.user]", "TOO_LONG"),
        (replace(DRAFT, tags={"": "v"}), "tags", "REQUIRED"),
        (replace(DRAFT, tags={"k" * 256: "v"}), "tags", "TOO_LONG"),
        (replace(DRAFT, tags={"k": "v" * 65_537}), "tags[k]", "TOO_LONG"),
        (replace(DRAFT, tags={f"k{at}": "" for at in range(1_001)}), "tags", "INVALID_ARGUMENT"),
        (replace(DRAFT, experiment_ids=["0", "x"]), "experiment_ids[1]", "INVALID_ARGUMENT"),
        (replace(DRAFT, experiment_ids=["0"] * 1_001), "experiment_ids", "INVALID_ARGUMENT"),
    ],
)
async def test_bad_draft_is_refused_by_field(
    datasets: EvaluationDatasets, memory_state: MemoryState, draft: EvaluationDatasetDraft, field: str, reason: str
) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await datasets.create(draft)
    assert refused(raised) == (field, reason)
    assert memory_state.evaluation_datasets == {}


@pytest.mark.parametrize(
    ("dataset_id", "reason"), [("", "REQUIRED"), ("d/1", "INVALID_ARGUMENT"), ("d" * 65, "TOO_LONG")]
)
async def test_bad_id_is_refused_by_everything(datasets: EvaluationDatasets, dataset_id: str, reason: str) -> None:
    for call in (
        datasets.get(dataset_id),
        datasets.delete(dataset_id),
        datasets.set_tags(dataset_id, {"a": "b"}),
        datasets.delete_tag(dataset_id, "a"),
        datasets.add_to_experiments(dataset_id, ["0"]),
        datasets.remove_from_experiments(dataset_id, ["0"]),
        datasets.upsert_records(dataset_id, [RECORD]),
        datasets.list_records(dataset_id),
        datasets.delete_records(dataset_id, ["dr-1"]),
    ):
        with pytest.raises(InvalidArgument) as raised:
            await call
        assert refused(raised) == ("dataset_id", reason)


async def test_bad_change_is_refused_by_field(datasets: EvaluationDatasets, dataset_id: str) -> None:
    for call, field in (
        (datasets.set_tags(dataset_id, {}), "tags"),
        (datasets.delete_tag(dataset_id, ""), "key"),
        (datasets.delete_tag(dataset_id, "k" * 256), "key"),
        (datasets.add_to_experiments(dataset_id, []), "experiment_ids"),
        (datasets.remove_from_experiments(dataset_id, ["-1"]), "experiment_ids[0]"),
        (datasets.upsert_records(dataset_id, [RECORD], updated_by="u" * 257), "updated_by"),
        (datasets.upsert_records(dataset_id, [RECORD] * 100_001), "records"),
        (datasets.delete_records(dataset_id, []), "record_ids"),
        (datasets.delete_records(dataset_id, ["dr-1", "dr 2"]), "record_ids[1]"),
        (datasets.delete_records(dataset_id, ["dr-1"] * 100_001), "record_ids"),
        (datasets.list_records(dataset_id, page_size=10_001), "page_size"),
        (datasets.list_records(dataset_id, page_token="?"), "page_token"),
    ):
        with pytest.raises(InvalidArgument) as raised:
            await call
        assert raised.value.field == field


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (RecordDraft(None), "records[1].inputs"),
        (RecordDraft([{"q": 1}]), "records[1].inputs"),
        (replace(RECORD, expectations="some"), "records[1].expectations"),
        (replace(RECORD, tags=[]), "records[1].tags"),
        (replace(RECORD, tags={"mlflow.user": "u" * 257}), "records[1].tags[mlflow.user]"),
        (replace(RECORD, inputs={"q": "x" * 5_000_000}), "records[1]"),
    ],
)
async def test_bad_record_is_refused_by_its_place(
    datasets: EvaluationDatasets, dataset_id: str, record: RecordDraft, field: str
) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await datasets.upsert_records(dataset_id, [RECORD, record])
    assert raised.value.field == field
    assert await datasets.list_records(dataset_id) == ([], "")


async def test_record_that_is_nested_without_end_is_refused(datasets: EvaluationDatasets, dataset_id: str) -> None:
    def nested(levels: int) -> object:
        value: object = {}
        for _ in range(levels - 1):
            value = [value, 1]
        return value

    deepest = replace(RECORD, outputs=nested(200), expectations={"a": nested(199)}, tags={"a": nested(199)})
    assert await datasets.upsert_records(dataset_id, [deepest]) == (1, 0)
    assert await datasets.upsert_records(dataset_id, [deepest]) == (0, 1)
    for fields, field in (
        ({"outputs": nested(201)}, "records[0].outputs"),
        ({"outputs": nested(100_000)}, "records[0].outputs"),
        ({"inputs": {"q": nested(200)}}, "records[0].inputs"),
        ({"expectations": {"a": nested(200)}}, "records[0].expectations"),
        ({"tags": {"a": nested(200)}}, "records[0].tags"),
        ({"source_type": RecordSourceType.CODE, "source_data": {"a": nested(200)}}, "records[0].source.data"),
    ):
        with pytest.raises(InvalidArgument, match="nested too deeply: at most 200 levels are allowed") as raised:
            await datasets.upsert_records(dataset_id, [replace(RECORD, **fields)])
        assert raised.value.field == field


async def test_no_records_change_nothing(datasets: EvaluationDatasets, dataset_id: str) -> None:
    before = await datasets.get(dataset_id)
    assert await datasets.upsert_records(dataset_id, []) == (0, 0)
    assert await datasets.get(dataset_id) == before
    with pytest.raises(NotFound):
        await datasets.upsert_records("d-none", [])


async def test_half_a_surrogate_pair_is_kept(datasets: EvaluationDatasets, dataset_id: str) -> None:
    await datasets.upsert_records(dataset_id, [RecordDraft({"q": "\ud800"})])
    [record], _ = await datasets.list_records(dataset_id)
    assert record.inputs == '{"q":"\\ud800"}'


async def test_token_of_a_page_belongs_to_its_dataset(datasets: EvaluationDatasets, dataset_id: str) -> None:
    await datasets.upsert_records(dataset_id, [RECORD, RecordDraft({"q": 2})])
    _, token = await datasets.list_records(dataset_id, page_size=1)
    other = (await datasets.create(DRAFT)).dataset_id
    with pytest.raises(InvalidArgument, match="another query"):
        await datasets.list_records(other, page_size=1, page_token=token)
    [record], end = await datasets.list_records(dataset_id, page_size=5, page_token=token)
    assert (record.inputs, end) == ('{"q":2}', "")


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (SearchRequest("metrics.a > 1"), "filter"),
        (SearchRequest("name = 1"), "filter"),
        (SearchRequest(order_by=["schema"]), "order_by[0]"),
        (SearchRequest(page_size=50_001), "page_size"),
        (SearchRequest(page_token="?"), "page_token"),
        (SearchRequest(experiment_ids=("x",)), "experiment_ids[0]"),
        (SearchRequest(experiment_ids=("0",) * 1_001), "experiment_ids"),
    ],
)
async def test_bad_search_is_refused_by_field(
    datasets: EvaluationDatasets, request_: SearchRequest, field: str
) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await datasets.search(request_)
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([{"a": 1}, {"b": "x", "a": "y"}], {"a": "integer", "b": "string"}),
        ([None, {}, 1.5, {"a": 1}], "float"),
        ([{"a": None}, "text"], {"a": "null"}),
        (["text", [1]], "string"),
        ([True], "boolean"),
    ],
)
def test_outputs_have_fields_or_one_type(outputs: Sequence[object], expected: object) -> None:
    added, joined = Schema(), Schema()
    for each in outputs:
        added.add({}, each, None)
        one = Schema()
        one.add({}, each, None)
        joined.join(one)
    assert added.outputs == joined.outputs == expected
    assert Schema.read(added.written()) == added

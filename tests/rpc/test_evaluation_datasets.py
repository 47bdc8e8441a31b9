"""Every rpc of EvaluationDatasetService over a real socket, on each store."""

import asyncio
import json
from typing import TYPE_CHECKING

import grpc
import pytest
from google.protobuf.message import Message
from tests.conftest import Stubs
from tests.rpc.refusals import refusal

from trackwire.v1 import admin_pb2, experiments_pb2
from trackwire.v1 import evaluation_datasets_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Awaitable

CODE = grpc.StatusCode


async def create(stubs: Stubs, name: str = "questions", **fields: object) -> pb.EvaluationDataset:
    request = pb.CreateEvaluationDatasetRequest(name=name, **fields)
    return (await stubs.evaluation_datasets.CreateEvaluationDataset(request)).dataset


async def get(stubs: Stubs, dataset_id: str) -> pb.EvaluationDataset:
    request = pb.GetEvaluationDatasetRequest(dataset_id=dataset_id)
    return (await stubs.evaluation_datasets.GetEvaluationDataset(request)).dataset


async def found(stubs: Stubs, text: str = "", **fields: object) -> list[str]:
    request = pb.SearchEvaluationDatasetsRequest(filter=text, **fields)
    return [dataset.name for dataset in (await stubs.evaluation_datasets.SearchEvaluationDatasets(request)).datasets]


async def upsert(stubs: Stubs, dataset_id: str, *records: pb.NewEvaluationDatasetRecord) -> tuple[int, int]:
    request = pb.UpsertEvaluationDatasetRecordsRequest(dataset_id=dataset_id, records=records)
    answer = await stubs.evaluation_datasets.UpsertEvaluationDatasetRecords(request)
    return answer.inserted_count, answer.updated_count


async def listed(stubs: Stubs, dataset_id: str, **fields: object) -> pb.ListEvaluationDatasetRecordsResponse:
    request = pb.ListEvaluationDatasetRecordsRequest(dataset_id=dataset_id, **fields)
    return await stubs.evaluation_datasets.ListEvaluationDatasetRecords(request)


async def test_created_dataset_comes_back(stubs: Stubs) -> None:
    made = await create(stubs, experiment_ids=["0"], tags={"team": "red"}, created_by="ada")
    assert made == pb.EvaluationDataset(
        dataset_id=made.dataset_id,
        name="questions",
        tags={"team": "red"},
        digest=made.digest,
        creation_time_ms=made.creation_time_ms,
        last_update_time_ms=made.creation_time_ms,
        created_by="ada",
        last_updated_by="ada",
        experiment_ids=["0"],
    )
    assert (made.dataset_id[:2], len(made.dataset_id), len(made.digest)) == ("d-", 34, 8)
    assert await get(stubs, made.dataset_id) == made


async def test_retry_answers_with_the_dataset_that_is_there(stubs: Stubs) -> None:
    assert await create(stubs, request_id="q") == await create(stubs, "other", request_id="q")


async def test_records_come_back_as_they_were_said(stubs: Stubs) -> None:
    dataset_id = (await create(stubs)).dataset_id
    said = pb.NewEvaluationDatasetRecord(
        inputs='{"q": NaN}',
        outputs='["b", 1]',
        expectations='{"a": "c"}',
        tags='{"mlflow.user": "ada"}',
        source=pb.EvaluationRecordSource(type=pb.EVALUATION_RECORD_SOURCE_TYPE_DOCUMENT, data='{"page": 3}'),
    )
    bare = pb.NewEvaluationDatasetRecord(inputs="{}", source=pb.EvaluationRecordSource())
    assert await upsert(stubs, dataset_id, said, bare) == (2, 0)
    first, second = (await listed(stubs, dataset_id)).records
    assert first == pb.EvaluationDatasetRecord(
        record_id=first.record_id,
        dataset_id=dataset_id,
        inputs='{"q":NaN}',
        outputs='["b",1]',
        expectations='{"a":"c"}',
        tags='{"mlflow.user":"ada"}',
        source=pb.EvaluationRecordSource(type=pb.EVALUATION_RECORD_SOURCE_TYPE_DOCUMENT, data='{"page":3}'),
        creation_time_ms=first.creation_time_ms,
        last_update_time_ms=first.creation_time_ms,
        created_by="ada",
        last_updated_by="ada",
    )
    assert (first.record_id[:3], len(first.record_id)) == ("dr-", 35)
    assert (second.outputs, second.expectations, second.tags, second.source.data) == ("{}", "", "{}", "{}")
    dataset = await get(stubs, dataset_id)
    assert (dataset.record_count, dataset.last_updated_by) == (2, "ada")
    assert json.loads(dataset.schema)["inputs"] == {"q": "float"}


async def test_same_inputs_are_one_record(stubs: Stubs) -> None:
    dataset_id = (await create(stubs)).dataset_id
    first = pb.NewEvaluationDatasetRecord(inputs='{"a":1,"b":2}', outputs="1", expectations='{"x":1}')
    again = pb.NewEvaluationDatasetRecord(inputs='{"b":2,"a":1}', expectations='{"y":2}')
    assert await upsert(stubs, dataset_id, first) == (1, 0)
    assert await upsert(stubs, dataset_id, again, pb.NewEvaluationDatasetRecord(inputs='{"a":1}')) == (1, 1)
    merged, _ = (await listed(stubs, dataset_id)).records
    assert (merged.outputs, merged.expectations) == ("1", '{"x":1,"y":2}')
    assert await upsert(stubs, dataset_id, pb.NewEvaluationDatasetRecord(inputs=merged.inputs, outputs="null")) == (
        0,
        1,
    )
    assert (await listed(stubs, dataset_id)).records[0].outputs == "null"


async def test_many_at_once_add_a_record_only_once(stubs: Stubs) -> None:
    dataset_id = (await create(stubs)).dataset_id
    said = [pb.NewEvaluationDatasetRecord(inputs='{"q":1}', tags=f'{{"t{at}":1}}') for at in range(20)]
    counts = await asyncio.gather(*(upsert(stubs, dataset_id, record) for record in said))
    assert (sum(new for new, _ in counts), sum(merged for _, merged in counts)) == (1, 19)
    [record] = (await listed(stubs, dataset_id)).records
    assert len(json.loads(record.tags)) == 20
    assert (await get(stubs, dataset_id)).record_count == 1


async def test_records_are_listed_in_pages_and_deleted(stubs: Stubs) -> None:
    dataset_id = (await create(stubs)).dataset_id
    await upsert(stubs, dataset_id, *(pb.NewEvaluationDatasetRecord(inputs=f'{{"q":{at}}}') for at in range(5)))
    seen, token = [], ""
    while True:
        page = await listed(stubs, dataset_id, page_size=2, page_token=token)
        seen += page.records
        token = page.next_page_token
        if not token:
            break
    assert [record.inputs for record in seen] == [f'{{"q":{at}}}' for at in range(5)]
    delete = stubs.evaluation_datasets.DeleteEvaluationDatasetRecords
    request = pb.DeleteEvaluationDatasetRecordsRequest(
        dataset_id=dataset_id, record_ids=[seen[0].record_id, seen[0].record_id, seen[3].record_id, "dr-0"]
    )
    assert (await delete(request)).deleted_count == 2
    assert (await delete(request)).deleted_count == 0
    assert (await get(stubs, dataset_id)).record_count == 3


async def test_many_large_records_come_in_pages_that_fit_a_message(stubs: Stubs) -> None:
    dataset_id = (await create(stubs)).dataset_id
    large = json.dumps("x" * 4_000_000)
    for at in range(12):
        await upsert(stubs, dataset_id, pb.NewEvaluationDatasetRecord(inputs=f'{{"q":{at}}}', outputs=large))
    first = await listed(stubs, dataset_id)
    second = await listed(stubs, dataset_id, page_token=first.next_page_token)
    assert (len(first.records), len(second.records)) == (5, 5)
    third = await listed(stubs, dataset_id, page_token=second.next_page_token)
    assert ([record.inputs for record in third.records], third.next_page_token) == (['{"q":10}', '{"q":11}'], "")


async def test_experiments_come_and_go(stubs: Stubs) -> None:
    for name in ("one", "two"):
        await stubs.experiments.CreateExperiment(experiments_pb2.CreateExperimentRequest(name=name))
    dataset_id = (await create(stubs, experiment_ids=["0"])).dataset_id
    add = pb.AddEvaluationDatasetToExperimentsRequest(dataset_id=dataset_id, experiment_ids=["2", "1"])
    changed = (await stubs.evaluation_datasets.AddEvaluationDatasetToExperiments(add)).dataset
    assert changed.experiment_ids == ["0", "1", "2"]
    remove = pb.RemoveEvaluationDatasetFromExperimentsRequest(dataset_id=dataset_id, experiment_ids=["0", "9"])
    changed = (await stubs.evaluation_datasets.RemoveEvaluationDatasetFromExperiments(remove)).dataset
    assert changed.experiment_ids == ["1", "2"]
    await create(stubs, "elsewhere")
    assert await found(stubs, experiment_ids=["1"]) == ["questions"]
    await stubs.experiments.DeleteExperiment(experiments_pb2.DeleteExperimentRequest(experiment_id="1"))
    refused = await refusal(stubs.evaluation_datasets.AddEvaluationDatasetToExperiments(add))
    assert (refused.code, refused.reason) == (CODE.FAILED_PRECONDITION, "EXPERIMENT_DELETED")
    await stubs.admin.CollectGarbage(admin_pb2.CollectGarbageRequest(experiment_ids=["1"]))
    assert (await get(stubs, dataset_id)).experiment_ids == ["2"]


async def test_searches_filter_order_and_page(stubs: Stubs) -> None:
    for name, team in (("b", "red"), ("a", "blue"), ("c", "red")):
        await create(stubs, name, tags={"team": team})
    assert await found(stubs, "tags.team = 'red'", order_by=["name DESC"]) == ["c", "b"]
    request = pb.SearchEvaluationDatasetsRequest(order_by=["name"], page_size=2)
    first = await stubs.evaluation_datasets.SearchEvaluationDatasets(request)
    request.page_token = first.next_page_token
    second = await stubs.evaluation_datasets.SearchEvaluationDatasets(request)
    assert [dataset.name for dataset in [*first.datasets, *second.datasets]] == ["a", "b", "c"]
    assert second.next_page_token == ""


async def test_tags_change(stubs: Stubs) -> None:
    dataset_id = (await create(stubs, tags={"a": "1"})).dataset_id
    datasets = stubs.evaluation_datasets
    tags = {"a": "2", "any key: ü/": "3"}
    await datasets.SetEvaluationDatasetTags(pb.SetEvaluationDatasetTagsRequest(dataset_id=dataset_id, tags=tags))
    assert (await get(stubs, dataset_id)).tags == tags
    request = pb.DeleteEvaluationDatasetTagRequest(dataset_id=dataset_id, key="a")
    await datasets.DeleteEvaluationDatasetTag(request)
    refused = await refusal(datasets.DeleteEvaluationDatasetTag(request))
    assert (refused.code, refused.reason) == (CODE.NOT_FOUND, "TAG_NOT_FOUND")


async def test_deleted_dataset_is_not_found(stubs: Stubs) -> None:
    dataset_id = (await create(stubs)).dataset_id
    datasets = stubs.evaluation_datasets
    await datasets.DeleteEvaluationDataset(pb.DeleteEvaluationDatasetRequest(dataset_id=dataset_id))
    assert await found(stubs) == []
    record = pb.NewEvaluationDatasetRecord(inputs="{}")
    for request in (
        pb.GetEvaluationDatasetRequest(dataset_id=dataset_id),
        pb.DeleteEvaluationDatasetRequest(dataset_id=dataset_id),
        pb.SetEvaluationDatasetTagsRequest(dataset_id=dataset_id, tags={"a": "b"}),
        pb.DeleteEvaluationDatasetTagRequest(dataset_id=dataset_id, key="a"),
        pb.UpsertEvaluationDatasetRecordsRequest(dataset_id=dataset_id, records=[record]),
        pb.UpsertEvaluationDatasetRecordsRequest(dataset_id=dataset_id),
        pb.ListEvaluationDatasetRecordsRequest(dataset_id=dataset_id),
        pb.DeleteEvaluationDatasetRecordsRequest(dataset_id=dataset_id, record_ids=["dr-1"]),
        pb.AddEvaluationDatasetToExperimentsRequest(dataset_id=dataset_id, experiment_ids=["0"]),
        pb.RemoveEvaluationDatasetFromExperimentsRequest(dataset_id=dataset_id, experiment_ids=["0"]),
    ):
        refused = await refusal(getattr(datasets, type(request).__name__.removesuffix("Request"))(request))
        assert (refused.code, refused.reason) == (CODE.NOT_FOUND, "EVALUATION_DATASET_NOT_FOUND")


def of_record(**fields: object) -> pb.UpsertEvaluationDatasetRecordsRequest:
    good = pb.NewEvaluationDatasetRecord(inputs="{}")
    return pb.UpsertEvaluationDatasetRecordsRequest(
        dataset_id="d-1", records=[good, pb.NewEvaluationDatasetRecord(**{"inputs": "{}", **fields})]
    )


SOURCE = pb.EvaluationRecordSource
BAD: list[tuple[Message, str]] = [
    (pb.CreateEvaluationDatasetRequest(), "name"),
    (pb.CreateEvaluationDatasetRequest(name="a", request_id=" "), "request_id"),
    (pb.CreateEvaluationDatasetRequest(name="a", experiment_ids=["0", ""]), "experiment_ids[1]"),
    (pb.CreateEvaluationDatasetRequest(name="a", tags={"k": "v" * 65_537}), "tags[k]"),
    (pb.CreateEvaluationDatasetRequest(name="a", created_by="u" * 257), "created_by"),
    (pb.GetEvaluationDatasetRequest(), "dataset_id"),
    (pb.DeleteEvaluationDatasetRequest(dataset_id="d/1"), "dataset_id"),
    (pb.SetEvaluationDatasetTagsRequest(dataset_id="d-1"), "tags"),
    (pb.DeleteEvaluationDatasetTagRequest(dataset_id="d-1"), "key"),
    (pb.SearchEvaluationDatasetsRequest(filter="params.a = 'b'"), "filter"),
    (pb.SearchEvaluationDatasetsRequest(order_by=["nothing"]), "order_by[0]"),
    (pb.SearchEvaluationDatasetsRequest(page_size=-1), "page_size"),
    (pb.SearchEvaluationDatasetsRequest(page_token="x"), "page_token"),
    (pb.SearchEvaluationDatasetsRequest(experiment_ids=["x"]), "experiment_ids[0]"),
    (of_record(inputs=""), "records[1].inputs"),
    (of_record(inputs="{"), "records[1].inputs"),
    (of_record(inputs="[]"), "records[1].inputs"),
    (of_record(inputs='{"q":' + "[" * 100_000), "records[1].inputs"),
    (of_record(inputs='{"q":' + "1" * 5_000 + "}"), "records[1].inputs"),
    (of_record(outputs=""), "records[1].outputs"),
    (of_record(expectations="7"), "records[1].expectations"),
    (of_record(tags="null!"), "records[1].tags"),
    (of_record(source=SOURCE(type=9)), "records[1].source.type"),
    (of_record(source=SOURCE(data='"x"')), "records[1].source.data"),
    (pb.UpsertEvaluationDatasetRecordsRequest(dataset_id="d-1", updated_by="u" * 257), "updated_by"),
    (pb.ListEvaluationDatasetRecordsRequest(dataset_id="d-1", page_size=10_001), "page_size"),
    (pb.ListEvaluationDatasetRecordsRequest(dataset_id="d-1", page_token="x"), "page_token"),
    (pb.DeleteEvaluationDatasetRecordsRequest(dataset_id="d-1"), "record_ids"),
    (pb.DeleteEvaluationDatasetRecordsRequest(dataset_id="d-1", record_ids=[""]), "record_ids[0]"),
    (pb.AddEvaluationDatasetToExperimentsRequest(dataset_id="d-1"), "experiment_ids"),
    (pb.RemoveEvaluationDatasetFromExperimentsRequest(dataset_id="d-1", experiment_ids=["x"]), "experiment_ids[0]"),
]


@pytest.mark.parametrize(("request_", "field"), BAD, ids=[f"{type(bad).__name__}-{field}" for bad, field in BAD])
async def test_bad_request_is_refused_by_field(stubs: Stubs, request_: Message, field: str) -> None:
    method = type(request_).__name__.removesuffix("Request")
    call: Awaitable[object] = getattr(stubs.evaluation_datasets, method)(request_)
    refused = await refusal(call)
    assert (refused.code, refused.fields) == (CODE.INVALID_ARGUMENT, (field,))
    assert refused.message.startswith(f"{field}: ")

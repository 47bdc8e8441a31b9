"""Every rpc of LoggedModelService over a real socket, on each store."""

from typing import TYPE_CHECKING

import grpc
import pytest
from google.protobuf.message import Message
from tests.conftest import Stubs
from tests.rpc.refusals import refusal

from trackwire.v1 import experiments_pb2, metrics_pb2, runs_pb2
from trackwire.v1 import logged_models_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Awaitable

CODE = grpc.StatusCode
READY = pb.LOGGED_MODEL_STATUS_READY


async def create(stubs: Stubs, **fields: object) -> pb.LoggedModel:
    request = pb.CreateLoggedModelRequest(**{"experiment_id": "0", **fields})
    return (await stubs.logged_models.CreateLoggedModel(request)).logged_model


async def get(stubs: Stubs, model_id: str) -> pb.LoggedModel:
    return (await stubs.logged_models.GetLoggedModel(pb.GetLoggedModelRequest(model_id=model_id))).logged_model


async def log_accuracy(stubs: Stubs, model_id: str, value: float, dataset: str) -> None:
    await stubs.runs.CreateRun(runs_pb2.CreateRunRequest(run_id="r", if_exists=runs_pb2.IF_EXISTS_JOIN))
    context = metrics_pb2.SeriesContext(model_id=model_id, dataset_name=dataset, dataset_digest="d")
    point = metrics_pb2.MetricPoint(key="accuracy", value=value, step=3, time_ms=5, context=context)
    await stubs.metrics.LogMetrics(metrics_pb2.LogMetricsRequest(run_id="r", points=[point]))


async def found(stubs: Stubs, text: str = "", **fields: object) -> list[str]:
    request = pb.SearchLoggedModelsRequest(experiment_ids=["0"], filter=text, **fields)
    return [model.name for model in (await stubs.logged_models.SearchLoggedModels(request)).logged_models]


async def test_created_model_comes_back(stubs: Stubs) -> None:
    made = await create(
        stubs,
        name="net",
        model_type="agent",
        source_run_id="r",
        status=READY,
        params={"depth": "3"},
        tags={"team": "red"},
    )
    assert made == pb.LoggedModel(
        model_id=made.model_id,
        experiment_id="0",
        name="net",
        artifact_uri=f"trackwire-artifacts:/0/models/{made.model_id}/artifacts",
        model_type="agent",
        source_run_id="r",
        status=READY,
        creation_time_ms=made.creation_time_ms,
        last_update_time_ms=made.creation_time_ms,
        params={"depth": "3"},
        tags={"team": "red"},
    )
    assert (made.model_id[:2], len(made.model_id)) == ("m-", 34)
    assert made.creation_time_ms > 0
    assert await get(stubs, made.model_id) == made


async def test_retry_answers_with_the_model_that_is_there(stubs: Stubs) -> None:
    assert await create(stubs, request_id="q") == await create(stubs, request_id="q", name="other")


async def test_metrics_of_a_model_are_its_series(stubs: Stubs) -> None:
    model_id = (await create(stubs)).model_id
    await log_accuracy(stubs, model_id, 0.9, "test")
    [metric] = (await get(stubs, model_id)).metrics
    assert (metric.run_id, metric.key, metric.last_value, metric.last_step, metric.last_time_ms) == (
        "r",
        "accuracy",
        0.9,
        3,
        5,
    )
    assert metric.context == metrics_pb2.SeriesContext(model_id=model_id, dataset_name="test", dataset_digest="d")


async def test_search_by_datasets(stubs: Stubs) -> None:
    for name, train, test in (("a", 0.9, 0.1), ("b", 0.8, 0.2)):
        model_id = (await create(stubs, name=name)).model_id
        await log_accuracy(stubs, model_id, train, "train")
        await log_accuracy(stubs, model_id, test, "test")
    await create(stubs, name="c")
    of_train, of_test = pb.MetricDataset(name="train"), pb.MetricDataset(name="test", digest="d")
    assert await found(stubs, "metrics.accuracy > 0.15", datasets=[of_test]) == ["b"]
    assert await found(stubs, datasets=[of_train], order_by=["name"]) == ["a", "b"]
    by_accuracy = ["metrics.accuracy DESC", "name"]
    assert await found(stubs, order_by=by_accuracy, order_by_datasets={0: of_train}) == ["a", "b", "c"]
    assert await found(stubs, order_by=by_accuracy, order_by_datasets={0: of_test}) == ["b", "a", "c"]


async def test_pages_follow_each_other(stubs: Stubs) -> None:
    for name in "cab":
        await create(stubs, name=name)
    seen, token = [], ""
    while True:
        request = pb.SearchLoggedModelsRequest(experiment_ids=["0"], order_by=["name"], page_size=1, page_token=token)
        page = await stubs.logged_models.SearchLoggedModels(request)
        seen += [model.name for model in page.logged_models]
        token = page.next_page_token
        if not token:
            break
    assert seen == ["a", "b", "c"]


async def test_model_changes(stubs: Stubs) -> None:
    model_id = (await create(stubs, params={"a": "1"})).model_id
    models = stubs.logged_models
    update = pb.UpdateLoggedModelRequest(
        model_id=model_id, status=pb.LOGGED_MODEL_STATUS_UPLOAD_FAILED, status_message="disk full"
    )
    assert (await models.UpdateLoggedModel(update)).logged_model.status_message == "disk full"
    kept = await models.UpdateLoggedModel(pb.UpdateLoggedModelRequest(model_id=model_id, status=READY))
    assert (kept.logged_model.status, kept.logged_model.status_message) == (READY, "disk full")
    await models.SetLoggedModelTags(pb.SetLoggedModelTagsRequest(model_id=model_id, tags={"a": "b", "c": "d"}))
    await models.DeleteLoggedModelTag(pb.DeleteLoggedModelTagRequest(model_id=model_id, key="a"))
    await models.LogLoggedModelParams(pb.LogLoggedModelParamsRequest(model_id=model_id, params={"a": "1", "b": "2"}))
    model = await get(stubs, model_id)
    assert (model.tags, model.params) == ({"c": "d"}, {"a": "1", "b": "2"})
    conflict = pb.LogLoggedModelParamsRequest(model_id=model_id, params={"a": "2"})
    refused = await refusal(models.LogLoggedModelParams(conflict))
    assert (refused.code, refused.reason, refused.fields) == (
        CODE.FAILED_PRECONDITION,
        "PARAM_ALREADY_SET",
        ("params[a]",),
    )
    assert refused.metadata["old_value"] == "1"


async def test_deleted_model_is_not_found(stubs: Stubs) -> None:
    model_id = (await create(stubs, tags={"a": "b"})).model_id
    models = stubs.logged_models
    for _ in range(2):
        await models.DeleteLoggedModel(pb.DeleteLoggedModelRequest(model_id=model_id))
    assert await found(stubs) == []
    for call in (
        models.GetLoggedModel(pb.GetLoggedModelRequest(model_id=model_id)),
        models.UpdateLoggedModel(pb.UpdateLoggedModelRequest(model_id=model_id, status=READY)),
        models.SetLoggedModelTags(pb.SetLoggedModelTagsRequest(model_id=model_id, tags={"a": "b"})),
        models.DeleteLoggedModelTag(pb.DeleteLoggedModelTagRequest(model_id=model_id, key="a")),
        models.LogLoggedModelParams(pb.LogLoggedModelParamsRequest(model_id=model_id, params={"a": "b"})),
        models.DeleteLoggedModel(pb.DeleteLoggedModelRequest(model_id="m-0")),
    ):
        refused = await refusal(call)
        assert (refused.code, refused.reason) == (CODE.NOT_FOUND, "LOGGED_MODEL_NOT_FOUND")


async def test_deleted_experiment_takes_no_models(stubs: Stubs) -> None:
    await stubs.experiments.CreateExperiment(experiments_pb2.CreateExperimentRequest(name="gone"))
    await stubs.experiments.DeleteExperiment(experiments_pb2.DeleteExperimentRequest(experiment_id="1"))
    request = pb.CreateLoggedModelRequest(experiment_id="1")
    refused = await refusal(stubs.logged_models.CreateLoggedModel(request))
    assert (refused.code, refused.reason) == (CODE.FAILED_PRECONDITION, "EXPERIMENT_DELETED")
    unknown = await refusal(stubs.logged_models.CreateLoggedModel(pb.CreateLoggedModelRequest(experiment_id="9")))
    assert (unknown.code, unknown.reason) == (CODE.NOT_FOUND, "EXPERIMENT_NOT_FOUND")


BAD: list[tuple[Message, str]] = [
    (pb.CreateLoggedModelRequest(), "experiment_id"),
    (pb.CreateLoggedModelRequest(experiment_id="0", name="a/b"), "name"),
    (pb.CreateLoggedModelRequest(experiment_id="0", status=9), "status"),
    (pb.CreateLoggedModelRequest(experiment_id="0", model_type="t" * 501), "model_type"),
    (pb.CreateLoggedModelRequest(experiment_id="0", source_run_id="/"), "source_run_id"),
    (pb.CreateLoggedModelRequest(experiment_id="0", request_id=" "), "request_id"),
    (pb.CreateLoggedModelRequest(experiment_id="0", params={"k": "v" * 65_537}), "params[k]"),
    (pb.CreateLoggedModelRequest(experiment_id="0", tags={"a\n": "v"}), "tags"),
    (pb.GetLoggedModelRequest(), "model_id"),
    (pb.UpdateLoggedModelRequest(model_id="m/1"), "model_id"),
    (pb.UpdateLoggedModelRequest(model_id="m-1", status=9), "status"),
    (pb.UpdateLoggedModelRequest(model_id="m-1", status_message="s" * 65_537), "status_message"),
    (pb.DeleteLoggedModelRequest(model_id="m" * 65), "model_id"),
    (pb.SetLoggedModelTagsRequest(model_id="m-1"), "tags"),
    (pb.DeleteLoggedModelTagRequest(model_id="m-1"), "key"),
    (pb.LogLoggedModelParamsRequest(model_id="m-1"), "params"),
    (pb.SearchLoggedModelsRequest(), "experiment_ids"),
    (pb.SearchLoggedModelsRequest(experiment_ids=["0"], filter="datasets.name = 'a'"), "filter"),
    (pb.SearchLoggedModelsRequest(experiment_ids=["0"], order_by=["a b c"]), "order_by[0]"),
    (pb.SearchLoggedModelsRequest(experiment_ids=["0"], page_size=-1), "page_size"),
    (pb.SearchLoggedModelsRequest(experiment_ids=["0"], page_token="x"), "page_token"),
    (pb.SearchLoggedModelsRequest(experiment_ids=["0"], datasets=[pb.MetricDataset()]), "datasets[0].name"),
    (
        pb.SearchLoggedModelsRequest(experiment_ids=["0"], order_by_datasets={1: pb.MetricDataset(name="a")}),
        "order_by_datasets[1]",
    ),
]


@pytest.mark.parametrize(("request_", "field"), BAD, ids=[f"{type(bad).__name__}-{field}" for bad, field in BAD])
async def test_bad_request_is_refused_by_field(stubs: Stubs, request_: Message, field: str) -> None:
    call: Awaitable[object] = getattr(stubs.logged_models, type(request_).__name__.removesuffix("Request"))(request_)
    refused = await refusal(call)
    assert (refused.code, refused.fields) == (CODE.INVALID_ARGUMENT, (field,))
    assert refused.message.startswith(f"{field}: ")

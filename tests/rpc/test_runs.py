"""Every rpc of RunService over a real socket, on SQLite."""

import base64
import json

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import NOW_MS, CountedIds, FakeClock, Serve
from tests.rpc.refusals import refusal

from trackwire.v1 import metrics_pb2
from trackwire.v1 import runs_pb2 as pb
from trackwire.v1.experiments_pb2 import (
    LIFECYCLE_STAGE_ACTIVE,
    LIFECYCLE_STAGE_DELETED,
    VIEW_TYPE_ALL,
    VIEW_TYPE_DELETED_ONLY,
)
from trackwire.v1.run_inputs_pb2 import (
    DATASET_VIEW_FULL,
    DATASET_VIEW_NONE,
    Dataset,
    DatasetInput,
    DatasetSummary,
    ModelInput,
    ModelOutput,
    RunInputs,
    RunOutputs,
)
from trackwire.v1.runs_pb2_grpc import RunServiceStub, add_RunServiceServicer_to_server
from trackwire_server.core.entities import ViewType
from trackwire_server.core.paging import fingerprint
from trackwire_server.core.run_keys import RunKeyKind
from trackwire_server.core.runs import Runs
from trackwire_server.rpc.runs import RunServicer
from trackwire_server.rpc.server import Door
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.run_data import SqlRunData
from trackwire_server.stores.sql.run_inputs import SqlRunInputs
from trackwire_server.stores.sql.runs import SqlRuns

CODE = grpc.StatusCode
SERVICE = pb.DESCRIPTOR.services_by_name["RunService"].full_name
METHODS = tuple(method.name for method in pb.DESCRIPTOR.services_by_name["RunService"].methods)


@pytest.fixture
async def stub(database: Database, clock: FakeClock, new_id: CountedIds, serve: Serve) -> RunServiceStub:
    servicer = RunServicer(Runs(SqlRuns(database), SqlRunData(database), SqlRunInputs(database), clock, new_id))
    return RunServiceStub(await serve(Door(SERVICE, lambda server: add_RunServiceServicer_to_server(servicer, server))))


async def create(stub: RunServiceStub, run_id: str, **fields: object) -> pb.Run:
    return (await stub.CreateRun(pb.CreateRunRequest(run_id=run_id, **fields))).run


async def get(stub: RunServiceStub, run_id: str) -> pb.Run:
    return (await stub.GetRun(pb.GetRunRequest(run_id=run_id))).run


async def test_created_run_comes_back(stub: RunServiceStub) -> None:
    await create(stub, "parent")
    answer = await stub.CreateRun(
        pb.CreateRunRequest(
            run_id="r",
            experiment_name="new",
            create_experiment=True,
            run_name="n",
            user_id="ada",
            status=pb.RUN_STATUS_SCHEDULED,
            start_time_ms=0,
            parent_run_id="parent",
            params={"lr": "0.1"},
            tags={"a": "b"},
        )
    )
    assert answer.created
    assert answer.run == pb.Run(
        run_id="r",
        run_name="n",
        experiment_id="1",
        user_id="ada",
        status=pb.RUN_STATUS_SCHEDULED,
        start_time_ms=0,
        lifecycle_stage=LIFECYCLE_STAGE_ACTIVE,
        artifact_uri="trackwire-artifacts:/1/r/artifacts",
        parent_run_id="parent",
        params={"lr": "0.1"},
        tags={"a": "b", "mlflow.runName": "n", "mlflow.parentRunId": "parent"},
    )
    assert await get(stub, "r") == answer.run


async def test_retry_and_join_answer_with_the_run_that_is_there(stub: RunServiceStub) -> None:
    request = pb.CreateRunRequest(request_id="q")
    first = await stub.CreateRun(request)
    again = await stub.CreateRun(request)
    assert (first.created, again.created) == (True, False)
    assert again.run == first.run
    join = pb.CreateRunRequest(run_id=first.run.run_id, if_exists=pb.IF_EXISTS_JOIN, tags={"rank": "1"})
    joined = await stub.CreateRun(join)
    assert not joined.created
    assert joined.run.tags == {**first.run.tags, "rank": "1"}
    refused = await refusal(stub.CreateRun(pb.CreateRunRequest(run_id=first.run.run_id)))
    assert (refused.code, refused.reason) == (CODE.ALREADY_EXISTS, "RUN_ALREADY_EXISTS")


async def test_life_of_a_run(stub: RunServiceStub, clock: FakeClock) -> None:
    await create(stub, "r")
    await stub.LogParams(pb.LogParamsRequest(run_id="r", params={"lr": "0.1"}))
    await stub.SetRunTags(pb.SetRunTagsRequest(run_id="r", tags={"a": "1", "mlflow.runName": "x"}))
    await stub.DeleteRunTag(pb.DeleteRunTagRequest(run_id="r", key="a"))
    clock.advance(3)
    beat = await stub.HeartbeatRun(pb.HeartbeatRunRequest(run_id="r"))
    assert (beat.stop_requested, beat.server_time_ms) == (False, NOW_MS + 3)
    await stub.RequestRunStop(pb.RequestRunStopRequest(run_id="r"))
    assert (await stub.HeartbeatRun(pb.HeartbeatRunRequest(run_id="r"))).stop_requested
    ended = (await stub.UpdateRun(pb.UpdateRunRequest(run_id="r", status=pb.RUN_STATUS_KILLED))).run
    assert (ended.status, ended.end_time_ms) == (pb.RUN_STATUS_KILLED, NOW_MS + 3)
    assert not ended.tags
    run = await get(stub, "r")
    assert (run.run_name, run.tags, run.params) == ("x", {"mlflow.runName": "x"}, {"lr": "0.1"})
    assert (run.heartbeat_time_ms, run.stop_requested) == (NOW_MS + 3, True)
    resumed = (await stub.UpdateRun(pb.UpdateRunRequest(run_id="r", status=pb.RUN_STATUS_RUNNING, run_name="y"))).run
    assert not resumed.HasField("end_time_ms")
    assert resumed.run_name == "y"


async def test_deleted_run_refuses_writes_until_restored(stub: RunServiceStub) -> None:
    await create(stub, "r", tags={"a": "1"})
    for _ in range(2):
        await stub.DeleteRun(pb.DeleteRunRequest(run_id="r"))
    run = await get(stub, "r")
    assert (run.lifecycle_stage, run.deleted_time_ms) == (LIFECYCLE_STAGE_DELETED, NOW_MS)
    for call in (
        stub.LogParams(pb.LogParamsRequest(run_id="r", params={"a": "b"})),
        stub.SetRunTags(pb.SetRunTagsRequest(run_id="r", tags={"a": "b"})),
        stub.DeleteRunTag(pb.DeleteRunTagRequest(run_id="r", key="a")),
        stub.UpdateRun(pb.UpdateRunRequest(run_id="r", run_name="x")),
        stub.LogRunInputs(pb.LogRunInputsRequest(run_id="r", models=[ModelInput(model_id="m")])),
        stub.LogRunOutputs(pb.LogRunOutputsRequest(run_id="r", models=[ModelOutput(model_id="m")])),
        stub.HeartbeatRun(pb.HeartbeatRunRequest(run_id="r")),
        stub.RequestRunStop(pb.RequestRunStopRequest(run_id="r")),
    ):
        refused = await refusal(call)
        assert (refused.code, refused.reason) == (CODE.FAILED_PRECONDITION, "RUN_DELETED")
    assert await get(stub, "r") == run
    for _ in range(2):
        await stub.RestoreRun(pb.RestoreRunRequest(run_id="r"))
    restored = await get(stub, "r")
    assert restored.lifecycle_stage == LIFECYCLE_STAGE_ACTIVE
    assert not restored.HasField("deleted_time_ms")


async def test_changed_param_is_refused_with_both_values(stub: RunServiceStub) -> None:
    await create(stub, "r", params={"lr": "0.1"})
    await stub.LogParams(pb.LogParamsRequest(run_id="r", params={"lr": "0.1"}))
    refused = await refusal(stub.LogParams(pb.LogParamsRequest(run_id="r", params={"lr": "0.2", "new": "1"})))
    assert (refused.code, refused.reason) == (CODE.FAILED_PRECONDITION, "PARAM_ALREADY_SET")
    assert refused.metadata["old_value"] == "0.1"
    assert refused.metadata["value"] == "0.2"
    assert refused.fields == ("params[lr]",)
    assert (await get(stub, "r")).params == {"lr": "0.1"}


async def test_stamped_writes_are_stored_once_and_in_order(stub: RunServiceStub) -> None:
    await create(stub, "r")

    def stamp(sequence: int, previous: int) -> metrics_pb2.WriterStamp:
        return metrics_pb2.WriterStamp(writer_id="w", sequence=sequence, previous_sequence=previous)

    first = pb.SetRunTagsRequest(run_id="r", tags={"a": "1"}, writer=stamp(1, 0))
    await stub.SetRunTags(first)
    finish = pb.UpdateRunRequest(run_id="r", status=pb.RUN_STATUS_FINISHED, writer=stamp(2, 1))
    await stub.UpdateRun(finish)
    await stub.SetRunTags(pb.SetRunTagsRequest(run_id="r", tags={"a": "2"}))
    await stub.SetRunTags(first)
    await stub.UpdateRun(pb.UpdateRunRequest(run_id="r", status=pb.RUN_STATUS_RUNNING))
    assert (await stub.UpdateRun(finish)).run.status == pb.RUN_STATUS_RUNNING
    assert (await get(stub, "r")).tags["a"] == "2"
    refused = await refusal(stub.LogParams(pb.LogParamsRequest(run_id="r", params={"p": "1"}, writer=stamp(5, 4))))
    assert (refused.code, refused.reason) == (CODE.ABORTED, "SEQUENCE_GAP")
    assert refused.metadata["mark"] == "2"
    assert not (await get(stub, "r")).params


async def test_inputs_and_outputs_come_back(stub: RunServiceStub) -> None:
    await create(stub, "r")
    train = DatasetInput(
        dataset=Dataset(name="n", digest="d", source_type="s3", source="s3://b/k", schema="{}", profile='{"rows": 1}'),
        tags={"mlflow.data.context": "training", "split": "a"},
    )
    other = DatasetInput(dataset=Dataset(name="n", digest="e"))
    inputs = [train, other]
    models = [ModelInput(model_id="m-2"), ModelInput(model_id="m-1")]
    for _ in range(2):
        await stub.LogRunInputs(pb.LogRunInputsRequest(run_id="r", datasets=inputs, models=models))
    made = [ModelOutput(model_id="m-9", step=-3), ModelOutput(model_id="m-8", step=2**62)]
    await stub.LogRunOutputs(pb.LogRunOutputsRequest(run_id="r", models=made))
    run = await get(stub, "r")
    assert run.inputs == RunInputs(datasets=inputs, models=models)
    assert run.outputs == RunOutputs(models=made)
    search = pb.SearchRunsRequest(experiment_ids=["0"], dataset_view=DATASET_VIEW_FULL)
    [found] = (await stub.SearchRuns(search)).runs
    assert found.inputs == RunInputs(datasets=inputs)
    assert not found.HasField("outputs")
    search.dataset_view = DATASET_VIEW_NONE
    [found] = (await stub.SearchRuns(search)).runs
    assert not found.HasField("inputs")
    [found] = (await stub.SearchRuns(pb.SearchRunsRequest(experiment_ids=["0"]))).runs
    train.dataset.ClearField("schema")
    train.dataset.ClearField("profile")
    assert found.inputs == RunInputs(datasets=inputs)


async def test_datasets_of_experiments_come_in_pages(stub: RunServiceStub) -> None:
    for run_id in ("a", "b"):
        await create(stub, run_id)
        given = [
            DatasetInput(dataset=Dataset(name=name, digest=run_id), tags={"mlflow.data.context": "c"}) for name in "nm"
        ]
        await stub.LogRunInputs(pb.LogRunInputsRequest(run_id=run_id, datasets=given))
    request = pb.SearchRunDatasetsRequest(experiment_ids=["0", "7"], page_size=3)
    first = await stub.SearchRunDatasets(request)
    request.page_token = first.next_page_token
    second = await stub.SearchRunDatasets(request)
    assert [*first.datasets, *second.datasets] == [
        DatasetSummary(experiment_id="0", name=name, digest=digest, context="c") for name in "mn" for digest in "ab"
    ]
    assert (len(first.datasets), second.next_page_token) == (3, "")
    request.experiment_ids.pop()
    refused = await refusal(stub.SearchRunDatasets(request))
    assert (refused.reason, refused.fields) == ("PAGE_TOKEN_MISMATCH", ("page_token",))


@pytest.mark.parametrize("position", [[], [0, "n", "d"], ["0", "n", "d", ""], [0, "n", None, ""], [0, "a\0", "d", ""]])
async def test_forged_token_of_datasets_is_refused(stub: RunServiceStub, position: list[object]) -> None:
    text = json.dumps([1, fingerprint("datasets of runs", ["0"]), position])
    token = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    refused = await refusal(stub.SearchRunDatasets(pb.SearchRunDatasetsRequest(experiment_ids=["0"], page_token=token)))
    assert (refused.reason, refused.fields) == ("BAD_PAGE_TOKEN", ("page_token",))


async def test_keys_of_runs_come_in_pages(stub: RunServiceStub) -> None:
    await create(stub, "a", params={"lr": "1", "depth": "2"})
    await create(stub, "b", params={"lr": "1"}, tags={"team": "red"})
    await create(stub, "gone", params={"gone": "1"})
    await stub.DeleteRun(pb.DeleteRunRequest(run_id="gone"))
    request = pb.ListRunKeysRequest(experiment_ids=["0", "7"], page_size=3)
    first = await stub.ListRunKeys(request)
    request.page_token = first.next_page_token
    second = await stub.ListRunKeys(request)
    param, tag = pb.RUN_KEY_KIND_PARAM, pb.RUN_KEY_KIND_TAG
    expected = [(param, "depth"), (param, "lr"), (tag, "mlflow.runName"), (tag, "team")]
    assert [*first.keys, *second.keys] == [pb.RunKey(kind=kind, key=key) for kind, key in expected]
    assert (len(first.keys), second.next_page_token) == (3, "")
    request.kinds.append(tag)
    refused = await refusal(stub.ListRunKeys(request))
    assert (refused.reason, refused.fields) == ("PAGE_TOKEN_MISMATCH", ("page_token",))
    of_deleted = pb.ListRunKeysRequest(experiment_ids=["0"], kinds=[param], view_type=VIEW_TYPE_DELETED_ONLY)
    assert [found.key for found in (await stub.ListRunKeys(of_deleted)).keys] == ["gone"]


@pytest.mark.parametrize("position", [[], ["param"], ["param", 7], [2, "k"], ["param", None], ["param", "a\0"]])
async def test_forged_token_of_keys_is_refused(stub: RunServiceStub, position: list[object]) -> None:
    digest = fingerprint("keys of runs", ["0"], tuple(RunKeyKind), ViewType.ACTIVE_ONLY)
    text = json.dumps([1, digest, position])
    token = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    refused = await refusal(stub.ListRunKeys(pb.ListRunKeysRequest(experiment_ids=["0"], page_token=token)))
    assert (refused.reason, refused.fields) == ("BAD_PAGE_TOKEN", ("page_token",))


async def test_search_filters_orders_pages_and_selects(stub: RunServiceStub) -> None:
    for at in range(5):
        await create(stub, f"r{at}", params={"p": str(at), "q": "x"}, start_time_ms=at)
    request = pb.SearchRunsRequest(
        experiment_ids=["0"],
        filter="params.p != '2'",
        order_by=["params.p DESC"],
        page_size=3,
        params=pb.Selection(keys=["p"]),
        tags=pb.Selection(),
    )
    first = await stub.SearchRuns(request)
    await create(stub, "r9", params={"p": "9"})
    request.page_token = first.next_page_token
    second = await stub.SearchRuns(request)
    assert [run.params["p"] for page in (first, second) for run in page.runs] == ["4", "3", "1", "0"]
    assert all(set(run.params) == {"p"} and not run.tags for run in first.runs)
    assert second.next_page_token == ""
    newest = await stub.SearchRuns(pb.SearchRunsRequest(experiment_ids=["0"], view_type=VIEW_TYPE_ALL))
    assert [run.run_id for run in newest.runs] == ["r9", "r4", "r3", "r2", "r1", "r0"]
    assert set(newest.runs[1].tags) == {"mlflow.runName"}


def dataset(**fields: object) -> pb.LogRunInputsRequest:
    """A request whose second dataset has these fields."""
    good = DatasetInput(dataset=Dataset(name="n", digest="d"))
    other = DatasetInput(dataset=Dataset(**{"name": "m", "digest": "d", **fields}))
    return pb.LogRunInputsRequest(run_id="r", datasets=[good, other])


def tagged(key: str, value: str) -> pb.LogRunInputsRequest:
    given = DatasetInput(dataset=Dataset(name="n", digest="d"), tags={key: value})
    return pb.LogRunInputsRequest(run_id="r", datasets=[given])


def outputs(*model_ids: str, **fields: object) -> pb.LogRunOutputsRequest:
    made = [ModelOutput(model_id=model_id) for model_id in model_ids]
    return pb.LogRunOutputsRequest(run_id="r", models=made, **fields)


TOO_MANY = [str(at) for at in range(1_001)]
BAD_CALLS = [
    ("CreateRun", pb.CreateRunRequest(run_id="-"), "INVALID_ARGUMENT", "run_id"),
    ("CreateRun", pb.CreateRunRequest(if_exists=pb.IF_EXISTS_JOIN), "REQUIRED", "run_id"),
    ("CreateRun", pb.CreateRunRequest(if_exists=7), "INVALID_ARGUMENT", "if_exists"),
    ("CreateRun", pb.CreateRunRequest(status=7), "INVALID_ARGUMENT", "status"),
    ("CreateRun", pb.CreateRunRequest(create_experiment=True), "REQUIRED", "experiment_name"),
    ("CreateRun", pb.CreateRunRequest(run_name="a", tags={"mlflow.runName": "b"}), "INVALID_ARGUMENT", "run_name"),
    ("CreateRun", pb.CreateRunRequest(params={"k" * 251: "v"}), "TOO_LONG", "params"),
    ("CreateRun", pb.CreateRunRequest(params={"": "v"}), "REQUIRED", "params"),
    ("CreateRun", pb.CreateRunRequest(params={"a\tb": "v"}), "INVALID_ARGUMENT", "params"),
    ("GetRun", pb.GetRunRequest(), "REQUIRED", "run_id"),
    ("UpdateRun", pb.UpdateRunRequest(run_id="r", run_name=""), "REQUIRED", "run_name"),
    ("UpdateRun", pb.UpdateRunRequest(run_id="r", end_time_ms=-1), "INVALID_ARGUMENT", "end_time_ms"),
    ("UpdateRun", pb.UpdateRunRequest(run_id="r", writer={}), "REQUIRED", "writer.writer_id"),
    ("LogParams", pb.LogParamsRequest(run_id="r"), "REQUIRED", "params"),
    ("SetRunTags", pb.SetRunTagsRequest(run_id="r", tags={"a": "v" * 65_537}), "TOO_LONG", "tags[a]"),
    ("DeleteRunTag", pb.DeleteRunTagRequest(run_id="r", key="mlflow.runName"), "INVALID_ARGUMENT", "key"),
    ("LogRunInputs", pb.LogRunInputsRequest(), "REQUIRED", "run_id"),
    ("LogRunInputs", pb.LogRunInputsRequest(run_id="r"), "REQUIRED", "datasets"),
    ("LogRunInputs", pb.LogRunInputsRequest(run_id="r", datasets=[{}]), "REQUIRED", "datasets[0].dataset.name"),
    ("LogRunInputs", dataset(name=""), "REQUIRED", "datasets[1].dataset.name"),
    ("LogRunInputs", dataset(name="n" * 501), "TOO_LONG", "datasets[1].dataset.name"),
    ("LogRunInputs", dataset(name="a\0b"), "INVALID_ARGUMENT", "datasets[1].dataset.name"),
    ("LogRunInputs", dataset(digest=""), "REQUIRED", "datasets[1].dataset.digest"),
    ("LogRunInputs", dataset(digest="d" * 37), "TOO_LONG", "datasets[1].dataset.digest"),
    ("LogRunInputs", dataset(source_type="s" * 251), "TOO_LONG", "datasets[1].dataset.source_type"),
    ("LogRunInputs", dataset(source="s" * 65_536), "TOO_LONG", "datasets[1].dataset.source"),
    ("LogRunInputs", dataset(schema="s" * 1_048_576), "TOO_LONG", "datasets[1].dataset.schema"),
    ("LogRunInputs", dataset(profile="s" * 16_777_216), "TOO_LONG", "datasets[1].dataset.profile"),
    ("LogRunInputs", tagged("", "v"), "REQUIRED", "datasets[0].tags"),
    ("LogRunInputs", tagged("k" * 256, "v"), "TOO_LONG", "datasets[0].tags"),
    ("LogRunInputs", tagged("k", "v" * 501), "TOO_LONG", "datasets[0].tags[k]"),
    ("LogRunInputs", pb.LogRunInputsRequest(run_id="r", models=[{}]), "REQUIRED", "models[0].model_id"),
    (
        "LogRunInputs",
        pb.LogRunInputsRequest(run_id="r", models=[ModelInput(model_id=model_id) for model_id in TOO_MANY]),
        "INVALID_ARGUMENT",
        "models",
    ),
    ("LogRunInputs", pb.LogRunInputsRequest(run_id="r", writer={}), "REQUIRED", "writer.writer_id"),
    ("LogRunOutputs", outputs(), "REQUIRED", "models"),
    ("LogRunOutputs", outputs("m", "a b"), "INVALID_ARGUMENT", "models[1].model_id"),
    ("LogRunOutputs", outputs("m" * 65), "TOO_LONG", "models[0].model_id"),
    ("LogRunOutputs", outputs(*TOO_MANY), "INVALID_ARGUMENT", "models"),
    ("LogRunOutputs", outputs("m", writer={}), "REQUIRED", "writer.writer_id"),
    ("SearchRunDatasets", pb.SearchRunDatasetsRequest(), "REQUIRED", "experiment_ids"),
    ("SearchRunDatasets", pb.SearchRunDatasetsRequest(experiment_ids=["x"]), "INVALID_ARGUMENT", "experiment_ids[0]"),
    (
        "SearchRunDatasets",
        pb.SearchRunDatasetsRequest(experiment_ids=["0"], page_size=1_001),
        "INVALID_ARGUMENT",
        "page_size",
    ),
    (
        "SearchRunDatasets",
        pb.SearchRunDatasetsRequest(experiment_ids=["0"], page_token="!"),
        "BAD_PAGE_TOKEN",
        "page_token",
    ),
    ("ListRunKeys", pb.ListRunKeysRequest(), "REQUIRED", "experiment_ids"),
    ("ListRunKeys", pb.ListRunKeysRequest(experiment_ids=["0", "x"]), "INVALID_ARGUMENT", "experiment_ids[1]"),
    ("ListRunKeys", pb.ListRunKeysRequest(experiment_ids=TOO_MANY), "INVALID_ARGUMENT", "experiment_ids"),
    ("ListRunKeys", pb.ListRunKeysRequest(experiment_ids=["0"], kinds=[0]), "INVALID_ARGUMENT", "kinds[0]"),
    ("ListRunKeys", pb.ListRunKeysRequest(experiment_ids=["0"], kinds=[1, 7]), "INVALID_ARGUMENT", "kinds[1]"),
    ("ListRunKeys", pb.ListRunKeysRequest(experiment_ids=["0"], kinds=[3, 1, 3]), "INVALID_ARGUMENT", "kinds[2]"),
    ("ListRunKeys", pb.ListRunKeysRequest(experiment_ids=["0"], kinds=[1] * 4), "INVALID_ARGUMENT", "kinds"),
    ("ListRunKeys", pb.ListRunKeysRequest(experiment_ids=["0"], view_type=9), "INVALID_ARGUMENT", "view_type"),
    ("ListRunKeys", pb.ListRunKeysRequest(experiment_ids=["0"], page_size=10_001), "INVALID_ARGUMENT", "page_size"),
    ("ListRunKeys", pb.ListRunKeysRequest(experiment_ids=["0"], page_token="!"), "BAD_PAGE_TOKEN", "page_token"),
    ("SearchRuns", pb.SearchRunsRequest(), "REQUIRED", "experiment_ids"),
    ("SearchRuns", pb.SearchRunsRequest(experiment_ids=["0"], dataset_view=9), "INVALID_ARGUMENT", "dataset_view"),
    ("SearchRuns", pb.SearchRunsRequest(experiment_ids=["0"], filter="a ="), "BAD_FILTER", "filter"),
    ("SearchRuns", pb.SearchRunsRequest(experiment_ids=["0"], page_size=50_001), "INVALID_ARGUMENT", "page_size"),
    ("SearchRuns", pb.SearchRunsRequest(experiment_ids=["0"], page_token="!"), "BAD_PAGE_TOKEN", "page_token"),
]


@pytest.mark.parametrize(("method", "request_", "reason", "field"), BAD_CALLS)
async def test_bad_argument_is_refused_by_reason_and_field(
    stub: RunServiceStub, method: str, request_: object, reason: str, field: str
) -> None:
    run = await create(stub, "r")
    refused = await refusal(getattr(stub, method)(request_))
    assert (refused.code, refused.reason, refused.fields) == (CODE.INVALID_ARGUMENT, reason, (field,))
    assert await get(stub, "r") == run
    assert len((await stub.SearchRuns(pb.SearchRunsRequest(experiment_ids=["0"]))).runs) == 1


OF_NO_RUN = ("CreateRun", "SearchRuns", "SearchRunDatasets", "ListRunKeys")


@pytest.mark.parametrize("method", [name for name in METHODS if name not in OF_NO_RUN])
async def test_unknown_run_is_not_found(stub: RunServiceStub, method: str) -> None:
    request = getattr(pb, f"{method}Request")(run_id="none")
    for field, entries in (("params", {"a": "b"}), ("tags", {"a": "b"})):
        if hasattr(request, field):
            getattr(request, field).update(entries)
    if hasattr(request, "key"):
        request.key = "a"
    if hasattr(request, "models"):
        request.models.add(model_id="m")
    refused = await refusal(getattr(stub, method)(request))
    assert (refused.code, refused.reason, refused.fields) == (CODE.NOT_FOUND, "RUN_NOT_FOUND", ("run_id",))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just(["nan"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
LAST_OF_FOUR = st.tuples(st.floats() | st.just(["nan"]) | VALUES, st.integers() | VALUES, st.integers(), st.text())


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=LAST_OF_FOUR | st.lists(VALUES, min_size=4, max_size=4) | VALUES)
async def test_forged_token_is_answered_and_never_an_internal_error(stub: RunServiceStub, position: object) -> None:
    order_by = ("metrics.loss", "end_time")
    digest = fingerprint("runs", "", order_by, ViewType.ACTIVE_ONLY, ["0"], False)
    text = json.dumps([1, digest, position])
    token = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    call = stub.SearchRuns(pb.SearchRunsRequest(experiment_ids=["0"], order_by=order_by, page_token=token))
    assert await call.code() in (CODE.OK, CODE.INVALID_ARGUMENT), await call.details()
    assert "another query" not in (await call.details() or "")

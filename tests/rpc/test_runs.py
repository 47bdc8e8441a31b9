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
from trackwire.v1.experiments_pb2 import LIFECYCLE_STAGE_ACTIVE, LIFECYCLE_STAGE_DELETED, VIEW_TYPE_ALL
from trackwire.v1.runs_pb2_grpc import RunServiceStub, add_RunServiceServicer_to_server
from trackwire_server.core.entities import ViewType
from trackwire_server.core.paging import fingerprint
from trackwire_server.core.runs import Runs
from trackwire_server.rpc.runs import RunServicer
from trackwire_server.rpc.server import Door
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.run_data import SqlRunData
from trackwire_server.stores.sql.runs import SqlRuns

CODE = grpc.StatusCode
SERVICE = pb.DESCRIPTOR.services_by_name["RunService"].full_name
METHODS = tuple(method.name for method in pb.DESCRIPTOR.services_by_name["RunService"].methods)


@pytest.fixture
async def stub(database: Database, clock: FakeClock, new_id: CountedIds, serve: Serve) -> RunServiceStub:
    servicer = RunServicer(Runs(SqlRuns(database), SqlRunData(database), clock, new_id))
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
    ("SearchRuns", pb.SearchRunsRequest(), "REQUIRED", "experiment_ids"),
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


@pytest.mark.parametrize("method", [name for name in METHODS if name not in ("CreateRun", "SearchRuns")])
async def test_unknown_run_is_not_found(stub: RunServiceStub, method: str) -> None:
    request = getattr(pb, f"{method}Request")(run_id="none")
    for field, entries in (("params", {"a": "b"}), ("tags", {"a": "b"})):
        if hasattr(request, field):
            getattr(request, field).update(entries)
    if hasattr(request, "key"):
        request.key = "a"
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

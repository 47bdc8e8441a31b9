"""Every rpc of ExperimentService over a real socket, on SQLite."""

from pathlib import Path

import grpc
import pytest
from tests.conftest import NOW_MS, FakeClock, Serve
from tests.rpc.refusals import refusal

from trackwire.v1 import experiments_pb2 as pb
from trackwire.v1.experiments_pb2_grpc import ExperimentServiceStub, add_ExperimentServiceServicer_to_server
from trackwire_server.core.experiments import Experiments
from trackwire_server.rpc.experiments import ExperimentServicer
from trackwire_server.rpc.server import Door
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.experiments import SqlExperiments

CODE = grpc.StatusCode
SERVICE = pb.DESCRIPTOR.services_by_name["ExperimentService"].full_name


@pytest.fixture
async def stub(database: Database, clock: FakeClock, serve: Serve) -> ExperimentServiceStub:
    servicer = ExperimentServicer(Experiments(SqlExperiments(database), clock, working_folder=Path.cwd()))
    door = Door(SERVICE, lambda server: add_ExperimentServiceServicer_to_server(servicer, server))
    return ExperimentServiceStub(await serve(door))


async def create(stub: ExperimentServiceStub, name: str, **fields: object) -> pb.Experiment:
    return (await stub.CreateExperiment(pb.CreateExperimentRequest(name=name, **fields))).experiment


async def test_created_experiment_comes_back_by_id_and_by_name(stub: ExperimentServiceStub) -> None:
    made = await create(stub, "a", artifact_location="s3://bucket/folder", tags={"team": "red"})
    assert made == pb.Experiment(
        experiment_id="1",
        workspace="default",
        name="a",
        artifact_location="s3://bucket/folder",
        lifecycle_stage=pb.LIFECYCLE_STAGE_ACTIVE,
        creation_time_ms=NOW_MS,
        last_update_time_ms=NOW_MS,
        tags={"team": "red"},
    )
    for request in (pb.GetExperimentRequest(experiment_id="1"), pb.GetExperimentRequest(name="a")):
        assert (await stub.GetExperiment(request)).experiment == made


async def test_rename_tags_delete_and_restore(stub: ExperimentServiceStub, clock: FakeClock) -> None:
    made = await create(stub, "a", tags={"x": "1"})
    clock.advance(1)
    renamed = await stub.UpdateExperiment(pb.UpdateExperimentRequest(experiment_id="1", name="b"))
    assert (renamed.experiment.name, renamed.experiment.last_update_time_ms) == ("b", NOW_MS + 1)
    unchanged = await stub.UpdateExperiment(pb.UpdateExperimentRequest(experiment_id="1"))
    assert unchanged.experiment == renamed.experiment
    await stub.SetExperimentTags(pb.SetExperimentTagsRequest(experiment_id="1", tags={"y": "2"}))
    await stub.DeleteExperimentTag(pb.DeleteExperimentTagRequest(experiment_id="1", key="x"))
    await stub.DeleteExperiment(pb.DeleteExperimentRequest(experiment_id="1"))
    deleted = (await stub.GetExperiment(pb.GetExperimentRequest(experiment_id="1"))).experiment
    assert deleted.lifecycle_stage == pb.LIFECYCLE_STAGE_DELETED
    assert deleted.tags == {"y": "2"}
    await stub.RestoreExperiment(pb.RestoreExperimentRequest(experiment_id="1"))
    restored = (await stub.GetExperiment(pb.GetExperimentRequest(name="b"))).experiment
    assert restored.lifecycle_stage == pb.LIFECYCLE_STAGE_ACTIVE
    assert restored.creation_time_ms == made.creation_time_ms


async def test_search_in_pages_by_view(stub: ExperimentServiceStub) -> None:
    for name in ("a", "b", "c"):
        await create(stub, name)
    await stub.DeleteExperiment(pb.DeleteExperimentRequest(experiment_id="2"))
    request = pb.SearchExperimentsRequest(filter="name != 'Default'", order_by=["name DESC"], page_size=1)
    first = await stub.SearchExperiments(request)
    request.page_token = first.next_page_token
    second = await stub.SearchExperiments(request)
    assert [page.experiments[0].name for page in (first, second)] == ["c", "a"]
    assert second.next_page_token == ""
    deleted = await stub.SearchExperiments(pb.SearchExperimentsRequest(view_type=pb.VIEW_TYPE_DELETED_ONLY))
    assert [experiment.name for experiment in deleted.experiments] == ["b"]
    every = await stub.SearchExperiments(pb.SearchExperimentsRequest(view_type=pb.VIEW_TYPE_ALL))
    assert len(every.experiments) == 4


@pytest.mark.parametrize(
    ("method", "request_", "code", "reason", "field"),
    [
        ("CreateExperiment", pb.CreateExperimentRequest(), CODE.INVALID_ARGUMENT, "REQUIRED", "name"),
        ("CreateExperiment", pb.CreateExperimentRequest(name="n" * 501), CODE.INVALID_ARGUMENT, "TOO_LONG", "name"),
        (
            "CreateExperiment",
            pb.CreateExperimentRequest(name="Default"),
            CODE.ALREADY_EXISTS,
            "EXPERIMENT_ALREADY_EXISTS",
            "name",
        ),
        (
            "CreateExperiment",
            pb.CreateExperimentRequest(name="n", artifact_location="../folder"),
            CODE.INVALID_ARGUMENT,
            "INVALID_ARGUMENT",
            "artifact_location",
        ),
        (
            "CreateExperiment",
            pb.CreateExperimentRequest(name="n", tags={"k": "v" * 65_537}),
            CODE.INVALID_ARGUMENT,
            "TOO_LONG",
            "tags[k]",
        ),
        ("GetExperiment", pb.GetExperimentRequest(), CODE.INVALID_ARGUMENT, "REQUIRED", "experiment"),
        (
            "GetExperiment",
            pb.GetExperimentRequest(experiment_id="x"),
            CODE.INVALID_ARGUMENT,
            "INVALID_ARGUMENT",
            "experiment_id",
        ),
        (
            "GetExperiment",
            pb.GetExperimentRequest(experiment_id="9"),
            CODE.NOT_FOUND,
            "EXPERIMENT_NOT_FOUND",
            "experiment_id",
        ),
        (
            "UpdateExperiment",
            pb.UpdateExperimentRequest(experiment_id="0", name=""),
            CODE.INVALID_ARGUMENT,
            "REQUIRED",
            "name",
        ),
        (
            "SetExperimentTags",
            pb.SetExperimentTagsRequest(experiment_id="0"),
            CODE.INVALID_ARGUMENT,
            "REQUIRED",
            "tags",
        ),
        (
            "DeleteExperimentTag",
            pb.DeleteExperimentTagRequest(experiment_id="0", key="k"),
            CODE.NOT_FOUND,
            "TAG_NOT_FOUND",
            "key",
        ),
        (
            "RestoreExperiment",
            pb.RestoreExperimentRequest(experiment_id="0"),
            CODE.NOT_FOUND,
            "EXPERIMENT_NOT_FOUND",
            "experiment_id",
        ),
        (
            "SearchExperiments",
            pb.SearchExperimentsRequest(filter="name >"),
            CODE.INVALID_ARGUMENT,
            "BAD_FILTER",
            "filter",
        ),
        (
            "SearchExperiments",
            pb.SearchExperimentsRequest(order_by=["name", "nome"]),
            CODE.INVALID_ARGUMENT,
            "BAD_ORDER_BY",
            "order_by[1]",
        ),
        (
            "SearchExperiments",
            pb.SearchExperimentsRequest(page_token="x"),
            CODE.INVALID_ARGUMENT,
            "BAD_PAGE_TOKEN",
            "page_token",
        ),
        (
            "SearchExperiments",
            pb.SearchExperimentsRequest(view_type=9),
            CODE.INVALID_ARGUMENT,
            "INVALID_ARGUMENT",
            "view_type",
        ),
    ],
)
async def test_bad_call_is_refused_by_code_reason_and_field(
    stub: ExperimentServiceStub, method: str, request_: object, code: grpc.StatusCode, reason: str, field: str
) -> None:
    refused = await refusal(getattr(stub, method)(request_))
    assert (refused.code, refused.reason, refused.fields) == (code, reason, (field,))
    found = await stub.SearchExperiments(pb.SearchExperimentsRequest(view_type=pb.VIEW_TYPE_ALL))
    assert [experiment.name for experiment in found.experiments] == ["Default"]


async def test_deleted_experiment_refuses_changes(stub: ExperimentServiceStub) -> None:
    await stub.DeleteExperiment(pb.DeleteExperimentRequest(experiment_id="0"))
    refused = await refusal(stub.UpdateExperiment(pb.UpdateExperimentRequest(experiment_id="0", name="x")))
    assert (refused.code, refused.reason) == (CODE.FAILED_PRECONDITION, "EXPERIMENT_DELETED")
    assert refused.metadata == {"experiment_id": "0"}

"""Every rpc of ModelRegistryService over a real socket, on SQLite."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from tests.conftest import FakeClock, Serve

from trackwire.v1 import model_registry_pb2 as pb
from trackwire.v1.model_registry_pb2_grpc import ModelRegistryServiceStub
from trackwire_server.core.entities import DEFAULT_EXPERIMENT_ID, ExperimentReference, NewRun, RunStatus
from trackwire_server.core.model_registry import ModelRegistry
from trackwire_server.rpc.model_registry import ModelRegistryServicer, add_to_server
from trackwire_server.rpc.server import Door
from trackwire_server.rpc.status import STATUS_TRAILER
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.logged_models import SqlLoggedModels
from trackwire_server.stores.sql.model_versions import SqlModelVersions
from trackwire_server.stores.sql.registered_models import SqlRegisteredModels
from trackwire_server.stores.sql.runs import SqlRuns

if TYPE_CHECKING:
    from google.protobuf.message import Message

SERVICE = pb.DESCRIPTOR.services_by_name["ModelRegistryService"]
CODE = grpc.StatusCode
SOURCE = "s3://bucket/model"
PRODUCTION = pb.MODEL_STAGE_PRODUCTION


@pytest.fixture
async def stub(database: Database, clock: FakeClock, serve: Serve) -> ModelRegistryServiceStub:
    runs = SqlRuns(database)
    experiment = ExperimentReference(DEFAULT_EXPERIMENT_ID)
    await runs.create_run(NewRun("r1", "calm-owl", experiment, "ann", RunStatus.RUNNING, 1, 1))
    registry = ModelRegistry(
        SqlRegisteredModels(database), SqlModelVersions(database), runs, SqlLoggedModels(database), clock
    )
    servicer = ModelRegistryServicer(registry)
    return ModelRegistryServiceStub(await serve(Door(SERVICE.full_name, lambda s: add_to_server(servicer, s))))


@pytest.fixture
async def digits(stub: ModelRegistryServiceStub) -> ModelRegistryServiceStub:
    """A stub to a registry with three versions of digits."""
    await stub.CreateRegisteredModel(pb.CreateRegisteredModelRequest(name="digits"))
    for _ in range(3):
        await stub.CreateModelVersion(pb.CreateModelVersionRequest(name="digits", source=SOURCE))
    return stub


async def refusal(call: Awaitable[object]) -> tuple[grpc.StatusCode, str, str]:
    """The code, ErrorInfo's reason and the field of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    status = Status.FromString(dict(error.value.trailing_metadata())[STATUS_TRAILER])
    info, field = ErrorInfo(), ""
    for detail in status.details:
        violations = BadRequest()
        if detail.Unpack(violations):
            field = violations.field_violations[0].field
        detail.Unpack(info)
    return error.value.code(), info.reason, field or info.metadata["field"]


async def get_model(stub: ModelRegistryServiceStub, name: str = "digits") -> pb.RegisteredModel:
    answer: pb.GetRegisteredModelResponse = await stub.GetRegisteredModel(pb.GetRegisteredModelRequest(name=name))
    return answer.registered_model


async def get_version(stub: ModelRegistryServiceStub, version: int) -> pb.ModelVersion:
    request = pb.GetModelVersionRequest(name="digits", version=version)
    answer: pb.GetModelVersionResponse = await stub.GetModelVersion(request)
    return answer.model_version


async def test_registered_model_is_created_and_read_back(stub: ModelRegistryServiceStub, clock: FakeClock) -> None:
    request = pb.CreateRegisteredModelRequest(name="digits", description="Reads digits.", tags={"team": "vision"})
    created = (await stub.CreateRegisteredModel(request)).registered_model
    assert created == pb.RegisteredModel(
        name="digits",
        workspace="default",
        description="Reads digits.",
        tags={"team": "vision"},
        creation_time_ms=clock.now_ms,
        last_update_time_ms=clock.now_ms,
    )
    assert await get_model(stub) == created
    taken = await refusal(stub.CreateRegisteredModel(request))
    assert taken == (CODE.ALREADY_EXISTS, "REGISTERED_MODEL_ALREADY_EXISTS", "name")


async def test_registered_model_is_updated_renamed_and_deleted(
    digits: ModelRegistryServiceStub, clock: FakeClock
) -> None:
    now_ms = clock.advance(5)
    described = await digits.UpdateRegisteredModel(pb.UpdateRegisteredModelRequest(name="digits", description="new"))
    assert described.registered_model.last_update_time_ms == now_ms
    kept = await digits.UpdateRegisteredModel(pb.UpdateRegisteredModelRequest(name="digits"))
    assert kept.registered_model.description == "new"
    emptied = await digits.UpdateRegisteredModel(pb.UpdateRegisteredModelRequest(name="digits", description=""))
    assert emptied.registered_model.description == ""
    rename = pb.RenameRegisteredModelRequest(name="digits", new_name="numbers")
    renamed = (await digits.RenameRegisteredModel(rename)).registered_model
    assert (renamed.name, renamed.latest_versions[0].name) == ("numbers", "numbers")
    assert await refusal(digits.RenameRegisteredModel(rename)) == (
        CODE.NOT_FOUND,
        "REGISTERED_MODEL_NOT_FOUND",
        "name",
    )
    await digits.DeleteRegisteredModel(pb.DeleteRegisteredModelRequest(name="numbers"))
    assert (await refusal(get_model(digits, "numbers")))[0] == CODE.NOT_FOUND


async def test_registered_model_tags_are_set_and_deleted(digits: ModelRegistryServiceStub) -> None:
    await digits.SetRegisteredModelTags(pb.SetRegisteredModelTagsRequest(name="digits", tags={"a": "1", "b": ""}))
    for _ in range(2):
        await digits.DeleteRegisteredModelTag(pb.DeleteRegisteredModelTagRequest(name="digits", key="a"))
    assert dict((await get_model(digits)).tags) == {"b": ""}


async def test_aliases_are_set_followed_and_deleted(digits: ModelRegistryServiceStub) -> None:
    await digits.SetRegisteredModelAlias(pb.SetRegisteredModelAliasRequest(name="digits", alias="champion", version=2))
    by_alias = pb.GetModelVersionRequest(name="digits", alias="champion")
    version = (await digits.GetModelVersion(by_alias)).model_version
    assert (version.version, list(version.aliases)) == (2, ["champion"])
    assert dict((await get_model(digits)).aliases) == {"champion": 2}
    latest = await digits.GetModelVersion(pb.GetModelVersionRequest(name="digits", alias="Latest"))
    assert latest.model_version.version == 3
    for _ in range(2):
        await digits.DeleteRegisteredModelAlias(pb.DeleteRegisteredModelAliasRequest(name="digits", alias="champion"))
    assert await refusal(digits.GetModelVersion(by_alias)) == (CODE.NOT_FOUND, "ALIAS_NOT_FOUND", "alias")
    reserved = pb.SetRegisteredModelAliasRequest(name="digits", alias="v3", version=2)
    assert await refusal(digits.SetRegisteredModelAlias(reserved)) == (
        CODE.INVALID_ARGUMENT,
        "RESERVED_ALIAS",
        "alias",
    )


async def test_version_is_created_once_with_its_lineage(digits: ModelRegistryServiceStub, clock: FakeClock) -> None:
    request = pb.CreateModelVersionRequest(
        request_id="q1",
        name="digits",
        source="runs:/r1/model",
        run_link="https://elsewhere/r1",
        user_id="ann",
        description="first",
        tags={"a": "1"},
        model_id="m-1",
    )
    created = (await digits.CreateModelVersion(request)).model_version
    assert created == pb.ModelVersion(
        name="digits",
        version=4,
        description="first",
        source="runs:/r1/model",
        run_id="r1",
        run_link="https://elsewhere/r1",
        user_id="ann",
        status=pb.MODEL_VERSION_STATUS_READY,
        current_stage=pb.MODEL_STAGE_NONE,
        tags={"a": "1"},
        creation_time_ms=clock.now_ms,
        last_update_time_ms=clock.now_ms,
        model_id="m-1",
    )
    copy = pb.CreateModelVersionRequest(name="digits", source="models:/digits/4")
    assert (await digits.CreateModelVersion(copy)).model_version.storage_location == "runs:/r1/model"
    clock.advance(5)
    assert (await digits.CreateModelVersion(request)).model_version == created
    assert await get_version(digits, 4) == created


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"run_id": "r9"}, (CODE.NOT_FOUND, "RUN_NOT_FOUND", "run_id")),
        ({"source": "runs:/r2/m", "run_id": "r1"}, (CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", "run_id")),
        ({"source": "s3://b/%2e%2e/x"}, (CODE.INVALID_ARGUMENT, "UNSAFE_SOURCE", "source")),
        ({"source": "/etc/passwd"}, (CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", "source")),
        ({"name": "letters"}, (CODE.NOT_FOUND, "REGISTERED_MODEL_NOT_FOUND", "name")),
        ({"user_id": "x" * 257}, (CODE.INVALID_ARGUMENT, "TOO_LONG", "user_id")),
    ],
)
async def test_bad_versions_are_refused_and_use_no_number(
    digits: ModelRegistryServiceStub, fields: dict[str, str], refused: tuple[grpc.StatusCode, str, str]
) -> None:
    good = pb.CreateModelVersionRequest(name="digits", source=SOURCE)
    request = pb.CreateModelVersionRequest(name="digits", source=SOURCE)
    for field, value in fields.items():
        setattr(request, field, value)
    assert await refusal(digits.CreateModelVersion(request)) == refused
    created = await digits.CreateModelVersion(good)
    assert created.model_version.version == 4


async def test_versions_move_through_stages(digits: ModelRegistryServiceStub) -> None:
    for version in (1, 2):
        moved = await digits.TransitionModelVersionStage(
            pb.TransitionModelVersionStageRequest(
                name="digits", version=version, stage=PRODUCTION, archive_existing_versions=True
            )
        )
        assert moved.model_version.current_stage == PRODUCTION
    assert (await get_version(digits, 1)).current_stage == pb.MODEL_STAGE_ARCHIVED
    everything = await digits.GetLatestModelVersions(pb.GetLatestModelVersionsRequest(name="digits"))
    assert [version.version for version in everything.model_versions] == [1, 2, 3]
    one = await digits.GetLatestModelVersions(pb.GetLatestModelVersionsRequest(name="digits", stages=[PRODUCTION]))
    assert [version.version for version in one.model_versions] == [2]


@pytest.mark.parametrize(("stage", "reason"), [(0, "REQUIRED"), (99, "INVALID_ARGUMENT")])
async def test_stages_that_there_are_not_are_refused(
    digits: ModelRegistryServiceStub, stage: pb.ModelStage, reason: str
) -> None:
    move = pb.TransitionModelVersionStageRequest(name="digits", version=1, stage=stage)
    assert await refusal(digits.TransitionModelVersionStage(move)) == (CODE.INVALID_ARGUMENT, reason, "stage")
    latest = pb.GetLatestModelVersionsRequest(name="digits", stages=[PRODUCTION, stage])
    assert await refusal(digits.GetLatestModelVersions(latest)) == (CODE.INVALID_ARGUMENT, reason, "stages[1]")


async def test_only_staging_and_production_archive_the_others(digits: ModelRegistryServiceStub) -> None:
    move = pb.TransitionModelVersionStageRequest(
        name="digits", version=1, stage=pb.MODEL_STAGE_NONE, archive_existing_versions=True
    )
    refused = await refusal(digits.TransitionModelVersionStage(move))
    assert refused == (CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", "archive_existing_versions")


async def test_version_is_updated_tagged_and_deleted(digits: ModelRegistryServiceStub, clock: FakeClock) -> None:
    now_ms = clock.advance(5)
    update = pb.UpdateModelVersionRequest(name="digits", version=2, description="best")
    assert (await digits.UpdateModelVersion(update)).model_version.description == "best"
    kept = await digits.UpdateModelVersion(pb.UpdateModelVersionRequest(name="digits", version=2))
    assert kept.model_version.description == "best"
    tags = {"a": "1", "b": "2"}
    await digits.SetModelVersionTags(pb.SetModelVersionTagsRequest(name="digits", version=2, tags=tags))
    for _ in range(2):
        await digits.DeleteModelVersionTag(pb.DeleteModelVersionTagRequest(name="digits", version=2, key="a"))
    version = await get_version(digits, 2)
    assert (dict(version.tags), version.last_update_time_ms) == ({"b": "2"}, now_ms)
    delete = pb.DeleteModelVersionRequest(name="digits", version=2)
    await digits.DeleteModelVersion(delete)
    assert await refusal(digits.DeleteModelVersion(delete)) == (
        CODE.NOT_FOUND,
        "MODEL_VERSION_NOT_FOUND",
        "version",
    )


async def test_searches_page_through_everything_once(digits: ModelRegistryServiceStub) -> None:
    for name in ("letters", "numbers"):
        await digits.CreateRegisteredModel(pb.CreateRegisteredModelRequest(name=name))
    request = pb.SearchRegisteredModelsRequest(filter="name LIKE '%s'", order_by=["name DESC"], page_size=2)
    first = await digits.SearchRegisteredModels(request)
    request.page_token = first.next_page_token
    second = await digits.SearchRegisteredModels(request)
    names = [model.name for page in (first, second) for model in page.registered_models]
    assert (names, second.next_page_token) == (["numbers", "letters", "digits"], "")
    request.filter = ""
    assert await refusal(digits.SearchRegisteredModels(request)) == (
        CODE.INVALID_ARGUMENT,
        "PAGE_TOKEN_MISMATCH",
        "page_token",
    )
    found = await digits.SearchModelVersions(
        pb.SearchModelVersionsRequest(filter="name = 'digits' AND version_number < 3", order_by=["version_number"])
    )
    assert [version.version for version in found.model_versions] == [1, 2]


async def test_malformed_filter_is_refused(stub: ModelRegistryServiceStub) -> None:
    for call in (
        stub.SearchRegisteredModels(pb.SearchRegisteredModelsRequest(filter="name = ")),
        stub.SearchModelVersions(pb.SearchModelVersionsRequest(filter="name = ")),
    ):
        assert await refusal(call) == (CODE.INVALID_ARGUMENT, "BAD_FILTER", "filter")


@pytest.mark.parametrize("method", [method.name for method in SERVICE.methods if not method.name.startswith("Search")])
async def test_empty_request_is_refused_by_field(stub: ModelRegistryServiceStub, method: str) -> None:
    call: Callable[[Message], Awaitable[object]] = getattr(stub, method)
    code, reason, field = await refusal(call(getattr(pb, f"{method}Request")()))
    assert (code, reason) == (CODE.INVALID_ARGUMENT, "REQUIRED")
    assert field in ("name", "stage", "selector")

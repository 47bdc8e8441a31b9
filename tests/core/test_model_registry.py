"""The rules of the model registry, over the memory stores."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import FakeClock

from trackwire_server.core.entities import (
    DEFAULT_EXPERIMENT_ID,
    ExperimentReference,
    ModelStage,
    ModelVersion,
    NewModelVersion,
    NewRun,
    RunStatus,
)
from trackwire_server.core.errors import InvalidArgument, NotFound, TrackwireError
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.model_names import check_source
from trackwire_server.core.model_registry import ModelRegistry
from trackwire_server.core.searching import SearchRequest
from trackwire_server.stores.memory.logged_models import MemoryLoggedModels
from trackwire_server.stores.memory.model_registry import (
    MemoryModelVersions,
    MemoryRegisteredModels,
    ModelRegistryState,
)
from trackwire_server.stores.memory.runs import MemoryRuns
from trackwire_server.stores.memory.state import MemoryState


@pytest.fixture
async def registry(memory_state: MemoryState, clock: FakeClock) -> ModelRegistry:
    """A registry beside one run, r1; its clock begins at 1,000 and stands still."""
    clock.now_ms = 1_000
    runs = MemoryRuns(memory_state)
    experiment = ExperimentReference(DEFAULT_EXPERIMENT_ID)
    await runs.create_run(NewRun("r1", "calm-owl", experiment, "ann", RunStatus.RUNNING, 1, 1))
    state = ModelRegistryState()
    return ModelRegistry(
        MemoryRegisteredModels(state), MemoryModelVersions(state), runs, MemoryLoggedModels(memory_state), clock
    )


@pytest.fixture
async def digits(registry: ModelRegistry) -> ModelRegistry:
    """A registry with three versions of digits."""
    await registry.create_registered_model("digits")
    for _ in range(3):
        await add(registry)
    return registry


async def add(
    registry: ModelRegistry, source: str = "s3://bucket/model", *, run_id: str = "", request_id: str = ""
) -> ModelVersion:
    return await registry.create_model_version(
        NewModelVersion("digits", source, 0, run_id=run_id, request_id=request_id)
    )


def refused(error: pytest.ExceptionInfo[TrackwireError]) -> tuple[str | None, str]:
    return error.value.metadata.get("field"), error.value.reason


async def test_model_is_created_now(registry: ModelRegistry) -> None:
    model = await registry.create_registered_model("digits", description="d", tags={"a": "1"})
    assert (model.creation_time_ms, model.last_update_time_ms, model.tags) == (1_000, 1_000, {"a": "1"})


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "REQUIRED"),
        ("   ", "REQUIRED"),
        ("a/b", "INVALID_ARGUMENT"),
        ("a:b", "INVALID_ARGUMENT"),
        (".", "INVALID_ARGUMENT"),
        ("..", "INVALID_ARGUMENT"),
        ("a\nb", "INVALID_ARGUMENT"),
        ("a\0b", "INVALID_ARGUMENT"),
        ("x" * 251, "TOO_LONG"),
    ],
)
async def test_bad_names_are_refused(digits: ModelRegistry, name: str, reason: str) -> None:
    with pytest.raises(InvalidArgument) as error:
        await digits.create_registered_model(name)
    assert refused(error) == ("name", reason)
    with pytest.raises(InvalidArgument) as error:
        await digits.rename_registered_model("digits", name)
    assert refused(error) == ("new_name", reason)


@pytest.mark.parametrize("name", ["x" * 250, "Zähler 数字", "a.b", "…", "a b-c_d%20"])
async def test_good_names_are_taken_as_they_are(registry: ModelRegistry, name: str) -> None:
    assert (await registry.create_registered_model(name)).name == name


async def test_limits_are_named(digits: ModelRegistry) -> None:
    long = "x" * (LIMITS.description_characters + 1)
    with pytest.raises(InvalidArgument, match="at most 65,536") as error:
        await digits.update_registered_model("digits", description=long)
    assert error.value.metadata["limit"] == "65536"
    with pytest.raises(InvalidArgument, match="at most 100,000") as error:
        await digits.set_model_version_tags("digits", 1, {"k": "x" * 100_001})
    assert error.value.metadata["field"] == "tags[k]"
    with pytest.raises(InvalidArgument, match="at least one entry"):
        await digits.set_registered_model_tags("digits", {})
    with pytest.raises(InvalidArgument, match="at most 64"):
        await add(digits, request_id="x" * 65)


async def test_no_description_is_no_change(digits: ModelRegistry, clock: FakeClock) -> None:
    clock.advance(1_000)
    before = await digits.get_registered_model("digits")
    assert await digits.update_registered_model("digits", description=None) == before
    assert await digits.update_model_version("digits", 3, description=None) == before.latest_versions[0]
    emptied = await digits.update_registered_model("digits", description="")
    assert (emptied.description, emptied.last_update_time_ms) == ("", 2_000)


@pytest.mark.parametrize("alias", ["latest", "LATEST", "v1", "V22", "", "a b", "a.b", "a/b", "x" * 256])
async def test_bad_aliases_are_refused(digits: ModelRegistry, alias: str) -> None:
    with pytest.raises(InvalidArgument) as error:
        await digits.set_registered_model_alias("digits", alias, 1)
    assert refused(error)[0] == "alias"
    assert (await digits.get_registered_model("digits")).aliases == {}


@pytest.mark.parametrize("alias", ["champion", "v", "v1a", "1", "_-_", "neuester", "größter", "x" * 255])
async def test_good_aliases_point_at_a_version(digits: ModelRegistry, alias: str) -> None:
    await digits.set_registered_model_alias("digits", alias, 2)
    assert (await digits.get_model_version("digits", alias)).version == 2


@pytest.mark.parametrize("alias", ["latest", "Latest", "LATEST"])
async def test_latest_is_the_highest_number_of_any_stage(digits: ModelRegistry, alias: str) -> None:
    await digits.transition_model_version_stage("digits", 3, ModelStage.ARCHIVED)
    assert (await digits.get_model_version("digits", alias)).version == 3
    await digits.delete_model_version("digits", 3)
    assert (await digits.get_model_version("digits", alias)).version == 2


async def test_latest_of_no_versions_is_not_found(registry: ModelRegistry) -> None:
    await registry.create_registered_model("empty")
    with pytest.raises(NotFound, match="model version 'empty/latest' does not exist"):
        await registry.get_model_version("empty", "latest")


async def test_missing_alias_is_named(digits: ModelRegistry) -> None:
    with pytest.raises(NotFound, match="alias 'digits@zz' does not exist") as error:
        await digits.get_model_version("digits", "zz")
    assert refused(error) == ("alias", "ALIAS_NOT_FOUND")


@pytest.mark.parametrize("version", [0, -1, 2**31, 2**63 - 1])
async def test_numbers_that_no_version_can_have_are_refused(digits: ModelRegistry, version: int) -> None:
    with pytest.raises(InvalidArgument) as error:
        await digits.get_model_version("digits", version)
    assert refused(error)[0] == "version"


async def test_run_of_the_source_is_the_lineage(digits: ModelRegistry) -> None:
    assert (await add(digits, "runs:/r1/model")).run_id == "r1"
    assert (await add(digits, "runs:/r1/model", run_id="r1")).run_id == "r1"
    assert (await add(digits, "s3://bucket/model", run_id="r1")).run_id == "r1"
    assert (await add(digits, "s3://bucket/model")).run_id == ""


@pytest.mark.parametrize("scheme", ["runs", "Runs"])
async def test_run_that_differs_from_the_source_is_refused(digits: ModelRegistry, scheme: str) -> None:
    with pytest.raises(InvalidArgument, match="differs from the run in source") as error:
        await add(digits, f"{scheme}:/r2/model", run_id="r1")
    assert refused(error)[0] == "run_id"


async def test_lineage_to_a_missing_run_stores_nothing(digits: ModelRegistry) -> None:
    for source, run_id in (("runs:/r9/model", ""), ("s3://bucket/model", "r9")):
        with pytest.raises(NotFound, match="run 'r9' does not exist"):
            await add(digits, source, run_id=run_id)
    assert (await digits.get_model_version("digits", "latest")).version == 3


@pytest.mark.parametrize("source", ["runs:/", "runs:/r1", "runs:/r1/", "runs://", "runs:r1/model", "runs:/r 1/model"])
async def test_run_sources_name_a_run_and_a_path(digits: ModelRegistry, source: str) -> None:
    with pytest.raises(InvalidArgument) as error:
        await add(digits, source)
    assert refused(error)[0] == "source"


@pytest.mark.parametrize(
    "source",
    [
        "",
        "model",
        "/srv/model",
        "C:\\models\\m",
        "s3://bucket/../secret",
        "s3://bucket/..",
        "file:../etc",
        "s3://bucket\\..\\x",
        "s3://bucket/%2e%2e/x",
        "s3://bucket/%2E./x",
        "s3://bucket/%252e%252e%252fx",
        "s3://bucket/..%2fx",
        "s3://bucket/a\0b",
        "s3://bucket/a%00b",
        "s3://bucket/a%2500b",
        "s3://bucket/a%0ab",
        "s3://" + "x" * 2_048,
    ],
)
def test_bad_sources_are_refused(source: str) -> None:
    with pytest.raises(InvalidArgument) as error:
        check_source("source", source)
    assert refused(error)[0] == "source"


@pytest.mark.parametrize(
    "source",
    [
        "s3://bucket/model",
        "file:///srv/model",
        "trackwire-artifacts:/0/r1/artifacts/model",
        "models:/digits/1",
        "dbfs:/a/b..c/...",
        "s3://bucket/a%20b?version=1#x",
        "https://host/100%",
    ],
)
def test_good_sources_are_kept_as_they_are(source: str) -> None:
    assert check_source("source", source) == source


@given(st.text(alphabet="%25e.E/\\0a", max_size=40))
def test_no_source_that_passes_climbs_once_decoded(path: str) -> None:
    try:
        decoded = check_source("source", f"s3://bucket/{path}")
    except InvalidArgument:
        return
    for _ in range(40):
        assert ".." not in decoded.replace("\\", "/").split("/")
        assert "\0" not in decoded
        decoded = unquote(decoded)


@pytest.mark.parametrize("stage", [ModelStage.NONE, ModelStage.ARCHIVED])
async def test_only_staging_and_production_archive_the_others(digits: ModelRegistry, stage: ModelStage) -> None:
    with pytest.raises(InvalidArgument, match=f"only for the stages Staging and Production, and stage is {stage}"):
        await digits.transition_model_version_stage("digits", 1, stage, archive_existing_versions=True)


async def test_latest_versions_are_those_of_the_stages_asked_for(digits: ModelRegistry) -> None:
    await digits.transition_model_version_stage("digits", 1, ModelStage.PRODUCTION)
    await digits.transition_model_version_stage("digits", 2, ModelStage.PRODUCTION)

    async def latest(*stages: ModelStage) -> list[int]:
        return [version.version for version in await digits.get_latest_model_versions("digits", stages)]

    assert await latest() == [2, 3]
    assert await latest(ModelStage.PRODUCTION) == [2]
    assert await latest(ModelStage.STAGING) == []
    await digits.transition_model_version_stage("digits", 3, ModelStage.PRODUCTION, archive_existing_versions=True)
    assert await latest() == [2, 3]


async def test_retry_answers_with_the_first_version(digits: ModelRegistry, clock: FakeClock) -> None:
    first = await add(digits, request_id="q1")
    clock.advance(1_000)
    assert await add(digits, request_id="q1") == first
    await digits.create_registered_model("letters")
    with pytest.raises(InvalidArgument) as error:
        await digits.create_model_version(NewModelVersion("letters", "s3://b/m", 0, request_id="q1"))
    assert refused(error) == ("request_id", "REQUEST_ID_REUSED")


async def test_searches_page_by_token(digits: ModelRegistry) -> None:
    request = SearchRequest("name = 'digits'", ("version_number",), 2)
    first, token = await digits.search_model_versions(request)
    again = SearchRequest(request.filter, request.order_by, 2, token)
    second, end = await digits.search_model_versions(again)
    assert [version.version for version in (*first, *second)] == [1, 2, 3]
    assert (bool(token), end) == (True, "")
    with pytest.raises(InvalidArgument) as error:
        await digits.search_registered_models(SearchRequest(page_token=token))
    assert refused(error) == ("page_token", "PAGE_TOKEN_MISMATCH")


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (SearchRequest("name = "), "filter"),
        (SearchRequest("metrics.loss < 1"), "filter"),
        (SearchRequest(order_by=("colour",)), "order_by[0]"),
        (SearchRequest(page_size=-1), "page_size"),
        (SearchRequest(page_size=200_001), "page_size"),
    ],
)
async def test_malformed_searches_are_refused(registry: ModelRegistry, request_: SearchRequest, field: str) -> None:
    for search in (registry.search_registered_models, registry.search_model_versions):
        with pytest.raises(InvalidArgument) as error:
            await search(request_)
        assert refused(error)[0] == field

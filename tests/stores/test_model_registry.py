"""The contract of RegisteredModelStore and ModelVersionStore, over every store that keeps it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from trackwire_server.core.entities import (
    ModelStage,
    ModelVersion,
    ModelVersionStatus,
    NewModelVersion,
    NewRegisteredModel,
    RegisteredModel,
)
from trackwire_server.core.errors import AlreadyExists, InvalidArgument, NotFound
from trackwire_server.core.paging import SearchQuery
from trackwire_server.core.searching import SearchRequest, parse_search
from trackwire_server.core.stores import ModelVersionStore, RegisteredModelStore
from trackwire_server.search import MODEL_VERSIONS, REGISTERED_MODELS, Vocabulary
from trackwire_server.stores.memory.model_registry import (
    MemoryModelVersions,
    MemoryRegisteredModels,
    ModelRegistryState,
)
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.model_versions import SqlModelVersions
from trackwire_server.stores.sql.registered_models import SqlRegisteredModels


@dataclass(frozen=True)
class Registry:
    """Both stores of one registry."""

    models: RegisteredModelStore
    versions: ModelVersionStore

    async def register(self, name: str = "digits", *, versions: int = 0, time_ms: int = 1_000) -> None:
        """A registered model with so many versions."""
        await self.models.create_registered_model(NewRegisteredModel(name, time_ms))
        for _ in range(versions):
            await self.add(name, time_ms=time_ms)

    async def add(self, name: str = "digits", *, time_ms: int = 1_000, request_id: str = "") -> ModelVersion:
        """One more version."""
        return await self.versions.create_model_version(
            NewModelVersion(name, "s3://bucket/model", time_ms, request_id=request_id)
        )

    async def names(self, filter_text: str = "", *order_by: str) -> list[str]:
        """The names of the registered models that a search finds, in its order."""
        query = parsed(REGISTERED_MODELS, filter_text, order_by)
        return [model.name for model in (await self.models.search_registered_models(query)).items]

    async def numbers(self, filter_text: str = "", *order_by: str) -> list[str]:
        """The versions that a search finds, as name/version, in its order."""
        query = parsed(MODEL_VERSIONS, filter_text, order_by)
        found = (await self.versions.search_model_versions(query)).items
        return [f"{version.name}/{version.version}" for version in found]


def parsed(vocabulary: Vocabulary, filter_text: str, order_by: Sequence[str], page_size: int = 0) -> SearchQuery:
    """The query that this text means."""
    request = SearchRequest(filter_text, order_by, page_size)
    return parse_search(request, vocabulary, page_size_default=1_000, page_size_max=200_000).query


@pytest.fixture(params=["memory", "sqlite"])
async def registry(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Registry]:
    if request.param == "memory":
        state = ModelRegistryState()
        yield Registry(MemoryRegisteredModels(state), MemoryModelVersions(state))
        return
    database = await Database.open(f"sqlite:///{tmp_path}/registry.db")
    yield Registry(SqlRegisteredModels(database), SqlModelVersions(database))
    await database.close()


async def test_created_model_is_read_back_whole(registry: Registry) -> None:
    new = NewRegisteredModel("digits", 1_000, description="Reads digits.", tags={"team": "vision"})
    created = await registry.models.create_registered_model(new)
    assert created == RegisteredModel("digits", 1_000, 1_000, description="Reads digits.", tags={"team": "vision"})
    assert await registry.models.get_registered_model("digits") == created


async def test_name_is_registered_once(registry: Registry) -> None:
    await registry.register()
    with pytest.raises(AlreadyExists, match="registered model 'digits' exists already"):
        await registry.register()


async def test_names_differ_by_case(registry: Registry) -> None:
    await registry.register("digits")
    await registry.register("Digits", versions=1)
    assert (await registry.models.get_registered_model("digits")).latest_versions == ()


async def test_model_description_changes_and_the_rest_stays(registry: Registry) -> None:
    await registry.register(versions=1)
    changed = await registry.models.update_registered_model("digits", description="new", now_ms=2_000)
    assert (changed.name, changed.description) == ("digits", "new")
    assert (changed.creation_time_ms, changed.last_update_time_ms) == (1_000, 2_000)
    assert changed == await registry.models.get_registered_model("digits")


async def test_rename_moves_versions_tags_and_aliases(registry: Registry) -> None:
    await registry.register(versions=2)
    await registry.models.set_alias("digits", "champion", 1, now_ms=1_500)
    await registry.models.change_registered_model_tags("digits", changed={"a": "1"}, now_ms=1_500)
    renamed = await registry.models.update_registered_model("digits", new_name="numbers", now_ms=2_000)
    assert (renamed.name, renamed.aliases, renamed.tags) == ("numbers", {"champion": 1}, {"a": "1"})
    assert (await registry.versions.get_model_version("numbers", "champion")).name == "numbers"
    assert (await registry.add("numbers")).version == 3
    with pytest.raises(NotFound):
        await registry.models.get_registered_model("digits")


async def test_rename_to_a_taken_name_changes_nothing(registry: Registry) -> None:
    await registry.register("digits")
    await registry.register("letters")
    with pytest.raises(AlreadyExists, match="letters") as error:
        await registry.models.update_registered_model("digits", new_name="letters", now_ms=2_000)
    assert error.value.metadata["field"] == "new_name"
    assert (await registry.models.get_registered_model("digits")).last_update_time_ms == 1_000


async def test_rename_to_its_own_name_is_fine(registry: Registry) -> None:
    await registry.register()
    renamed = await registry.models.update_registered_model("digits", new_name="digits", now_ms=2_000)
    assert (renamed.name, renamed.last_update_time_ms) == ("digits", 2_000)


async def test_deleted_model_leaves_nothing_behind(registry: Registry) -> None:
    await registry.register()
    await registry.add(request_id="first")
    await registry.models.set_alias("digits", "champion", 1, now_ms=1_500)
    await registry.versions.change_model_version_tags("digits", 1, changed={"a": "1"}, now_ms=1_500)
    await registry.models.delete_registered_model("digits")
    with pytest.raises(NotFound):
        await registry.models.delete_registered_model("digits")
    await registry.register()
    assert (await registry.models.get_registered_model("digits")).aliases == {}
    made = await registry.add(request_id="first", time_ms=3_000)
    assert (made.version, made.creation_time_ms, made.tags) == (1, 3_000, {})


async def test_model_tags_are_set_replaced_and_deleted(registry: Registry) -> None:
    await registry.register()
    await registry.models.change_registered_model_tags("digits", changed={"a": "1", "b": "1"}, now_ms=2_000)
    await registry.models.change_registered_model_tags(
        "digits", changed={"a": "2"}, deleted=("b", "missing"), now_ms=3_000
    )
    model = await registry.models.get_registered_model("digits")
    assert (model.tags, model.last_update_time_ms) == ({"a": "2"}, 3_000)


async def test_version_is_read_back_whole(registry: Registry) -> None:
    await registry.register()
    new = NewModelVersion(
        name="digits",
        source="runs:/r1/model",
        creation_time_ms=2_000,
        run_id="r1",
        run_link="https://elsewhere/r1",
        user_id="ann",
        description="first",
        tags={"a": "1"},
        model_id="m-1",
        storage_location="s3://bucket/m-1",
    )
    created = await registry.versions.create_model_version(new)
    assert created == ModelVersion(
        name="digits",
        version=1,
        source="runs:/r1/model",
        creation_time_ms=2_000,
        last_update_time_ms=2_000,
        description="first",
        run_id="r1",
        run_link="https://elsewhere/r1",
        user_id="ann",
        status=ModelVersionStatus.READY,
        tags={"a": "1"},
        model_id="m-1",
        storage_location="s3://bucket/m-1",
    )
    assert await registry.versions.get_model_version("digits", 1) == created
    assert (await registry.models.get_registered_model("digits")).last_update_time_ms == 2_000


async def test_numbers_of_deleted_versions_are_not_used_again(registry: Registry) -> None:
    await registry.register(versions=3)
    await registry.versions.delete_model_version("digits", 3, now_ms=2_000)
    await registry.versions.delete_model_version("digits", 1, now_ms=2_000)
    assert (await registry.add()).version == 4
    with pytest.raises(NotFound, match="model version 'digits/3' does not exist"):
        await registry.versions.get_model_version("digits", 3)


async def test_each_model_counts_its_own_versions(registry: Registry) -> None:
    await registry.register("a", versions=2)
    await registry.register("b", versions=1)
    assert [(await registry.add("a")).version, (await registry.add("b")).version] == [3, 2]


async def test_versions_made_at_once_have_different_numbers(registry: Registry) -> None:
    await registry.register()
    made = await asyncio.gather(*(registry.add(request_id=f"q{number % 10}") for number in range(20)))
    assert sorted(version.version for version in made) == sorted([*range(1, 11), *range(1, 11)])


async def test_same_request_id_makes_one_version(registry: Registry) -> None:
    await registry.register()
    first = await registry.add(request_id="q1")
    assert await registry.add(request_id="q1", time_ms=5_000) == first
    assert (await registry.add(request_id="q2")).version == 2
    assert (await registry.models.get_registered_model("digits")).last_update_time_ms == 1_000


async def test_request_id_of_another_model_is_refused(registry: Registry) -> None:
    await registry.register("a")
    await registry.register("b")
    await registry.add("a", request_id="q1")
    with pytest.raises(InvalidArgument, match="made 'a/1' already") as error:
        await registry.add("b", request_id="q1")
    assert error.value.reason == "REQUEST_ID_REUSED"
    assert (await registry.add("b")).version == 1


async def test_request_id_of_a_deleted_version_makes_a_new_one(registry: Registry) -> None:
    await registry.register()
    await registry.add(request_id="q1")
    await registry.versions.delete_model_version("digits", 1, now_ms=2_000)
    assert (await registry.add(request_id="q1")).version == 2


async def test_alias_moves_and_is_deleted(registry: Registry) -> None:
    await registry.register(versions=2)
    for version in (1, 2, 2):
        await registry.models.set_alias("digits", "champion", version, now_ms=2_000)
    await registry.models.set_alias("digits", "a", 2, now_ms=3_000)
    assert (await registry.versions.get_model_version("digits", "champion")).aliases == ("a", "champion")
    assert (await registry.versions.get_model_version("digits", 1)).aliases == ()
    model = await registry.models.get_registered_model("digits")
    assert (model.aliases, model.last_update_time_ms) == ({"champion": 2, "a": 2}, 3_000)
    for _ in range(2):
        await registry.models.set_alias("digits", "champion", None, now_ms=4_000)
    with pytest.raises(NotFound, match="alias 'digits@champion' does not exist"):
        await registry.versions.get_model_version("digits", "champion")


async def test_alias_of_a_missing_version_changes_nothing(registry: Registry) -> None:
    await registry.register(versions=1)
    await registry.models.set_alias("digits", "champion", 1, now_ms=1_000)
    with pytest.raises(NotFound, match="digits/7"):
        await registry.models.set_alias("digits", "champion", 7, now_ms=2_000)
    model = await registry.models.get_registered_model("digits")
    assert (model.aliases, model.last_update_time_ms) == ({"champion": 1}, 1_000)


async def test_deleted_version_takes_its_aliases_along(registry: Registry) -> None:
    await registry.register(versions=2)
    await registry.models.set_alias("digits", "old", 1, now_ms=1_000)
    await registry.models.set_alias("digits", "new", 2, now_ms=1_000)
    await registry.versions.delete_model_version("digits", 1, now_ms=2_000)
    model = await registry.models.get_registered_model("digits")
    assert (model.aliases, model.last_update_time_ms) == ({"new": 2}, 2_000)


async def test_latest_versions_are_the_highest_of_each_stage(registry: Registry) -> None:
    await registry.register(versions=5)
    for version, stage in ((2, ModelStage.STAGING), (3, ModelStage.STAGING), (4, ModelStage.PRODUCTION)):
        await registry.versions.transition_stage("digits", version, stage, archive_existing=False, now_ms=2_000)
    await registry.models.set_alias("digits", "champion", 4, now_ms=2_000)
    await registry.versions.change_model_version_tags("digits", 4, changed={"a": "1"}, now_ms=3_000)
    model = await registry.models.get_registered_model("digits")
    assert [(v.version, v.current_stage) for v in model.latest_versions] == [
        (3, ModelStage.STAGING),
        (4, ModelStage.PRODUCTION),
        (5, ModelStage.NONE),
    ]
    assert list(model.latest_versions) == [await registry.versions.get_model_version("digits", n) for n in (3, 4, 5)]
    assert model.latest_versions[1].aliases == ("champion",)


async def test_transition_archives_the_others_of_that_stage_only(registry: Registry) -> None:
    await registry.register(versions=4)
    await registry.register("other", versions=1)
    production, staging = ModelStage.PRODUCTION, ModelStage.STAGING
    for name, version, stage in (("digits", 1, production), ("digits", 2, staging), ("other", 1, production)):
        await registry.versions.transition_stage(name, version, stage, archive_existing=False, now_ms=2_000)
    for _ in range(2):
        moved = await registry.versions.transition_stage("digits", 4, production, archive_existing=True, now_ms=3_000)
        assert (moved.current_stage, moved.last_update_time_ms) == (production, 3_000)
    versions = [await registry.versions.get_model_version("digits", version) for version in (1, 2, 3, 4)]
    assert [(v.current_stage, v.last_update_time_ms) for v in versions] == [
        (ModelStage.ARCHIVED, 3_000),
        (staging, 2_000),
        (ModelStage.NONE, 1_000),
        (production, 3_000),
    ]
    assert (await registry.versions.get_model_version("other", 1)).current_stage == production


async def test_words_about_a_version_touch_it_and_not_its_model(registry: Registry) -> None:
    await registry.register(versions=1)
    described = await registry.versions.update_model_version("digits", 1, description="best", now_ms=2_000)
    assert (described.description, described.last_update_time_ms) == ("best", 2_000)
    kept = await registry.versions.update_model_version("digits", 1, description=None, now_ms=3_000)
    assert kept.description == "best"
    await registry.versions.change_model_version_tags("digits", 1, changed={"a": "1", "b": "1"}, now_ms=4_000)
    await registry.versions.change_model_version_tags("digits", 1, changed={}, deleted=("a", "zz"), now_ms=5_000)
    version = await registry.versions.get_model_version("digits", 1)
    assert (version.tags, version.last_update_time_ms, version.creation_time_ms) == ({"b": "1"}, 5_000, 1_000)
    assert (await registry.models.get_registered_model("digits")).last_update_time_ms == 1_000


async def test_every_method_names_what_is_missing(registry: Registry) -> None:
    await registry.register(versions=1)
    stage = ModelStage.STAGING
    for name, version, missing in (("letters", 1, "registered model 'letters'"), ("digits", 9, "'digits/9'")):
        calls = (
            registry.versions.get_model_version(name, version),
            registry.versions.update_model_version(name, version, description="x", now_ms=9_000),
            registry.versions.transition_stage(name, version, stage, archive_existing=True, now_ms=9_000),
            registry.versions.delete_model_version(name, version, now_ms=9_000),
            registry.versions.change_model_version_tags(name, version, changed={"a": "1"}, now_ms=9_000),
            registry.models.set_alias(name, "champion", version, now_ms=9_000),
        )
        for call in calls:
            with pytest.raises(NotFound, match=missing):
                await call
    for nameless in (
        registry.models.get_registered_model("letters"),
        registry.models.update_registered_model("letters", new_name="x", now_ms=9_000),
        registry.models.change_registered_model_tags("letters", changed={"a": "1"}, now_ms=9_000),
        registry.models.set_alias("letters", "champion", None, now_ms=9_000),
        registry.versions.get_model_version("letters", "champion"),
        registry.add("letters"),
    ):
        with pytest.raises(NotFound, match="registered model 'letters'"):
            await nameless
    assert (await registry.models.get_registered_model("digits")).last_update_time_ms == 1_000


async def _zoo(registry: Registry) -> None:
    for name, time_ms, tags in (
        ("ant", 1_000, {"kind": "insect"}),
        ("Bee", 3_000, {"kind": "insect", "mlflow.prompt.is_prompt": "true"}),
        ("cat", 2_000, {}),
    ):
        new = NewRegisteredModel(name, time_ms, description=f"A {name}.", tags=tags)
        await registry.models.create_registered_model(new)


@pytest.mark.parametrize(
    ("filter_text", "found"),
    [
        ("", ["Bee", "ant", "cat"]),
        ("name = 'ant'", ["ant"]),
        ("name LIKE '%t'", ["ant", "cat"]),
        ("name LIKE 'b%'", []),
        ("name ILIKE 'b%'", ["Bee"]),
        ("name IN ('cat', 'dog', 'Bee')", ["Bee", "cat"]),
        ("tags.kind = 'insect'", ["Bee", "ant"]),
        ("tag.`mlflow.prompt.is_prompt` != 'true'", ["ant", "cat"]),
        ("tags.kind IS NULL OR name = 'ant'", ["ant", "cat"]),
        ("NOT (tags.kind = 'insect' AND name = 'ant')", ["Bee", "cat"]),
        ("creation_timestamp >= 2000", ["Bee", "cat"]),
        ("last_updated_timestamp < 2000", ["ant"]),
        ("description LIKE 'A c%'", ["cat"]),
    ],
)
async def test_registered_models_are_found(registry: Registry, filter_text: str, found: list[str]) -> None:
    await _zoo(registry)
    assert await registry.names(filter_text) == found


async def test_registered_models_are_ordered(registry: Registry) -> None:
    await _zoo(registry)
    assert await registry.names("", "name DESC") == ["cat", "ant", "Bee"]
    assert await registry.names("", "timestamp DESC") == ["Bee", "cat", "ant"]
    assert await registry.names("", "tags.kind") == ["Bee", "ant", "cat"]


async def test_found_models_are_whole(registry: Registry) -> None:
    await _zoo(registry)
    for name in ("ant", "cat"):
        await registry.add(name, time_ms=4_000)
        await registry.add(name, time_ms=4_000)
        await registry.models.set_alias(name, "champion", 1, now_ms=5_000)
        await registry.versions.change_model_version_tags(name, 2, changed={"of": name}, now_ms=6_000)
    page = await registry.models.search_registered_models(parsed(REGISTERED_MODELS, "", ()))
    assert page.next_position is None
    assert list(page.items) == [await registry.models.get_registered_model(name) for name in ("Bee", "ant", "cat")]


async def _fleet(registry: Registry) -> None:
    await registry.register("a", versions=3, time_ms=1_000)
    await registry.register("b", versions=2, time_ms=2_000)
    new = NewModelVersion("b", "runs:/r1/model", 3_000, run_id="r1", tags={"gpu": "yes"})
    await registry.versions.create_model_version(new)
    await registry.versions.transition_stage("a", 2, ModelStage.STAGING, archive_existing=False, now_ms=4_000)


@pytest.mark.parametrize(
    ("filter_text", "found"),
    [
        ("", ["a/2", "b/3", "b/2", "b/1", "a/3", "a/1"]),
        ("name = 'a'", ["a/2", "a/3", "a/1"]),
        ("run_id = 'r1'", ["b/3"]),
        ("run_id IN ('r1', 'r2')", ["b/3"]),
        ("source_path LIKE 'runs:/%'", ["b/3"]),
        ("version_number > 2", ["b/3", "a/3"]),
        ("tags.gpu != 'yes' AND name = 'b'", ["b/2", "b/1"]),
        ("current_stage = 'staging'", ["a/2"]),
        ("status = 'READY' AND creation_timestamp = 3000", ["b/3"]),
        ("NOT name = 'a' AND last_updated_timestamp <= 2000", ["b/2", "b/1"]),
    ],
)
async def test_versions_are_found(registry: Registry, filter_text: str, found: list[str]) -> None:
    await _fleet(registry)
    assert await registry.numbers(filter_text) == found


async def test_versions_are_ordered(registry: Registry) -> None:
    await _fleet(registry)
    assert await registry.numbers("", "version_number") == ["a/1", "b/1", "a/2", "b/2", "a/3", "b/3"]
    assert await registry.numbers("", "name DESC") == ["b/3", "b/2", "b/1", "a/3", "a/2", "a/1"]
    assert await registry.numbers("name = 'b'", "tags.gpu", "version_number") == ["b/3", "b/1", "b/2"]


async def test_found_versions_are_whole(registry: Registry) -> None:
    await _fleet(registry)
    await registry.models.set_alias("b", "champion", 3, now_ms=5_000)
    await registry.models.update_registered_model("b", new_name="c", now_ms=5_000)
    page = await registry.versions.search_model_versions(parsed(MODEL_VERSIONS, "tags.gpu = 'yes'", ()))
    assert list(page.items) == [await registry.versions.get_model_version("c", 3)]


async def test_pages_neither_repeat_nor_skip_while_versions_come_and_go(registry: Registry) -> None:
    await registry.register("a", versions=7)
    query = parsed(MODEL_VERSIONS, "name = 'a'", ("version_number DESC",), page_size=2)
    seen = []
    for step in range(4):
        page = await registry.versions.search_model_versions(query)
        seen += [version.version for version in page.items]
        query = replace(query, after=page.next_position)
        if step == 0:
            await registry.add("a")
            await registry.versions.delete_model_version("a", 6, now_ms=2_000)
    assert seen == [7, 6, 5, 4, 3, 2, 1]
    assert query.after is None


async def test_pages_of_registered_models_join_up(registry: Registry) -> None:
    await _zoo(registry)
    query = parsed(REGISTERED_MODELS, "", ("tags.kind DESC",), page_size=1)
    seen = []
    for _ in range(3):
        page = await registry.models.search_registered_models(query)
        seen += [model.name for model in page.items]
        query = replace(query, after=page.next_position)
    assert (seen, query.after) == (["Bee", "ant", "cat"], None)

"""What a version's source says, over the memory stores."""

import json

import pytest
from tests.conftest import FakeClock

from trackwire_server.core.entities import (
    ExperimentReference,
    ModelStage,
    ModelVersion,
    NewExperiment,
    NewModelVersion,
    NewRun,
    RunStatus,
)
from trackwire_server.core.errors import InvalidArgument, NotFound
from trackwire_server.core.logged_model_entities import NewLoggedModel
from trackwire_server.core.model_registry import MODEL_VERSIONS_TAG, ModelRegistry
from trackwire_server.core.model_sources import LoggedModelReference, VersionReference, model_reference
from trackwire_server.search import PROMPT_TAG
from trackwire_server.stores.memory.experiments import MemoryExperiments
from trackwire_server.stores.memory.logged_models import MemoryLoggedModels
from trackwire_server.stores.memory.model_registry import (
    MemoryModelVersions,
    MemoryRegisteredModels,
    ModelRegistryState,
)
from trackwire_server.stores.memory.runs import MemoryRuns
from trackwire_server.stores.memory.state import MemoryState

FILES = "s3://bucket/model"


@pytest.fixture
async def registry(memory_state: MemoryState, clock: FakeClock) -> ModelRegistry:
    """Version 1 of digits came from the run r1, which keeps its artifacts in a folder; letters has none."""
    runs = MemoryRuns(memory_state)
    made = await MemoryExperiments(memory_state).create_experiment(NewExperiment("local", 1, "file:///srv/artifacts"))
    experiment = ExperimentReference(made.experiment_id)
    await runs.create_run(NewRun("r1", "calm-owl", experiment, "ann", RunStatus.RUNNING, 1, 1))
    logged_models = MemoryLoggedModels(memory_state)
    for model_id in ("m-1", "m-7"):
        new = NewLoggedModel(model_id, made.experiment_id, "model", 1, source_run_id="r1")
        await logged_models.create_logged_model(new)
    state = ModelRegistryState()
    registry = ModelRegistry(MemoryRegisteredModels(state), MemoryModelVersions(state), runs, logged_models, clock)
    for name in ("digits", "letters"):
        await registry.create_registered_model(name)
    await registry.create_model_version(NewModelVersion("digits", FILES, 0, run_id="r1", model_id="m-1"))
    return registry


async def add(registry: ModelRegistry, source: str, *, as_mlflow: bool = False, **fields: str) -> ModelVersion:
    new = NewModelVersion("letters", source, 0, **fields)  # type: ignore[arg-type]  # field names are the callers' own
    return await registry.create_model_version(new, as_mlflow=as_mlflow)


@pytest.mark.parametrize(
    ("source", "reference"),
    [
        ("models:/digits/3", VersionReference("digits", 3)),
        ("Models:/two words/3", VersionReference("two words", 3)),
        ("models:/digits/LATEST", VersionReference("digits", "LATEST")),
        ("models:/digits/production", VersionReference("digits", ModelStage.PRODUCTION)),
        ("models:/digits@champion", VersionReference("digits", "champion")),
        ("models:/a@b@champion", VersionReference("a@b", "champion")),
        ("models:/m-0af", LoggedModelReference("m-0af")),
        ("runs:/r1/m", None),
        ("s3://models:/digits/1", None),
    ],
)
def test_models_source_refers_to_a_version_or_a_logged_model(source: str, reference: object) -> None:
    assert model_reference("source", source) == reference


@pytest.mark.parametrize(
    "source",
    [
        "models:/",
        "models:digits/1",
        "models://host/digits/1",
        "models:/digits",
        "models:/digits/",
        "models:/digits@",
        "models:/@champion",
        "models:/digits/1/sub",
        "models:/digits/0",
        "models:/digits/-1",
        "models:/digits/2147483648",
        "models:/digits/best",
        "models:/m-",
        "models:/m-" + "a" * 63,
    ],
)
def test_other_models_sources_are_refused(source: str) -> None:
    with pytest.raises(InvalidArgument) as error:
        model_reference("source", source)
    assert error.value.field == "source"


@pytest.mark.parametrize("as_mlflow", [False, True])
async def test_copy_has_the_files_and_the_lineage_of_its_origin(registry: ModelRegistry, as_mlflow: bool) -> None:
    await registry.set_registered_model_alias("digits", "champion", 1)
    await registry.transition_model_version_stage("digits", 1, ModelStage.STAGING)
    for selector in ("/1", "@champion", "/latest", "/Staging"):
        copy = await add(registry, f"models:/digits{selector}", as_mlflow=as_mlflow)
        assert (copy.source, copy.files) == ("models:/digits/1", FILES)
        assert (copy.run_id, copy.model_id) == ("r1", "m-1")
    copy = await add(registry, f"models:/letters/{copy.version}", as_mlflow=as_mlflow, run_id="r1", model_id="m-1")
    assert (copy.source, copy.files) == ("models:/letters/4", FILES)
    await registry.rename_registered_model("digits", "numbers")
    await registry.delete_registered_model("numbers")
    assert (await registry.get_model_version("letters", 1)).files == FILES


async def test_copy_of_what_is_not_there_is_refused(registry: ModelRegistry) -> None:
    for source, missing in (
        ("models:/nobody/1", "registered model 'nobody'"),
        ("models:/digits/9", "'digits/9'"),
        ("models:/digits/production", "'digits/Production'"),
        ("models:/digits@zz", "'digits@zz'"),
        ("models:/letters/latest", "'letters/latest'"),
    ):
        with pytest.raises(NotFound, match=missing):
            await add(registry, source)


@pytest.mark.parametrize(("field", "value"), [("run_id", "r2"), ("model_id", "m-2")])
async def test_copy_with_another_lineage_is_refused(registry: ModelRegistry, field: str, value: str) -> None:
    with pytest.raises(InvalidArgument, match="comes from") as error:
        await add(registry, "models:/digits/1", **{field: value})
    assert error.value.field == field


async def test_source_of_a_logged_model_names_it(registry: ModelRegistry) -> None:
    made = await add(registry, "models:/m-7")
    assert (made.source, made.model_id, made.run_id) == ("models:/m-7", "m-7", "")
    assert made.files == "file:///srv/artifacts/models/m-7/artifacts"
    assert (await add(registry, "models:/m-7", as_mlflow=True)).run_id == "r1"
    with pytest.raises(InvalidArgument, match="comes from"):
        await add(registry, "models:/m-7", model_id="m-8")
    with pytest.raises(NotFound, match="run 'r9'"):
        await add(registry, "models:/m-7", run_id="r9")
    with pytest.raises(NotFound, match="logged model 'm-9'"):
        await add(registry, "models:/m-9")
    assert (await add(registry, "models:/m-7", run_id="r9", as_mlflow=True)).run_id == "r9"
    with pytest.raises(InvalidArgument) as error:
        await add(registry, FILES, model_id="m 8")
    assert error.value.field == "model_id"


async def test_mlflow_takes_runs_of_other_servers(registry: ModelRegistry) -> None:
    assert (await add(registry, "runs:/r9/m", as_mlflow=True)).run_id == "r9"
    made = await add(registry, "runs:/r9/m", as_mlflow=True, run_id="r8")
    assert (made.source, made.run_id) == ("runs:/r9/m", "r8")
    for source, run_id in (("runs:/r9", ""), ("runs:/r9/m", "r 8")):
        with pytest.raises(InvalidArgument):
            await add(registry, source, as_mlflow=True, run_id=run_id)


@pytest.mark.parametrize("folder", ["file:///srv/artifacts", "file:/srv/artifacts", "/srv/artifacts"])
async def test_mlflow_takes_local_paths_of_a_run_only(registry: ModelRegistry, folder: str) -> None:
    root = f"{folder}/r1/artifacts"
    for source in (root, f"{root}/model", f"{root}/."):
        assert (await add(registry, source, as_mlflow=True, run_id="r1")).source == source
    assert (await add(registry, "file:///srv/%61rtifacts/r1/artifacts/a%20b", as_mlflow=True, run_id="r1")).version == 4
    for source, run_id in (
        ("/srv/%61rtifacts/r1/artifacts", "r1"),
        (root, ""),
        (root, "r9"),
        (f"{folder}/r1", "r1"),
        (f"{root}s", "r1"),
        ("/tmp", "r1"),
        ("model", "r1"),
        ("file://host/srv/artifacts/r1/artifacts", "r1"),
    ):
        with pytest.raises(InvalidArgument) as error:
            await add(registry, source, as_mlflow=True, run_id=run_id)
        assert (error.value.field, error.value.reason) == ("source", "LOCAL_SOURCE")
    for climbing in (f"{root}/..", f"{root}/%2e%2e/x", f"{root}/%252e%252e%252fx", f"{root}/a%00"):
        with pytest.raises(InvalidArgument) as error:
            await add(registry, climbing, as_mlflow=True, run_id="r1")
        assert error.value.reason == "UNSAFE_SOURCE"


@pytest.mark.parametrize("as_mlflow", [False, True])
@pytest.mark.parametrize("source", [FILES, "models:/m-7", "runs:/r1/m", "models:/digits/1", "dummy-source"])
async def test_run_that_none_can_be_is_refused(registry: ModelRegistry, source: str, as_mlflow: bool) -> None:
    tags = {PROMPT_TAG: "true"} if source == "dummy-source" else {}
    for run_id in ("r 1", "x" * 257):
        with pytest.raises(InvalidArgument) as error:
            await registry.create_model_version(
                NewModelVersion("letters", source, 0, run_id=run_id, tags=tags), as_mlflow=as_mlflow
            )
        assert error.value.field == "run_id"


@pytest.mark.parametrize("as_mlflow", [False, True])
async def test_prompts_have_no_files(registry: ModelRegistry, as_mlflow: bool) -> None:
    tags = {PROMPT_TAG: "True"}
    for source in ("dummy-source", "prompt-template", "prompts:/letters"):
        prompt = await registry.create_model_version(
            NewModelVersion("letters", source, 0, tags=tags), as_mlflow=as_mlflow
        )
        assert prompt.source == source
    with pytest.raises(InvalidArgument, match="a prompt has no files") as error:
        await registry.create_model_version(NewModelVersion("letters", FILES, 0, tags=tags), as_mlflow=as_mlflow)
    assert error.value.field == "source"
    with pytest.raises(InvalidArgument, match="is a prompt, which has no files"):
        await registry.create_model_version(NewModelVersion("digits", "models:/letters/1", 0), as_mlflow=as_mlflow)


async def test_logged_model_lists_its_versions(registry: ModelRegistry, memory_state: MemoryState) -> None:
    models = MemoryLoggedModels(memory_state)
    await add(registry, "models:/m-7")
    await add(registry, FILES, model_id="m-7")
    await add(registry, FILES, model_id="m-unknown")
    listed = (await models.get_logged_model("m-7")).tags[MODEL_VERSIONS_TAG]
    assert json.loads(listed) == [{"name": "letters", "version": 1}, {"name": "letters", "version": 2}]
    await models.change_logged_model_tags("m-7", changed={MODEL_VERSIONS_TAG: "mine"}, now_ms=1)
    await add(registry, "models:/m-7")
    assert (await models.get_logged_model("m-7")).tags[MODEL_VERSIONS_TAG] == "mine"


async def test_local_source_may_lie_with_its_logged_model(registry: ModelRegistry) -> None:
    inside = "/srv/artifacts/models/m-7/artifacts/model"
    assert (await add(registry, inside, as_mlflow=True, model_id="m-7")).source == inside
    for model_id in ("m-1", "m-unknown"):
        with pytest.raises(InvalidArgument) as error:
            await add(registry, inside, as_mlflow=True, model_id=model_id)
        assert error.value.reason == "LOCAL_SOURCE"

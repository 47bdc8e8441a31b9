"""Prompts among registered models, over the memory stores."""

import pytest
from tests.conftest import FakeClock

from trackwire_server.core.entities import NewModelVersion
from trackwire_server.core.model_registry import ModelRegistry
from trackwire_server.core.searching import SearchRequest
from trackwire_server.search import PROMPT_TAG
from trackwire_server.stores.memory.logged_models import MemoryLoggedModels
from trackwire_server.stores.memory.model_registry import (
    MemoryModelVersions,
    MemoryRegisteredModels,
    ModelRegistryState,
)
from trackwire_server.stores.memory.runs import MemoryRuns
from trackwire_server.stores.memory.state import MemoryState

FLAG = f"tags.`{PROMPT_TAG}`"


@pytest.fixture
async def registry(memory_state: MemoryState, clock: FakeClock) -> ModelRegistry:
    """A model, a prompt, and a model that says that it is none; each with a version."""
    state = ModelRegistryState()
    models, versions = MemoryRegisteredModels(state), MemoryModelVersions(state)
    registry = ModelRegistry(models, versions, MemoryRuns(memory_state), MemoryLoggedModels(memory_state), clock)
    for name, tags in (("model", {}), ("none", {PROMPT_TAG: "false"}), ("prompt", {PROMPT_TAG: "true"})):
        await registry.create_registered_model(name, tags=tags)
        source = "dummy-source" if name == "prompt" else "s3://bucket/model"
        await registry.create_model_version(NewModelVersion(name, source, 0, tags=tags))
    return registry


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["model", "none"]),
        ("name LIKE '%o%'", ["model", "none"]),
        ("name = 'prompt' OR name = 'model'", ["model"]),
        ("NOT name = 'model'", ["none"]),
        (f"{FLAG} = 'true'", ["prompt"]),
        (f"{FLAG} != 'true'", ["model", "none"]),
        (f"{FLAG} = 'False'", ["model", "none"]),
        (f"{FLAG} != 'FALSE'", ["prompt"]),
        (f"NOT {FLAG} = 'true'", ["model", "none"]),
        (f"name = 'model' OR {FLAG} = 'true'", ["model", "prompt"]),
        (f"name LIKE 'p%' AND ({FLAG} = 'true' OR name = 'x')", ["prompt"]),
        (f"{FLAG} IS NULL", ["model"]),
        (f"{FLAG} IN ('true', 'false')", ["none", "prompt"]),
        (f"{FLAG} = 'maybe'", []),
        ("tags.other != 'true'", ["model", "none"]),
    ],
)
async def test_prompts_are_found_only_by_their_tag(registry: ModelRegistry, text: str, found: list[str]) -> None:
    models, _ = await registry.search_registered_models(SearchRequest(text, ("name",)))
    assert [model.name for model in models] == found
    versions, _ = await registry.search_model_versions(SearchRequest(text, ("name",)))
    assert [version.name for version in versions] == found


async def test_pages_hold_no_gaps_where_prompts_are(registry: ModelRegistry) -> None:
    first, token = await registry.search_registered_models(SearchRequest(page_size=1))
    second, end = await registry.search_registered_models(SearchRequest(page_size=1, page_token=token))
    assert [model.name for model in (*first, *second)] == ["model", "none"]
    assert end == ""

"""The rules of inputs and outputs, on the memory store."""

import pytest
from tests.conftest import CountedIds, FakeClock

from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.run_inputs import (
    CONTEXT_TAG,
    Dataset,
    DatasetInput,
    DatasetSummary,
    ModelOutput,
    RunInputs,
    RunOutputs,
)
from trackwire_server.core.runs import RunDraft, Runs
from trackwire_server.stores.memory.run_inputs import MemoryRunInputs
from trackwire_server.stores.memory.runs import MemoryRunData, MemoryRuns
from trackwire_server.stores.memory.state import MemoryState


@pytest.fixture
async def runs(memory_state: MemoryState, clock: FakeClock, new_id: CountedIds) -> Runs:
    stores = MemoryRuns(memory_state), MemoryRunData(memory_state), MemoryRunInputs(memory_state)
    rules = Runs(*stores, clock, new_id)
    await rules.create(RunDraft(run_id="r"))
    return rules


def test_limits_are_mlflows() -> None:
    dataset = (
        LIMITS.dataset_name_characters,
        LIMITS.dataset_digest_characters,
        LIMITS.dataset_source_characters,
        LIMITS.dataset_schema_characters,
        LIMITS.dataset_profile_characters,
    )
    assert dataset == (500, 36, 65_535, 1_048_575, 16_777_215)
    assert (LIMITS.input_tag_key_characters, LIMITS.input_tag_value_characters) == (255, 500)
    assert LIMITS.datasets_page_size == 1_000


async def test_longest_inputs_are_kept_whole(runs: Runs) -> None:
    dataset = Dataset("n" * 500, "d" * 36, "t" * 250, "s" * 65_535, "c" * 1_048_575, "p" * 16_777_215)
    given = RunInputs((DatasetInput(dataset, {"k" * 255: "v" * 500}),), ("m" * 64,))
    await runs.log_inputs("r", given)
    assert (await runs.get("r")).inputs == given


async def test_of_the_same_in_a_request_the_first_counts(runs: Runs) -> None:
    first = DatasetInput(Dataset("n", "d", source="first"), {CONTEXT_TAG: "first"})
    second = DatasetInput(Dataset("n", "d", source="second"), {CONTEXT_TAG: "second"})
    other = DatasetInput(Dataset("n", "e"))
    await runs.log_inputs("r", RunInputs((first, other, second), ("a", "b", "a")))
    await runs.log_outputs("r", RunOutputs((ModelOutput("a", 1), ModelOutput("b", 2), ModelOutput("a", 3))))
    run = await runs.get("r")
    assert run.inputs == RunInputs((first, other), ("a", "b"))
    assert run.outputs == RunOutputs((ModelOutput("a", 1), ModelOutput("b", 2)))


async def test_error_names_field_value_and_limit(runs: Runs) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await runs.log_inputs("r", RunInputs((DatasetInput(Dataset("n" * 501, "d")),)))
    assert refused.value.metadata["limit"] == "500"
    assert str(refused.value).startswith("datasets[0].dataset.name: 'nnn")
    assert "501 characters, at most 500" in str(refused.value)


async def test_datasets_of_one_experiment_named_twice_come_once(runs: Runs) -> None:
    await runs.log_inputs("r", RunInputs((DatasetInput(Dataset("n", "d")),)))
    assert await runs.search_datasets(["0", "0"]) == ([DatasetSummary("0", "n", "d", "")], "")

"""The rules of runs, on the memory store."""

import pytest
from tests.conftest import NOW_MS, CountedIds, FakeClock

from trackwire_server.core.checks import check_key
from trackwire_server.core.entities import (
    PARENT_RUN_TAG,
    RUN_NAME_TAG,
    ExperimentReference,
    RunSelection,
    RunStatus,
    Selection,
    WriterStamp,
)
from trackwire_server.core.errors import AlreadyExists, InvalidArgument
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.names import ADJECTIVES, NOUNS, readable_name
from trackwire_server.core.runs import RunDraft, Runs
from trackwire_server.core.searching import SearchRequest
from trackwire_server.stores.memory.run_inputs import MemoryRunInputs
from trackwire_server.stores.memory.runs import MemoryRunData, MemoryRuns
from trackwire_server.stores.memory.state import MemoryState


@pytest.fixture
def runs(memory_state: MemoryState, clock: FakeClock, new_id: CountedIds) -> Runs:
    return Runs(MemoryRuns(memory_state), MemoryRunData(memory_state), MemoryRunInputs(memory_state), clock, new_id)


def test_generated_names_are_short_and_of_three_parts() -> None:
    longest = max(map(len, ADJECTIVES)) + max(map(len, NOUNS)) + len("--000")
    assert longest <= 20
    adjective, noun, number = readable_name("seed").split("-")
    assert adjective in ADJECTIVES
    assert noun in NOUNS
    assert number.isdecimal()
    assert len({readable_name(str(seed)) for seed in range(1_000)}) > 990


async def test_new_run_gets_what_the_draft_leaves_out(runs: Runs) -> None:
    run, created = await runs.create(RunDraft())
    assert created
    assert run.experiment_id == "0"
    assert run.status is RunStatus.RUNNING
    assert run.start_time_ms == NOW_MS
    assert run.run_name == run.tags[RUN_NAME_TAG] == readable_name(f"{1:032x}")
    assert run.run_id == f"{2:032x}"


async def test_new_run_keeps_what_the_draft_says(runs: Runs) -> None:
    draft = RunDraft(run_id="mine", run_name="n", start_time_ms=5, status=RunStatus.SCHEDULED, user_id="ada")
    run, _ = await runs.create(draft)
    assert (run.run_id, run.run_name, run.start_time_ms, run.status) == ("mine", "n", 5, RunStatus.SCHEDULED)
    with pytest.raises(AlreadyExists):
        await runs.create(draft)


async def test_run_made_in_a_terminal_status_has_ended(runs: Runs) -> None:
    run, _ = await runs.create(RunDraft(status=RunStatus.FAILED))
    assert run.end_time_ms == NOW_MS


async def test_name_and_parent_may_come_as_tags(runs: Runs) -> None:
    parent, _ = await runs.create(RunDraft(tags={RUN_NAME_TAG: "from tag"}))
    assert parent.run_name == "from tag"
    child, _ = await runs.create(RunDraft(tags={PARENT_RUN_TAG: parent.run_id}))
    assert child.parent_run_id == parent.run_id
    other, _ = await runs.create(RunDraft(parent_run_id=parent.run_id))
    assert other.tags[PARENT_RUN_TAG] == parent.run_id


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (RunDraft(run_name="a", tags={RUN_NAME_TAG: "b"}), "run_name"),
        (RunDraft(parent_run_id="a", tags={PARENT_RUN_TAG: "b"}), "parent_run_id"),
        (RunDraft(run_id="r", parent_run_id="r"), "parent_run_id"),
        (RunDraft(run_id="-r"), "run_id"),
        (RunDraft(run_id="r" * 257), "run_id"),
        (RunDraft(join=True), "run_id"),
        (RunDraft(request_id="q" * 65), "request_id"),
        (RunDraft(run_name="n" * 251), "run_name"),
        (RunDraft(user_id="u" * 257), "user_id"),
        (RunDraft(start_time_ms=-1), "start_time_ms"),
        (RunDraft(experiment=ExperimentReference("x1")), "experiment_id"),
        (RunDraft(experiment=ExperimentReference("007")), "experiment_id"),
        (RunDraft(experiment=ExperimentReference(create=True)), "experiment_name"),
        (RunDraft(params={"k": "v" * 65_537}), "params[k]"),
        (RunDraft(params={"../k": "v"}), "params"),
        (RunDraft(tags={RUN_NAME_TAG: ""}), f"tags[{RUN_NAME_TAG}]"),
        (RunDraft(tags={str(at): "" for at in range(1_001)}), "tags"),
    ],
)
async def test_bad_draft_is_refused_by_field(
    runs: Runs, memory_state: MemoryState, draft: RunDraft, field: str
) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await runs.create(draft)
    assert raised.value.field == field
    assert memory_state.runs == {}


async def test_values_of_the_greatest_length_are_kept_whole(runs: Runs) -> None:
    value = "v" * LIMITS.param_value_characters
    run, _ = await runs.create(RunDraft(params={"k" * 250: value}, tags={"k": value}))
    assert (await runs.get(run.run_id)).params == {"k" * 250: value}


async def test_terminal_status_sets_the_end_and_running_clears_it(runs: Runs, clock: FakeClock) -> None:
    run, _ = await runs.create(RunDraft(run_id="r"))
    clock.advance(10)
    assert (await runs.update("r", status=RunStatus.FINISHED)).end_time_ms == NOW_MS + 10
    clock.advance(10)
    assert (await runs.update("r", status=RunStatus.FINISHED)).end_time_ms == NOW_MS + 10
    assert (await runs.update("r", status=RunStatus.FAILED, end_time_ms=3)).end_time_ms == 3
    assert (await runs.update("r", status=RunStatus.RUNNING)).end_time_ms is None
    with pytest.raises(InvalidArgument, match="end_time_ms"):
        await runs.update("r", status=RunStatus.SCHEDULED, end_time_ms=3)
    assert run.end_time_ms is None


@pytest.mark.parametrize(
    ("stamp", "field"),
    [
        (WriterStamp("", 1, 0), "writer.writer_id"),
        (WriterStamp("w w", 1, 0), "writer.writer_id"),
        (WriterStamp("w", 0, 0), "writer.sequence"),
        (WriterStamp("w", 1, 1), "writer.previous_sequence"),
        (WriterStamp("w", 1, -1), "writer.previous_sequence"),
    ],
)
async def test_bad_stamp_is_refused_by_field(runs: Runs, stamp: WriterStamp, field: str) -> None:
    await runs.create(RunDraft(run_id="r"))
    for call in (
        runs.update("r", stamp=stamp),
        runs.log_params("r", {"a": "b"}, stamp),
        runs.set_tags("r", {"a": "b"}, stamp),
        runs.delete_tag("r", "a", stamp),
    ):
        with pytest.raises(InvalidArgument) as raised:
            await call
        assert raised.value.field == field


async def test_empty_batches_and_the_tag_of_the_name(runs: Runs) -> None:
    await runs.create(RunDraft(run_id="r"))
    for call in (
        runs.log_params("r", {}),
        runs.set_tags("r", {}),
        runs.delete_tag("r", RUN_NAME_TAG),
        runs.update("r", run_name=""),
        runs.set_tags("r", {PARENT_RUN_TAG: "r"}),
    ):
        with pytest.raises(InvalidArgument):
            await call


async def test_heartbeat_is_the_servers_time(runs: Runs, clock: FakeClock) -> None:
    await runs.create(RunDraft(run_id="r"))
    clock.advance(7)
    answer = await runs.heartbeat("r")
    assert (answer.stop_requested, answer.server_time_ms) == (False, NOW_MS + 7)
    await runs.request_stop("r")
    assert (await runs.heartbeat("r")).stop_requested


async def test_search_pages_and_binds_its_tokens(runs: Runs) -> None:
    for at in range(5):
        await runs.create(RunDraft(run_id=f"r{at}", start_time_ms=at))
    request = SearchRequest(page_size=2, experiment_ids=("0",))
    found, token = await runs.search(request)
    assert [run.run_id for run in found] == ["r4", "r3"]
    found, token = await runs.search(SearchRequest(page_size=3, page_token=token, experiment_ids=("0", "0")))
    assert [run.run_id for run in found] == ["r2", "r1", "r0"]
    assert token == ""


@pytest.mark.parametrize(
    ("request_", "field", "reason"),
    [
        (SearchRequest(), "experiment_ids", "REQUIRED"),
        (SearchRequest(experiment_ids=("a",)), "experiment_ids[0]", "INVALID_ARGUMENT"),
        (SearchRequest(experiment_ids=tuple(map(str, range(1_001)))), "experiment_ids", "INVALID_ARGUMENT"),
        (SearchRequest("metrics.", experiment_ids=("0",)), "filter", "BAD_FILTER"),
        (SearchRequest(order_by=["run_id", "run_id"], experiment_ids=("0",)), "order_by[1]", "BAD_ORDER_BY"),
        (SearchRequest(page_size=50_001, experiment_ids=("0",)), "page_size", "INVALID_ARGUMENT"),
        (SearchRequest(page_size=-1, experiment_ids=("0",)), "page_size", "INVALID_ARGUMENT"),
        (SearchRequest(page_token="?", experiment_ids=("0",)), "page_token", "BAD_PAGE_TOKEN"),
    ],
)
async def test_bad_search_is_refused_by_field(runs: Runs, request_: SearchRequest, field: str, reason: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await runs.search(request_)
    assert (raised.value.field, raised.value.reason) == (field, reason)


async def test_token_of_another_search_is_refused(runs: Runs) -> None:
    for at in range(2):
        await runs.create(RunDraft(run_id=f"r{at}"))
    _, token = await runs.search(SearchRequest(page_size=1, experiment_ids=("0",)))
    with pytest.raises(InvalidArgument) as raised:
        await runs.search(SearchRequest("run_id != 'x'", page_token=token, experiment_ids=("0",)))
    assert raised.value.reason == "PAGE_TOKEN_MISMATCH"


async def test_filter_error_points_at_its_column(runs: Runs) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await runs.search(SearchRequest("run_id = 'a' XOR x", experiment_ids=("0",)))
    assert raised.value.metadata["column"] == "14"


async def test_too_many_keys_selected_are_refused(runs: Runs) -> None:
    keys = Selection(frozenset(map(str, range(1_001))))
    with pytest.raises(InvalidArgument) as raised:
        await runs.search(SearchRequest(experiment_ids=("0",)), RunSelection(params=keys))
    assert raised.value.field == "params.keys"


@pytest.mark.parametrize(("key", "other"), [("a@b", "'@'"), ("tab\there", r"'\\t'"), ("100%", "'%'")])
def test_what_no_key_has_is_named(key: str, other: str) -> None:
    with pytest.raises(InvalidArgument, match=f"may only have letters, digits, .* and space, not {other}"):
        check_key("key", key)

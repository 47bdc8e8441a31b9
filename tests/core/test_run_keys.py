"""The rules of the keys that runs have, on the memory store."""

import pytest
from tests.conftest import CountedIds, FakeClock

from trackwire_server.core.entities import ViewType
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.run_keys import RunKey, RunKeyKind
from trackwire_server.core.runs import RunDraft, Runs
from trackwire_server.stores.memory.run_inputs import MemoryRunInputs
from trackwire_server.stores.memory.runs import MemoryRunData, MemoryRuns
from trackwire_server.stores.memory.state import MemoryState

METRIC, PARAM, TAG = RunKeyKind


@pytest.fixture
async def runs(memory_state: MemoryState, clock: FakeClock, new_id: CountedIds) -> Runs:
    stores = MemoryRuns(memory_state), MemoryRunData(memory_state), MemoryRunInputs(memory_state)
    rules = Runs(*stores, clock, new_id)
    await rules.create(RunDraft(run_id="r", params={"a": "1", "b": "1"}))
    return rules


async def test_kinds_come_in_their_order_however_they_are_named(runs: Runs) -> None:
    keys = [RunKey(PARAM, "a"), RunKey(PARAM, "b"), RunKey(TAG, "mlflow.runName")]
    assert await runs.list_keys(["0"], [TAG, PARAM]) == (keys, "")
    assert await runs.list_keys(["0", "0"]) == (keys, "")
    first, token = await runs.list_keys(["0"], [TAG, PARAM], page_size=2)
    assert (await runs.list_keys(["0"], [PARAM, TAG], page_size=2, page_token=token))[0] == keys[2:]
    assert list(first) == keys[:2]


async def test_kind_is_named_once(runs: Runs) -> None:
    with pytest.raises(InvalidArgument, match=r"kinds\[2\]: 'tag': is named before"):
        await runs.list_keys(["0"], [TAG, PARAM, TAG])


async def test_largest_page_is_the_default(runs: Runs) -> None:
    many = {f"k{at:05}": "1" for at in range(LIMITS.run_keys_page_size)}
    names = list(many)
    for at in range(0, len(names), 1_000):
        await runs.create(RunDraft(params=dict.fromkeys(names[at : at + 1_000], "1")))
    found, token = await runs.list_keys(["0"], [PARAM])
    assert len(found) == LIMITS.run_keys_page_size == 10_000
    assert [key.key for key in (await runs.list_keys(["0"], [PARAM], page_token=token))[0]] == ["k09998", "k09999"]


async def test_token_belongs_to_its_view_and_kinds(runs: Runs) -> None:
    _, token = await runs.list_keys(["0"], [PARAM], page_size=1)
    for kinds, view in (([PARAM], ViewType.ALL), ([PARAM, TAG], ViewType.ACTIVE_ONLY)):
        with pytest.raises(InvalidArgument) as refused:
            await runs.list_keys(["0"], kinds, view=view, page_token=token)
        assert refused.value.reason == "PAGE_TOKEN_MISMATCH"

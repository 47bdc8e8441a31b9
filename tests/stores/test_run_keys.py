"""Which keys every RunStore says that runs have."""

from collections.abc import Iterable

import pytest
from tests.conftest import NOW_MS
from tests.metric_data import batch, ranked
from tests.stores.conftest import Stores, new_run

from trackwire_server.core.columns import SeriesName
from trackwire_server.core.entities import LifecycleStage, NewExperiment, SeriesContext, ViewType
from trackwire_server.core.run_keys import RunKey, RunKeyKind, RunKeyQuery

METRIC, PARAM, TAG = RunKeyKind
DELETED = LifecycleStage.DELETED
NAME = RunKey(TAG, "mlflow.runName")


def metrics(*keys: str) -> list[RunKey]:
    return [RunKey(METRIC, key) for key in keys]


def params(*keys: str) -> list[RunKey]:
    return [RunKey(PARAM, key) for key in keys]


def tags(*keys: str) -> list[RunKey]:
    return [RunKey(TAG, key) for key in keys]


async def keys_of(
    stores: Stores,
    *experiment_ids: str,
    kinds: Iterable[RunKeyKind] = RunKeyKind,
    view: ViewType = ViewType.ACTIVE_ONLY,
    page_size: int = 100,
) -> list[RunKey]:
    """All pages."""
    found: list[RunKey] = []
    query = RunKeyQuery(experiment_ids, tuple(kinds), view, page_size)
    while True:
        page = await stores.runs.list_run_keys(query)
        found += page.items
        if page.next_position is None:
            return found
        assert len(page.items) == page_size
        query = RunKeyQuery(experiment_ids, tuple(kinds), view, page_size, page.next_position)


async def log(stores: Stores, run_id: str, *names: str | SeriesName) -> None:
    """A point of each series."""
    await stores.metrics.append([batch(run_id, {name: [(1, 1, 0.5)] for name in names})], now_ms=NOW_MS)


async def make(stores: Stores, run_id: str, experiment_id: str = "0", *, of: str) -> None:
    """A run whose keys begin so."""
    given = {f"{of}.param": "1"}
    await stores.runs.create_run(new_run(run_id, experiment_id=experiment_id, params=given, tags={f"{of}.tag": "1"}))
    await log(stores, run_id, f"{of}.metric")


@pytest.fixture
async def other(stores: Stores) -> str:
    return (await stores.experiments.create_experiment(NewExperiment("other", NOW_MS))).experiment_id


@pytest.mark.parametrize("page_size", [1, 2, 3, 100])
async def test_keys_come_each_once_and_in_order(stores: Stores, other: str, page_size: int) -> None:
    # An order by a language would have "a" before "B", and one by UTF-16 the last two params the other way round.
    await stores.runs.create_run(new_run("a", params={"lr": "1", "B": "1", "\uff5e": "1"}))
    await stores.runs.create_run(new_run("b", params={"lr": "2", "a": "1", "\U0001f600": "1"}, tags={"a": "1"}))
    await stores.runs.create_run(new_run("c", experiment_id=other, params={"lr": "3", "z": "1"}, tags={}))
    await log(stores, "a", "loss", "é")
    await log(stores, "c", "loss", "Accuracy")
    own = [*metrics("loss", "é"), *params("B", "a", "lr", "\uff5e", "\U0001f600"), *tags("a"), NAME]
    assert await keys_of(stores, "0", page_size=page_size) == own
    theirs = [*metrics("Accuracy", "loss"), *params("lr", "z")]
    assert await keys_of(stores, other, page_size=page_size) == theirs
    both = sorted({*own, *theirs}, key=lambda key: key.position)
    assert await keys_of(stores, other, "0", "77", page_size=page_size) == both
    assert await keys_of(stores, "77", page_size=page_size) == []


async def test_only_kinds_that_are_asked_for_come(stores: Stores) -> None:
    await make(stores, "r", of="a")
    assert await keys_of(stores, "0", kinds=[METRIC]) == metrics("a.metric")
    assert await keys_of(stores, "0", kinds=[PARAM]) == params("a.param")
    assert await keys_of(stores, "0", kinds=[METRIC, TAG], page_size=1) == [*metrics("a.metric"), *tags("a.tag")]


async def test_key_has_a_place_in_each_of_its_kinds(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r", params={"same": "1"}, tags={"same": "1"}))
    await log(stores, "r", "same")
    assert await keys_of(stores, "0", page_size=1) == [*metrics("same"), *params("same"), *tags("same")]


async def test_view_says_which_runs_count(stores: Stores, other: str) -> None:
    await make(stores, "kept", of="kept")
    await make(stores, "gone", of="gone")
    for run_id in ("kept", "gone"):
        await log(stores, run_id, "shared")
    await make(stores, "elsewhere", other, of="gone")
    await stores.runs.set_run_stage("gone", DELETED, now_ms=NOW_MS)
    kept = [*metrics("kept.metric", "shared"), *params("kept.param"), *tags("kept.tag")]
    gone = [*metrics("gone.metric", "shared"), *params("gone.param"), *tags("gone.tag")]
    assert await keys_of(stores, "0") == kept
    assert await keys_of(stores, "0", view=ViewType.DELETED_ONLY) == gone
    either = sorted({*kept, *gone}, key=lambda key: key.position)
    assert await keys_of(stores, "0", view=ViewType.ALL) == either
    # What is deleted in one experiment is not so in another.
    assert await keys_of(stores, "0", other) == either
    assert await keys_of(stores, other, view=ViewType.DELETED_ONLY) == []
    await stores.runs.set_run_stage("gone", LifecycleStage.ACTIVE, now_ms=NOW_MS)
    assert await keys_of(stores, "0") == either


async def test_key_goes_with_what_had_it(stores: Stores) -> None:
    await make(stores, "kept", of="kept")
    await make(stores, "gone", of="gone")
    await stores.runs.set_run_stage("gone", DELETED, now_ms=NOW_MS)
    assert await stores.garbage.remove_run("gone", before_ms=NOW_MS)
    await stores.run_data.delete_run_tag("kept", "kept.tag", None)
    assert await keys_of(stores, "0", view=ViewType.ALL) == [*metrics("kept.metric"), *params("kept.param")]


async def test_deleted_experiment_has_keys_of_deleted_runs(stores: Stores, other: str) -> None:
    await make(stores, "r", other, of="a")
    await stores.experiments.set_experiment_stage(other, DELETED, now_ms=NOW_MS)
    assert await keys_of(stores, other) == []
    deleted = await keys_of(stores, other, view=ViewType.DELETED_ONLY)
    assert deleted == [*metrics("a.metric"), *params("a.param"), *tags("a.tag")]


async def test_metric_of_ranks_models_and_datasets_has_one_key(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r", tags={}))
    of_model = SeriesName("accuracy", SeriesContext(model_id="m-1"))
    await log(stores, "r", of_model, ranked("loss", 1), ranked("loss", 0), SeriesName("loss"))
    await log(stores, "r", SeriesName("accuracy"))
    await log(stores, "r", SeriesName("recall", SeriesContext(dataset_name="d", dataset_digest="1")))
    for view in (ViewType.ACTIVE_ONLY, ViewType.ALL):
        assert await keys_of(stores, "0", view=view) == metrics("accuracy", "loss", "recall")


async def test_page_ends_between_two_kinds(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r", params={"p": "1", "q": "1"}, tags={}))
    await log(stores, "r", "m", "n")
    query = RunKeyQuery(("0",), tuple(RunKeyKind), ViewType.ACTIVE_ONLY, 2)
    first = await stores.runs.list_run_keys(query)
    assert (list(first.items), first.next_position) == (metrics("m", "n"), ("metric", "n"))
    # What comes before a position meanwhile is not shown, what comes behind is.
    await log(stores, "r", "a", "z")
    query = RunKeyQuery(("0",), tuple(RunKeyKind), ViewType.ACTIVE_ONLY, 3, first.next_position)
    second = await stores.runs.list_run_keys(query)
    assert (list(second.items), second.next_position) == ([*metrics("z"), *params("p", "q")], None)


async def test_many_runs_and_experiments(stores: Stores) -> None:
    made = [await stores.experiments.create_experiment(NewExperiment(f"e{at}", NOW_MS)) for at in range(4)]
    for at in range(12):
        own = {f"p{(at * 7 + more) % 50:02}": "1" for more in range(5)}
        await stores.runs.create_run(new_run(f"r{at}", experiment_id=made[at % 4].experiment_id, params=own, tags={}))
        await log(stores, f"r{at}", f"m{at % 6:02}", "shared")
    found = await keys_of(stores, *(each.experiment_id for each in made), page_size=7)
    wanted = {f"p{(at * 7 + more) % 50:02}" for at in range(12) for more in range(5)}
    assert found == [*metrics(*(f"m{at:02}" for at in range(6)), "shared"), *params(*sorted(wanted))]


async def test_run_may_have_more_than_a_thousand_keys(stores: Stores) -> None:
    names = [f"k{at:04}" for at in range(1_200)]
    await stores.runs.create_run(new_run("r", params=dict.fromkeys(names, "1"), tags={}))
    await log(stores, "r", *names)
    for view in (ViewType.ACTIVE_ONLY, ViewType.ALL):
        found = await keys_of(stores, "0", view=view, page_size=500)
        assert found == [*metrics(*names), *params(*names)]

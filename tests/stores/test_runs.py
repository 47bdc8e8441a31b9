"""What every RunStore and RunDataStore does."""

import math

import pytest
from tests.conftest import NOW_MS
from tests.metric_data import batch, compact_all, ranked
from tests.stores.conftest import Stores, new_run

from trackwire_server.core.entities import (
    NOTHING,
    PARENT_RUN_TAG,
    RUN_NAME_TAG,
    ExperimentReference,
    LifecycleStage,
    MetricSummary,
    Run,
    RunChange,
    RunSelection,
    RunStatus,
    Selection,
    SeriesContext,
    WriterStamp,
)
from trackwire_server.core.errors import (
    AlreadyExists,
    ExperimentDeleted,
    NotFound,
    ParamAlreadySet,
    RunDeleted,
    SequenceGap,
)
from trackwire_server.core.searching import SearchRequest, parse_search
from trackwire_server.search import RUNS

DELETED, ACTIVE = LifecycleStage.DELETED, LifecycleStage.ACTIVE


async def get(stores: Stores, run_id: str) -> Run:
    return await stores.runs.get_run(run_id, RunSelection())


def stamp(sequence: int, previous: int | None = None) -> WriterStamp:
    return WriterStamp("w", sequence, sequence - 1 if previous is None else previous)


async def test_run_is_kept_as_given(stores: Stores) -> None:
    new = new_run("r", user_id="ada", params={"lr": "0.1"}, tags={RUN_NAME_TAG: "n", "a": "b"}, run_name="n")
    run, created = await stores.runs.create_run(new)
    assert created
    assert run == await get(stores, "r")
    assert (run.run_name, run.user_id, run.experiment_id) == ("n", "ada", "0")
    assert (run.params, run.tags) == ({"lr": "0.1"}, {RUN_NAME_TAG: "n", "a": "b"})
    assert run.artifact_uri == "trackwire-artifacts:/0/r/artifacts"
    assert (run.status, run.lifecycle_stage, run.end_time_ms) == (RunStatus.RUNNING, ACTIVE, None)


async def test_run_id_is_taken_once_also_by_a_deleted_run(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r"))
    await stores.runs.set_run_stage("r", DELETED, now_ms=NOW_MS)
    with pytest.raises(AlreadyExists):
        await stores.runs.create_run(new_run("r"))


async def test_same_request_answers_with_the_run_it_made(stores: Stores) -> None:
    first, created = await stores.runs.create_run(new_run("r1", request_id="q", params={"a": "1"}))
    again, created_again = await stores.runs.create_run(new_run("r2", request_id="q", params={"a": "2"}))
    assert (created, created_again) == (True, False)
    assert again == first
    with pytest.raises(NotFound):
        await get(stores, "r2")


async def test_join_opens_the_run_and_adds_tags_alone(stores: Stores) -> None:
    first, _ = await stores.runs.create_run(new_run("r", params={"a": "1"}))
    other = new_run(
        "r",
        experiment_id="99",
        join=True,
        run_name="other",
        params={"b": "2"},
        tags={RUN_NAME_TAG: "other", "rank": "3"},
    )
    joined, created = await stores.runs.create_run(other)
    assert not created
    assert joined.run_name == first.run_name
    assert joined.params == {"a": "1"}
    assert joined.tags == {**first.tags, "rank": "3"}
    assert joined == await get(stores, "r")


async def test_join_makes_the_run_where_there_is_none(stores: Stores) -> None:
    _, created = await stores.runs.create_run(new_run("r", join=True))
    assert created


async def test_deleted_run_is_not_joined(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r"))
    await stores.runs.set_run_stage("r", DELETED, now_ms=NOW_MS)
    with pytest.raises(RunDeleted):
        await stores.runs.create_run(new_run("r", join=True))


async def test_experiment_by_name_is_made_in_the_same_transaction(stores: Stores) -> None:
    by_name = ExperimentReference(name="new", create=True)
    with pytest.raises(NotFound):
        await stores.runs.create_run(new_run("r", experiment=ExperimentReference(name="new")))
    with pytest.raises(NotFound):
        await stores.experiments.get_experiment_by_name("new")
    run, _ = await stores.runs.create_run(new_run("r", experiment=by_name))
    second, _ = await stores.runs.create_run(new_run("r2", experiment=by_name))
    made = await stores.experiments.get_experiment_by_name("new")
    assert run.experiment_id == second.experiment_id == made.experiment_id
    await stores.experiments.set_experiment_stage(made.experiment_id, DELETED, now_ms=NOW_MS)
    with pytest.raises(ExperimentDeleted):
        await stores.runs.create_run(new_run("r3", experiment=by_name))


async def test_unknown_things_are_not_found(stores: Stores) -> None:
    with pytest.raises(NotFound):
        await stores.runs.create_run(new_run("r", experiment_id="99"))
    with pytest.raises(NotFound):
        await get(stores, "r")
    with pytest.raises(NotFound):
        await stores.runs.update_run("r", RunChange(), None)
    with pytest.raises(NotFound):
        await stores.runs.set_run_stage("r", DELETED, now_ms=NOW_MS)
    with pytest.raises(NotFound):
        await stores.run_data.log_params("r", {"a": "b"}, None)
    with pytest.raises(NotFound):
        await stores.run_data.heartbeat("r", now_ms=NOW_MS)


async def test_status_and_end_time(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r"))
    finish = RunChange(status=RunStatus.FINISHED, default_end_time_ms=NOW_MS + 1)
    assert (await stores.runs.update_run("r", finish, None)).end_time_ms == NOW_MS + 1
    again = RunChange(status=RunStatus.FINISHED, default_end_time_ms=NOW_MS + 2)
    assert (await stores.runs.update_run("r", again, None)).end_time_ms == NOW_MS + 1
    killed = RunChange(status=RunStatus.KILLED, default_end_time_ms=NOW_MS + 3)
    assert (await stores.runs.update_run("r", killed, None)).end_time_ms == NOW_MS + 3
    assert (await stores.runs.update_run("r", RunChange(end_time_ms=7), None)).end_time_ms == 7
    resumed = await stores.runs.update_run("r", RunChange(status=RunStatus.RUNNING, goes_on=True), None)
    assert (resumed.status, resumed.end_time_ms) == (RunStatus.RUNNING, None)


async def test_run_that_goes_on_has_not_been_asked_to_stop(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r"))
    await stores.run_data.request_stop("r")
    await stores.runs.update_run("r", RunChange(run_name="x"), None)
    assert (await get(stores, "r")).stop_requested
    resumed = await stores.runs.update_run("r", RunChange(status=RunStatus.RUNNING, goes_on=True), None)
    assert not resumed.stop_requested
    assert not (await get(stores, "r")).stop_requested


async def test_name_and_its_tag_say_the_same(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r"))
    await stores.runs.update_run("r", RunChange(run_name="x"), None)
    assert (await get(stores, "r")).tags[RUN_NAME_TAG] == "x"
    await stores.run_data.set_run_tags("r", {RUN_NAME_TAG: "y"}, None)
    assert (await get(stores, "r")).run_name == "y"


async def test_parent_and_its_tag_say_the_same(stores: Stores) -> None:
    await stores.runs.create_run(new_run("parent"))
    run, _ = await stores.runs.create_run(
        new_run("r", parent_run_id="parent", tags={RUN_NAME_TAG: "n", PARENT_RUN_TAG: "parent"})
    )
    assert run.parent_run_id == "parent"
    await stores.run_data.delete_run_tag("r", PARENT_RUN_TAG, None)
    assert (await get(stores, "r")).parent_run_id == ""
    await stores.run_data.set_run_tags("r", {PARENT_RUN_TAG: "parent"}, None)
    assert (await get(stores, "r")).parent_run_id == "parent"


async def test_parent_may_come_after_its_part(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r", parent_run_id="later"))
    await stores.runs.create_run(new_run("later"))
    assert (await get(stores, "r")).parent_run_id == "later"
    await stores.run_data.set_run_tags("r", {PARENT_RUN_TAG: "another"}, None)
    assert (await get(stores, "r")).parent_run_id == "another"


async def test_param_never_changes_and_a_batch_is_all_or_none(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r", params={"a": "1"}))
    await stores.run_data.log_params("r", {"a": "1", "b": ""}, None)
    with pytest.raises(ParamAlreadySet) as raised:
        await stores.run_data.log_params("r", {"c": "3", "b": "2"}, None)
    assert raised.value.metadata["key"] == "b"
    assert raised.value.metadata["value"] == "2"
    assert (await get(stores, "r")).params == {"a": "1", "b": ""}


async def test_tags_change_and_missing_ones_are_not_found(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r"))
    await stores.run_data.set_run_tags("r", {"a": "1"}, None)
    await stores.run_data.set_run_tags("r", {"a": "2"}, None)
    assert (await get(stores, "r")).tags["a"] == "2"
    await stores.run_data.delete_run_tag("r", "a", None)
    with pytest.raises(NotFound):
        await stores.run_data.delete_run_tag("r", "a", None)


async def test_finished_run_takes_data_and_deleted_run_refuses(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r", status=RunStatus.FINISHED, end_time_ms=NOW_MS))
    await stores.run_data.log_params("r", {"a": "1"}, None)
    await stores.run_data.set_run_tags("r", {"a": "1"}, None)
    await stores.runs.set_run_stage("r", DELETED, now_ms=NOW_MS + 1)
    refused = (
        stores.runs.update_run("r", RunChange(run_name="x"), None),
        stores.run_data.log_params("r", {"b": "1"}, None),
        stores.run_data.set_run_tags("r", {"b": "1"}, None),
        stores.run_data.delete_run_tag("r", "a", None),
        stores.run_data.heartbeat("r", now_ms=NOW_MS),
        stores.run_data.request_stop("r"),
    )
    for call in refused:
        with pytest.raises(RunDeleted):
            await call


async def test_delete_and_restore_are_idempotent(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r"))
    await stores.runs.set_run_stage("r", DELETED, now_ms=NOW_MS + 1)
    await stores.runs.set_run_stage("r", DELETED, now_ms=NOW_MS + 2)
    assert (await get(stores, "r")).deleted_time_ms == NOW_MS + 1
    await stores.runs.set_run_stage("r", ACTIVE, now_ms=NOW_MS + 3)
    await stores.runs.set_run_stage("r", ACTIVE, now_ms=NOW_MS + 4)
    assert (await get(stores, "r")).deleted_time_ms is None


async def test_heartbeat_answers_whether_to_stop(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r"))
    assert not await stores.run_data.heartbeat("r", now_ms=NOW_MS + 1)
    await stores.run_data.request_stop("r")
    assert await stores.run_data.heartbeat("r", now_ms=NOW_MS + 2)
    run = await get(stores, "r")
    assert (run.heartbeat_time_ms, run.stop_requested) == (NOW_MS + 2, True)


async def test_stamped_writes_happen_once_and_in_order(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r"))
    await stores.run_data.set_run_tags("r", {"a": "1"}, stamp(1))
    await stores.run_data.set_run_tags("r", {"a": "2"}, stamp(2))
    await stores.run_data.set_run_tags("r", {"a": "1"}, stamp(1))
    assert (await get(stores, "r")).tags["a"] == "2"
    with pytest.raises(SequenceGap):
        await stores.run_data.log_params("r", {"p": "1"}, stamp(4))
    finish = RunChange(status=RunStatus.FINISHED, end_time_ms=9)
    assert (await stores.runs.update_run("r", finish, stamp(2))).status is RunStatus.RUNNING
    await stores.run_data.delete_run_tag("r", "a", stamp(3))
    await stores.run_data.delete_run_tag("r", "a", stamp(3))
    assert (await get(stores, "r")).params == {}


async def test_refused_write_does_not_move_the_mark(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r", params={"p": "1"}))
    with pytest.raises(ParamAlreadySet):
        await stores.run_data.log_params("r", {"p": "2"}, stamp(1))
    await stores.run_data.log_params("r", {"q": "1"}, stamp(1))
    assert (await get(stores, "r")).params == {"p": "1", "q": "1"}


async def test_only_what_is_selected_comes_back(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r", params={"a": "1", "b": "2"}, tags={RUN_NAME_TAG: "n", "t": "3"}))
    await stores.put_summaries([summary("r", "loss"), summary("r", "accuracy")])
    selection = RunSelection(Selection(frozenset({"loss", "none"})), Selection(frozenset({"b"})), NOTHING)
    run = await stores.runs.get_run("r", selection)
    assert [metric.key for metric in run.metrics] == ["loss"]
    assert (run.params, run.tags) == ({"b": "2"}, {})
    assert [metric.key for metric in (await get(stores, "r")).metrics] == ["accuracy", "loss"]


async def test_metrics_are_the_summaries_of_primary_series(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r"))
    primary = summary("r", "loss", context=SeriesContext(0, "m", "d", "1"), last_value=math.nan)
    await stores.put_summaries([primary, summary("r", "loss", context=SeriesContext(1), primary=False)])
    [found] = (await get(stores, "r")).metrics
    assert repr(found) == repr(primary)


async def test_page_that_was_looked_at_shows_what_came_since(stores: Stores) -> None:
    for run_id in ("still", "goes-on"):
        await stores.runs.create_run(new_run(run_id))
        await stores.metrics.append([batch(run_id, {"loss": [(1, 1, 0.5)]}, ("w", 1, 0))], now_ms=NOW_MS)
    query = parse_search(SearchRequest(experiment_ids=("0",)), RUNS, page_size_default=10, page_size_max=10).query

    async def shown() -> dict[str, list[tuple[str, int, int | None, float]]]:
        return {
            run.run_id: [(each.key, each.count, each.context.rank, each.last_value) for each in run.metrics]
            for run in (await stores.runs.search_runs(query, RunSelection())).items
        }

    before = {run_id: [("loss", 1, None, 0.5)] for run_id in ("still", "goes-on")}
    assert await shown() == await shown() == before
    # Another point, another key, a series that takes the place of the primary one, and compaction of all of it.
    second = batch("goes-on", {"loss": [(2, 2, 0.25)], ranked("accuracy", 1): [(1, 1, 0.5)]}, ("w", 2, 1))
    await stores.metrics.append([second], now_ms=NOW_MS)
    assert await shown() == {**before, "goes-on": [("accuracy", 1, 1, 0.5), ("loss", 2, None, 0.25)]}
    third = batch("goes-on", {ranked("accuracy", 0): [(1, 1, 0.75)]}, ("w", 3, 2))
    await stores.metrics.append([third], now_ms=NOW_MS)
    await compact_all(stores.metrics, now_ms=NOW_MS)
    assert await shown() == {**before, "goes-on": [("accuracy", 1, 0, 0.75), ("loss", 2, None, 0.25)]}


async def test_page_larger_than_a_statement_has_variables(stores: Stores) -> None:
    for at in range(5):
        await stores.runs.create_run(new_run(f"r{at}", params={"p": str(at)}))
    request = SearchRequest("params.p != '3'", ["params.p DESC"], 50_000, experiment_ids=("0", "77"))
    query = parse_search(request, RUNS, page_size_default=1, page_size_max=50_000).query
    page = await stores.runs.search_runs(query, RunSelection())
    assert [run.params["p"] for run in page.items] == ["4", "2", "1", "0"]


def summary(
    run_id: str,
    key: str,
    *,
    context: SeriesContext | None = None,
    primary: bool = True,
    last_value: float = 0.5,
) -> MetricSummary:
    return MetricSummary(
        run_id=run_id,
        key=key,
        context=context or SeriesContext(),
        primary=primary,
        count=2,
        nan_count=0,
        last_value=last_value,
        last_step=1,
        last_time_ms=2,
        first_value=1.0,
        first_step=0,
        first_time_ms=1,
        min_value=0.5,
        max_value=1.0,
    )


async def test_every_character_comes_back_as_it_was_set(stores: Stores) -> None:
    numbers = [number for number in range(1, 0x1_1000) if not 0xD800 <= number <= 0xDFFF]
    texts = {
        f"from {numbers[at]:x}": "".join(map(chr, numbers[at : at + 4_096])) for at in range(0, len(numbers), 4_096)
    }
    await stores.runs.create_run(new_run("a", params=texts, tags={**texts, "quoted": '"\\"', "braces": "{}[],:"}))
    run = await get(stores, "a")
    assert run.params == texts
    assert {key: run.tags[key] for key in texts} == texts
    assert (run.tags["quoted"], run.tags["braces"]) == ('"\\"', "{}[],:")

"""What every ExperimentStore does."""

from dataclasses import replace

import pytest
from tests.conftest import NOW_MS
from tests.stores.conftest import Stores, new_run

from trackwire_server.core.entities import LifecycleStage, NewExperiment, RunSelection, ViewType
from trackwire_server.core.errors import AlreadyExists, ExperimentDeleted, NotFound
from trackwire_server.core.searching import SearchRequest, parse_search
from trackwire_server.search import EXPERIMENTS

DELETED, ACTIVE = LifecycleStage.DELETED, LifecycleStage.ACTIVE


def new(name: str, **fields: object) -> NewExperiment:
    return replace(NewExperiment(name=name, creation_time_ms=NOW_MS), **fields)


async def test_default_experiment_is_there_from_the_start(stores: Stores) -> None:
    experiment = await stores.experiments.get_experiment("0")
    assert experiment.name == "Default"
    assert experiment.artifact_location == "trackwire-artifacts:/0"


async def test_experiments_are_numbered_and_kept_as_given(stores: Stores) -> None:
    first = await stores.experiments.create_experiment(new("a", tags={"team": "red"}, artifact_location="s3://b/c"))
    second = await stores.experiments.create_experiment(new("b"))
    assert (first.experiment_id, second.experiment_id) == ("1", "2")
    assert first.artifact_location == "s3://b/c"
    assert second.artifact_location == "trackwire-artifacts:/2"
    assert await stores.experiments.get_experiment("1") == first
    assert await stores.experiments.get_experiment_by_name("a") == first
    assert first.tags == {"team": "red"}
    assert first.creation_time_ms == first.last_update_time_ms == NOW_MS


async def test_name_is_taken_also_by_a_deleted_experiment(stores: Stores) -> None:
    made = await stores.experiments.create_experiment(new("a"))
    with pytest.raises(AlreadyExists):
        await stores.experiments.create_experiment(new("a"))
    await stores.experiments.set_experiment_stage(made.experiment_id, DELETED, now_ms=NOW_MS)
    with pytest.raises(AlreadyExists):
        await stores.experiments.create_experiment(new("a"))
    other = await stores.experiments.create_experiment(new("b"))
    with pytest.raises(AlreadyExists):
        await stores.experiments.rename_experiment(other.experiment_id, "a", now_ms=NOW_MS)


async def test_unknown_experiment_is_not_found(stores: Stores) -> None:
    with pytest.raises(NotFound):
        await stores.experiments.get_experiment("77")
    with pytest.raises(NotFound):
        await stores.experiments.get_experiment_by_name("none")
    with pytest.raises(NotFound):
        await stores.experiments.rename_experiment("77", "x", now_ms=NOW_MS)
    with pytest.raises(NotFound):
        await stores.experiments.change_experiment_tags("77", changed={"a": "b"}, now_ms=NOW_MS)
    with pytest.raises(NotFound):
        await stores.experiments.set_experiment_stage("77", DELETED, now_ms=NOW_MS)


async def test_rename_changes_name_and_update_time(stores: Stores) -> None:
    made = await stores.experiments.create_experiment(new("a"))
    renamed = await stores.experiments.rename_experiment(made.experiment_id, "b", now_ms=NOW_MS + 5)
    assert renamed == replace(made, name="b", last_update_time_ms=NOW_MS + 5)
    assert await stores.experiments.rename_experiment(made.experiment_id, "b", now_ms=NOW_MS + 6)


async def test_tags_are_set_replaced_and_deleted(stores: Stores) -> None:
    made = await stores.experiments.create_experiment(new("a", tags={"x": "1", "y": "2"}))
    change = stores.experiments.change_experiment_tags
    await change(made.experiment_id, changed={"x": "3", "z": ""}, deleted=["y"], now_ms=NOW_MS + 1)
    after = await stores.experiments.get_experiment(made.experiment_id)
    assert after.tags == {"x": "3", "z": ""}
    assert after.last_update_time_ms == NOW_MS + 1


async def test_missing_tag_to_delete_leaves_everything_as_it_was(stores: Stores) -> None:
    made = await stores.experiments.create_experiment(new("a", tags={"x": "1"}))
    with pytest.raises(NotFound):
        await stores.experiments.change_experiment_tags(
            made.experiment_id, changed={"x": "2"}, deleted=["y"], now_ms=NOW_MS + 1
        )
    assert await stores.experiments.get_experiment(made.experiment_id) == made


async def test_deleted_experiment_refuses_changes_and_new_runs(stores: Stores) -> None:
    made = await stores.experiments.create_experiment(new("a"))
    await stores.experiments.set_experiment_stage(made.experiment_id, DELETED, now_ms=NOW_MS)
    with pytest.raises(ExperimentDeleted):
        await stores.experiments.rename_experiment(made.experiment_id, "b", now_ms=NOW_MS)
    with pytest.raises(ExperimentDeleted):
        await stores.experiments.change_experiment_tags(made.experiment_id, changed={"a": "b"}, now_ms=NOW_MS)
    with pytest.raises(ExperimentDeleted):
        await stores.runs.create_run(new_run("r", experiment_id=made.experiment_id))
    with pytest.raises(NotFound):
        await stores.experiments.set_experiment_stage(made.experiment_id, DELETED, now_ms=NOW_MS)


async def test_runs_go_and_come_with_their_experiment(stores: Stores) -> None:
    made = await stores.experiments.create_experiment(new("a"))
    for run_id in ("r1", "r2"):
        await stores.runs.create_run(new_run(run_id, experiment_id=made.experiment_id))
    await stores.runs.create_run(new_run("other"))
    await stores.runs.set_run_stage("r1", DELETED, now_ms=NOW_MS + 1)

    await stores.experiments.set_experiment_stage(made.experiment_id, DELETED, now_ms=NOW_MS + 2)
    gone = [await stores.runs.get_run(run_id, RunSelection()) for run_id in ("r1", "r2", "other")]
    assert [run.lifecycle_stage for run in gone] == [DELETED, DELETED, ACTIVE]
    assert [run.deleted_time_ms for run in gone] == [NOW_MS + 1, NOW_MS + 2, None]

    await stores.experiments.set_experiment_stage(made.experiment_id, ACTIVE, now_ms=NOW_MS + 3)
    back = [await stores.runs.get_run(run_id, RunSelection()) for run_id in ("r1", "r2")]
    assert [(run.lifecycle_stage, run.deleted_time_ms) for run in back] == [(ACTIVE, None)] * 2
    with pytest.raises(NotFound):
        await stores.experiments.set_experiment_stage(made.experiment_id, ACTIVE, now_ms=NOW_MS)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("name ILIKE 'ärg%'", ["ÄRGER"]),
        ("name LIKE 'ärg%'", []),
        ("name ILIKE '%ΜΈΓΑ'", ["Ωμέγα"]),
        ("tags.a ILIKE 'ЖУК'", ["Ωμέγα"]),
    ],
)
async def test_ilike_folds_every_alphabet(stores: Stores, text: str, names: list[str]) -> None:
    for name in ("ÄRGER", "Ωμέγα"):
        await stores.experiments.create_experiment(new(name, tags={"a": "Жук" if name == "Ωμέγα" else "Wal"}))
    request = SearchRequest(text, [], 10)
    query = parse_search(request, EXPERIMENTS, page_size_default=10, page_size_max=10).query
    page = await stores.experiments.search_experiments(query)
    assert [experiment.name for experiment in page.items] == names


@pytest.mark.parametrize(
    ("text", "order_by", "names"),
    [
        ("", [], ["c", "b", "a"]),
        ("name IN ('a', 'b')", ["name ASC"], ["a", "b"]),
        ("tags.team = 'red'", [], ["a"]),
        ("tags.team != 'red'", ["experiment_id"], ["b", "c"]),
        ("experiment_id = '2'", [], ["b"]),
        ("creation_time > 1760000000000", ["last_update_time DESC"], ["c", "b"]),
        ("name ILIKE 'A%' OR tags.team IS NULL", ["name DESC"], ["c", "a"]),
    ],
)
async def test_search(stores: Stores, text: str, order_by: list[str], names: list[str]) -> None:
    for at, (name, tags) in enumerate([("a", {"team": "red"}), ("b", {"team": "blue"}), ("c", {})]):
        await stores.experiments.create_experiment(new(name, tags=tags, creation_time_ms=NOW_MS + at))
    await stores.experiments.set_experiment_stage("0", DELETED, now_ms=NOW_MS)
    request = SearchRequest(text, order_by, 10)
    query = parse_search(request, EXPERIMENTS, page_size_default=10, page_size_max=10).query
    page = await stores.experiments.search_experiments(query)
    assert [experiment.name for experiment in page.items] == names
    assert page.next_position is None
    deleted = await stores.experiments.search_experiments(replace(query, filter=None, view=ViewType.DELETED_ONLY))
    assert [experiment.name for experiment in deleted.items] == ["Default"]

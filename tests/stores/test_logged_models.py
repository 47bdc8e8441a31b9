"""The contract of LoggedModelStore, over every store that keeps it; test_model_search.py goes page by page."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.conftest import NOW_MS
from tests.metric_data import Row, batch
from tests.stores.conftest import Stores, new_run

from trackwire_server.core.columns import SeriesName
from trackwire_server.core.entities import LifecycleStage, NewExperiment, SeriesContext
from trackwire_server.core.errors import ExperimentDeleted, FailedPrecondition, NotFound
from trackwire_server.core.logged_model_entities import LoggedModel, LoggedModelStatus, NewLoggedModel
from trackwire_server.core.searching import SearchRequest, parse_search
from trackwire_server.search import LOGGED_MODELS, MetricDataset

NEW = NewLoggedModel(
    model_id="m-1",
    experiment_id="0",
    name="calm-otter-001",
    creation_time_ms=1_000,
    model_type="agent",
    source_run_id="r1",
    tags={"team": "red"},
    params={"depth": "3"},
)
TRAIN, TEST = MetricDataset("train"), MetricDataset("test", "2")


async def add(stores: Stores, *model_ids: str, **fields: object) -> None:
    """Logged models, each made a millisecond after the one before."""
    for at, model_id in enumerate(model_ids):
        await stores.logged_models.create_logged_model(
            replace(NEW, model_id=model_id, creation_time_ms=1_000 + at, **fields)
        )


async def log(stores: Stores, run_id: str, model_id: str, rows: Sequence[Row], *, dataset: str = "") -> None:
    """Points of the key acc of a model; a dataset is name@digest."""
    name, _, digest = dataset.partition("@")
    series = SeriesName("acc", SeriesContext(None, model_id, name, digest))
    [outcome] = await stores.metrics.append([batch(run_id, {series: rows})], now_ms=NOW_MS)
    assert not isinstance(outcome, Exception)


async def found(
    stores: Stores,
    text: str = "",
    *order_by: str,
    datasets: Sequence[MetricDataset] = (),
    of: MetricDataset | None = None,
) -> list[str]:
    """The ids of the models that a search finds; `of` is the dataset of the first clause."""
    request = SearchRequest(
        text,
        order_by,
        experiment_ids=("0",),
        datasets=tuple(datasets),
        order_by_datasets=() if of is None else ((0, of),),
    )
    query = parse_search(request, LOGGED_MODELS, page_size_default=100, page_size_max=100).query
    page = await stores.logged_models.search_logged_models(query)
    assert page.next_position is None
    return [model.model_id for model in page.items]


async def test_created_model_is_read_back_whole(stores: Stores) -> None:
    created = await stores.logged_models.create_logged_model(NEW)
    assert created == LoggedModel(
        model_id="m-1",
        experiment_id="0",
        name="calm-otter-001",
        artifact_uri="trackwire-artifacts:/0/models/m-1/artifacts",
        creation_time_ms=1_000,
        last_update_time_ms=1_000,
        model_type="agent",
        source_run_id="r1",
        tags={"team": "red"},
        params={"depth": "3"},
    )
    assert await stores.logged_models.get_logged_model("m-1") == created
    bare = await stores.logged_models.get_logged_model("m-1", with_data=False)
    assert bare == replace(created, params={}, tags={})


async def test_artifacts_lie_in_the_location_of_the_experiment(stores: Stores) -> None:
    made = await stores.experiments.create_experiment(NewExperiment("far", 1, artifact_location="s3://bucket/x/"))
    model = await stores.logged_models.create_logged_model(replace(NEW, experiment_id=made.experiment_id))
    assert model.artifact_uri == "s3://bucket/x/models/m-1/artifacts"


async def test_same_request_answers_with_the_model_that_it_made(stores: Stores) -> None:
    first = await stores.logged_models.create_logged_model(replace(NEW, request_id="q"))
    await stores.logged_models.change_logged_model_tags("m-1", changed={"a": "b"}, now_ms=2_000)
    again = await stores.logged_models.create_logged_model(replace(NEW, model_id="m-2", request_id="q"))
    assert again == replace(first, tags={"team": "red", "a": "b"}, last_update_time_ms=2_000)
    assert await found(stores) == ["m-1"]


async def test_models_are_made_in_active_experiments_only(stores: Stores) -> None:
    with pytest.raises(NotFound, match="experiment '7' does not exist"):
        await stores.logged_models.create_logged_model(replace(NEW, experiment_id="7"))
    made = await stores.experiments.create_experiment(NewExperiment("gone", 1))
    await stores.experiments.set_experiment_stage(made.experiment_id, LifecycleStage.DELETED, now_ms=2)
    with pytest.raises(ExperimentDeleted):
        await stores.logged_models.create_logged_model(replace(NEW, experiment_id=made.experiment_id))


async def test_update_changes_what_is_given(stores: Stores) -> None:
    await add(stores, "m-1")
    update = stores.logged_models.update_logged_model
    changed = await update("m-1", status=LoggedModelStatus.READY, status_message=None, now_ms=2_000)
    assert (changed.status, changed.status_message, changed.last_update_time_ms) == ("READY", "", 2_000)
    changed = await update("m-1", status=None, status_message="done", now_ms=3_000)
    assert (changed.status, changed.status_message, changed.last_update_time_ms) == ("READY", "done", 3_000)
    assert (changed.tags, changed.params) == (NEW.tags, NEW.params)
    assert await stores.logged_models.get_logged_model("m-1") == changed


async def test_last_tag_wins_and_a_missing_one_is_not_deleted(stores: Stores) -> None:
    await add(stores, "m-1")
    change = stores.logged_models.change_logged_model_tags
    await change("m-1", changed={"team": "blue", "a": ""}, now_ms=2_000)
    await change("m-1", changed={}, deleted=["a"], now_ms=3_000)
    model = await stores.logged_models.get_logged_model("m-1")
    assert (model.tags, model.last_update_time_ms) == ({"team": "blue"}, 3_000)
    with pytest.raises(NotFound, match="tag 'a' does not exist"):
        await change("m-1", changed={"b": "c"}, deleted=["a"], now_ms=4_000)
    assert await stores.logged_models.get_logged_model("m-1") == model


async def test_param_never_changes_and_a_conflict_stores_nothing(stores: Stores) -> None:
    await add(stores, "m-1")
    log_params = stores.logged_models.log_logged_model_params
    await log_params("m-1", {"depth": "3", "width": "8"}, now_ms=2_000)
    with pytest.raises(FailedPrecondition, match="logged model 'm-1' has it as '3'") as raised:
        await log_params("m-1", {"new": "1", "depth": "4"}, now_ms=3_000)
    assert raised.value.reason == "PARAM_ALREADY_SET"
    model = await stores.logged_models.get_logged_model("m-1")
    assert (model.params, model.last_update_time_ms) == ({"depth": "3", "width": "8"}, 2_000)


async def test_deleted_model_is_not_found_by_anything(stores: Stores) -> None:
    await add(stores, "m-1", "m-2")
    models = stores.logged_models
    await models.delete_logged_model("m-1", now_ms=5_000)
    await models.delete_logged_model("m-1", now_ms=6_000)
    assert await found(stores) == ["m-2"]
    for call in (
        models.get_logged_model("m-1"),
        models.update_logged_model("m-1", status=LoggedModelStatus.READY, status_message=None, now_ms=7),
        models.change_logged_model_tags("m-1", changed={"a": "b"}, now_ms=7),
        models.log_logged_model_params("m-1", {"a": "b"}, now_ms=7),
        models.delete_logged_model("m-9", now_ms=7),
    ):
        with pytest.raises(NotFound, match=r"logged model 'm-.' does not exist"):
            await call


async def test_metrics_are_the_series_of_the_model_in_any_run(stores: Stores) -> None:
    made = await stores.experiments.create_experiment(NewExperiment("other", 1))
    await stores.runs.create_run(new_run("b"))
    await stores.runs.create_run(new_run("a", experiment_id=made.experiment_id))
    await add(stores, "m-1", "m-2")
    await log(stores, "b", "m-1", [(1, 10, 0.5), (2, 20, math.nan)], dataset="train")
    await log(stores, "a", "m-1", [(1, 10, 0.7)], dataset="train")
    await log(stores, "a", "m-1", [(3, 30, 0.9)])
    await log(stores, "a", "m-2", [(1, 10, 0.1)])
    await log(stores, "a", "", [(1, 10, 0.0)])
    await log(stores, "a", "m-3", [(1, 10, 0.0)])
    await stores.runs.set_run_stage("a", LifecycleStage.DELETED, now_ms=1)
    metrics = (await stores.logged_models.get_logged_model("m-1")).metrics
    assert [(metric.run_id, metric.context.dataset_name, metric.count) for metric in metrics] == [
        ("a", "", 1),
        ("a", "train", 1),
        ("b", "train", 2),
    ]
    assert math.isnan(metrics[2].last_value)
    assert (metrics[0].last_value, metrics[0].last_step, metrics[0].last_time_ms) == (0.9, 3, 30)
    [other] = (await stores.logged_models.get_logged_model("m-2")).metrics
    assert other.last_value == 0.1


@pytest.fixture
async def scored(stores: Stores) -> Stores:
    """Models m-1 to m-4, newest first m-4; m-4 has no metrics."""
    await stores.runs.create_run(new_run("r"))
    await add(stores, "m-1", "m-2", "m-3", "m-4")
    await log(stores, "r", "m-1", [(1, 10, 0.9)], dataset="train@1")
    await log(stores, "r", "m-1", [(1, 20, 0.4)], dataset="test@2")
    await log(stores, "r", "m-2", [(1, 10, 0.8)], dataset="train@1")
    await log(stores, "r", "m-2", [(1, 5, 0.6)], dataset="test@3")
    await log(stores, "r", "m-3", [(1, 10, math.nan)])
    return stores


async def test_filter_means_any_series_of_a_metric(scored: Stores) -> None:
    assert await found(scored, "metrics.acc > 0.85") == ["m-1"]
    assert await found(scored, "metrics.acc < 0.5") == ["m-1"]
    # Each comparison may hold for a series of its own.
    assert await found(scored, "metrics.acc > 0.85 AND metrics.acc < 0.5") == ["m-1"]
    assert await found(scored, "NOT metrics.acc > 0.85") == ["m-4", "m-3", "m-2"]
    assert await found(scored, "metrics.acc != 0.9") == ["m-3", "m-2", "m-1"]
    assert await found(scored, "metrics.acc = nan") == ["m-3"]
    assert await found(scored, "metrics.acc IS NULL") == ["m-4"]
    assert await found(scored, "metrics.acc.min IS NULL") == ["m-4", "m-3"]


async def test_datasets_restrict_the_series_and_the_models(scored: Stores) -> None:
    assert await found(scored, datasets=[TRAIN]) == ["m-2", "m-1"]
    assert await found(scored, datasets=[TEST]) == ["m-1"]
    assert await found(scored, datasets=[MetricDataset("none"), TEST]) == ["m-1"]
    assert await found(scored, datasets=[MetricDataset("none")]) == []
    assert await found(scored, "metrics.acc < 0.7", datasets=[TRAIN]) == []
    assert await found(scored, "metrics.acc < 0.7", datasets=[TRAIN, TEST]) == ["m-1"]
    assert await found(scored, "NOT metrics.acc < 0.7 OR params.depth = '9'", datasets=[TRAIN]) == ["m-2", "m-1"]


async def test_order_means_the_newest_series_of_a_metric(scored: Stores) -> None:
    # m-1: test, at 20; m-2: train, at 10.
    assert await found(scored, "", "metrics.acc DESC") == ["m-2", "m-1", "m-3", "m-4"]
    assert await found(scored, "", "metrics.acc") == ["m-1", "m-2", "m-3", "m-4"]
    assert await found(scored, "", "metrics.acc DESC", of=TRAIN) == ["m-1", "m-2", "m-4", "m-3"]
    assert await found(scored, "", "metrics.acc", of=TEST) == ["m-1", "m-4", "m-3", "m-2"]
    assert await found(scored, "", "metrics.acc.max", "name DESC") == ["m-1", "m-2", "m-4", "m-3"]


async def test_search_by_attributes_params_and_tags(stores: Stores) -> None:
    await add(stores, "m-1", "m-2")
    await add(stores, "m-3", name="b", model_type="", source_run_id="", tags={}, params={"depth": "4"})
    await stores.logged_models.update_logged_model("m-2", status=LoggedModelStatus.READY, status_message=None, now_ms=9)
    assert await found(stores, "status = 'ready'") == ["m-2"]
    assert await found(stores, "model_type IS NULL AND source_run_id IS NULL") == ["m-3"]
    assert await found(stores, "attributes.model_id IN ('m-1', 'm-3') AND tags.team = 'red'") == ["m-1"]
    assert await found(stores, "params.depth != '3'") == ["m-3"]
    assert await found(stores, "creation_timestamp > 1000 AND last_updated_timestamp_ms = 9") == ["m-2"]
    assert await found(stores, "experiment_id = '0'", "name", "params.depth DESC") == ["m-3", "m-2", "m-1"]


async def test_search_stays_in_its_experiments(stores: Stores) -> None:
    made = await stores.experiments.create_experiment(NewExperiment("other", 1))
    await add(stores, "m-1", experiment_id=made.experiment_id)
    assert await found(stores) == []

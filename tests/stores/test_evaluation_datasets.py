"""The contract of EvaluationDatasetStore, over every store that keeps it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.stores.conftest import Stores

from trackwire_server.core.entities import LifecycleStage, NewExperiment
from trackwire_server.core.errors import ExperimentDeleted, NotFound, TrackwireError
from trackwire_server.core.evaluation_dataset_entities import EvaluationDataset, NewEvaluationDataset
from trackwire_server.core.evaluation_records import RecordDraft, prepared
from trackwire_server.core.searching import SearchRequest, parse_search
from trackwire_server.search import EVALUATION_DATASETS

NEW = NewEvaluationDataset(
    dataset_id="d-1",
    name="questions",
    creation_time_ms=1_000,
    created_by="ada",
    tags={"team": "red"},
    experiment_ids=("0",),
)


async def add(stores: Stores, *dataset_ids: str, **fields: object) -> None:
    """Datasets, each made a millisecond after the one before."""
    for at, dataset_id in enumerate(dataset_ids):
        new = replace(NEW, dataset_id=dataset_id, creation_time_ms=1_000 + at, **fields)
        await stores.evaluation_datasets.create_evaluation_dataset(new)


async def add_experiments(stores: Stores, count: int) -> list[str]:
    return [
        (await stores.experiments.create_experiment(NewExperiment(f"e{at}", 1))).experiment_id for at in range(count)
    ]


async def found(
    stores: Stores, text: str = "", *order_by: str, experiment_ids: Sequence[str] = (), page_size: int = 2
) -> list[str]:
    """The ids of what a search finds, page by page."""
    request = SearchRequest(text, order_by, page_size=page_size, experiment_ids=tuple(experiment_ids))
    ids: list[str] = []
    while True:
        search = parse_search(request, EVALUATION_DATASETS, page_size_default=100, page_size_max=100)
        page = await stores.evaluation_datasets.search_evaluation_datasets(search.query)
        ids += [dataset.dataset_id for dataset in page.items]
        if page.next_position is None:
            return ids
        request = replace(request, page_token=search.token(page.next_position))


async def test_created_dataset_is_read_back_whole(stores: Stores) -> None:
    created = await stores.evaluation_datasets.create_evaluation_dataset(NEW)
    assert created == EvaluationDataset(
        dataset_id="d-1",
        name="questions",
        creation_time_ms=1_000,
        last_update_time_ms=1_000,
        digest=NEW.digest,
        created_by="ada",
        last_updated_by="ada",
        tags={"team": "red"},
        experiment_ids=("0",),
    )
    assert await stores.evaluation_datasets.get_evaluation_dataset("d-1") == created


async def test_same_request_answers_with_the_dataset_that_it_made(stores: Stores) -> None:
    create = stores.evaluation_datasets.create_evaluation_dataset
    first = await create(replace(NEW, request_id="q"))
    assert await create(replace(NEW, dataset_id="d-2", name="other", request_id="q")) == first
    assert await found(stores) == ["d-1"]
    await stores.evaluation_datasets.delete_evaluation_dataset("d-1")
    again = await create(replace(NEW, dataset_id="d-2", request_id="q"))
    assert again.dataset_id == "d-2"


async def test_names_are_not_unique(stores: Stores) -> None:
    await add(stores, "d-1", "d-2")
    assert await found(stores, "name = 'questions'") == ["d-2", "d-1"]


@pytest.mark.parametrize("how", ["create", "link"])
async def test_experiments_must_be_there_and_active(stores: Stores, how: str) -> None:
    [gone] = await add_experiments(stores, 1)
    await stores.experiments.set_experiment_stage(gone, LifecycleStage.DELETED, now_ms=2)
    await add(stores, "d-1")
    datasets = stores.evaluation_datasets
    expected: Sequence[tuple[str, type[TrackwireError]]] = (("7", NotFound), (gone, ExperimentDeleted))
    for experiment_id, error in expected:
        both = ("0", experiment_id)
        if how == "create":
            call = datasets.create_evaluation_dataset(replace(NEW, dataset_id="d-2", experiment_ids=both))
        else:
            call = datasets.link_evaluation_dataset("d-1", added=both, now_ms=2_000)
        with pytest.raises(error):
            await call
    assert await found(stores) == ["d-1"]
    assert (await datasets.get_evaluation_dataset("d-1")).last_update_time_ms == 1_000


async def test_experiments_come_and_go(stores: Stores) -> None:
    made = await add_experiments(stores, 11)
    await add(stores, "d-1", experiment_ids=(made[9], "0"))
    link = stores.evaluation_datasets.link_evaluation_dataset
    linked = await link("d-1", added=[made[1], "0"], now_ms=2_000)
    assert linked.experiment_ids == ("0", "2", "10")
    assert linked.last_update_time_ms == 2_000
    assert await stores.evaluation_datasets.get_evaluation_dataset("d-1") == linked
    assert await link("d-1", added=["0"], now_ms=3_000) == linked
    assert await link("d-1", removed=[made[0], "999"], now_ms=3_000) == linked
    left = await link("d-1", removed=["0", "10", "2"], now_ms=1_500)
    assert left == replace(linked, experiment_ids=(), last_update_time_ms=2_001)


async def test_dataset_leaves_a_deleted_experiment(stores: Stores) -> None:
    [experiment_id] = await add_experiments(stores, 1)
    await add(stores, "d-1", experiment_ids=(experiment_id,))
    await stores.experiments.set_experiment_stage(experiment_id, LifecycleStage.DELETED, now_ms=2)
    left = await stores.evaluation_datasets.link_evaluation_dataset("d-1", removed=[experiment_id], now_ms=2_000)
    assert left.experiment_ids == ()


async def test_experiment_removed_for_good_leaves_no_link_behind(stores: Stores) -> None:
    [experiment_id] = await add_experiments(stores, 1)
    await add(stores, "d-1", experiment_ids=("0", experiment_id))
    await add(stores, "d-2", experiment_ids=(experiment_id,))
    await stores.experiments.set_experiment_stage(experiment_id, LifecycleStage.DELETED, now_ms=2)
    assert await found(stores, experiment_ids=[experiment_id]) == ["d-1", "d-2"]
    assert await stores.garbage.remove_experiment(experiment_id, before_ms=2)
    assert await found(stores, experiment_ids=[experiment_id]) == []
    assert (await stores.evaluation_datasets.get_evaluation_dataset("d-1")).experiment_ids == ("0",)
    assert (await stores.evaluation_datasets.get_evaluation_dataset("d-2")).experiment_ids == ()


async def test_last_tag_wins_and_a_missing_one_is_not_deleted(stores: Stores) -> None:
    await add(stores, "d-1")
    change = stores.evaluation_datasets.change_evaluation_dataset_tags
    await change("d-1", changed={"team": "blue", "a": ""})
    await change("d-1", changed={}, deleted=["a"])
    dataset = await stores.evaluation_datasets.get_evaluation_dataset("d-1")
    assert (dataset.tags, dataset.last_update_time_ms) == ({"team": "blue"}, 1_000)
    with pytest.raises(NotFound, match="tag 'a' does not exist"):
        await change("d-1", changed={"b": "c"}, deleted=["a"])
    assert await stores.evaluation_datasets.get_evaluation_dataset("d-1") == dataset


async def test_deleted_dataset_is_gone_with_its_records(stores: Stores) -> None:
    await add(stores, "d-1", "d-2")
    upsert = prepared([RecordDraft({"q": 1})], "", lambda: "1")
    await stores.evaluation_records.upsert_evaluation_records("d-1", upsert, now_ms=2_000)
    await stores.evaluation_datasets.delete_evaluation_dataset("d-1")
    assert await found(stores) == ["d-2"]
    datasets, records = stores.evaluation_datasets, stores.evaluation_records
    for call in (
        datasets.get_evaluation_dataset("d-1"),
        datasets.change_evaluation_dataset_tags("d-1", changed={"a": "b"}),
        datasets.link_evaluation_dataset("d-1", added=["0"], now_ms=3),
        datasets.delete_evaluation_dataset("d-1"),
        records.upsert_evaluation_records("d-1", upsert, now_ms=3),
        records.list_evaluation_records("d-1", page_size=1, page_bytes=1, after=None),
        records.delete_evaluation_records("d-1", ["dr-1"], now_ms=3),
    ):
        with pytest.raises(NotFound, match="evaluation dataset 'd-1' does not exist"):
            await call
    # Its record's id may be used again: nothing of it is left.
    await records.upsert_evaluation_records("d-2", upsert, now_ms=3_000)


async def test_searches_filter_and_order(stores: Stores) -> None:
    [other] = await add_experiments(stores, 1)
    add_one = stores.evaluation_datasets.create_evaluation_dataset
    await add_one(replace(NEW, dataset_id="d-1", name="b", creation_time_ms=10))
    await add_one(replace(NEW, dataset_id="d-2", name="a", creation_time_ms=20, tags={}, created_by=""))
    await add_one(replace(NEW, dataset_id="d-3", name="c", creation_time_ms=10, experiment_ids=("0", other)))
    await add_one(replace(NEW, dataset_id="d-4", name="d", creation_time_ms=40, experiment_ids=()))
    assert await found(stores) == ["d-4", "d-2", "d-1", "d-3"]
    assert await found(stores, "", "name") == ["d-2", "d-1", "d-3", "d-4"]
    assert await found(stores, "", "created_by DESC", "name DESC") == ["d-4", "d-3", "d-1", "d-2"]
    assert await found(stores, "", "tags.team", "last_update_time") == ["d-1", "d-3", "d-4", "d-2"]
    assert await found(stores, experiment_ids=["0"]) == ["d-2", "d-1", "d-3"]
    assert await found(stores, experiment_ids=["0", other]) == ["d-2", "d-1", "d-3"]
    assert await found(stores, "name != 'a'", experiment_ids=[other, "77"]) == ["d-3"]
    assert await found(stores, "tags.team = 'red' AND created_time <= 10") == ["d-1", "d-3"]
    assert await found(stores, "tags.team IS NULL OR name LIKE 'd%'") == ["d-4", "d-2"]
    assert await found(stores, "created_by IS NULL") == ["d-2"]
    assert await found(stores, "last_updated_by = 'ada' AND dataset_id IN ('d-1', 'd-2')") == ["d-1"]

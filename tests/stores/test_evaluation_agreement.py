"""The same changes of evaluation datasets leave the same behind in memory and in a database."""

from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.stores.conftest import DATABASES, Stores, memory_stores, open_stores

from trackwire_server.core.entities import NewExperiment
from trackwire_server.core.evaluation_dataset_entities import EvaluationDataset, EvaluationRecord, NewEvaluationDataset
from trackwire_server.core.evaluation_records import UNSAID, RecordDraft, prepared
from trackwire_server.core.searching import SearchRequest, parse_search
from trackwire_server.search import EVALUATION_DATASETS

VALUES = st.sampled_from([None, 1, 1.0, "x", [], {"a": 1}, {"b": {"c": None}}])
OBJECTS = st.dictionaries(st.sampled_from("ab"), VALUES, max_size=2)
DRAFTS = st.builds(
    RecordDraft,
    inputs=st.dictionaries(st.just("q"), st.integers(0, 4), min_size=1),
    outputs=VALUES | st.just(UNSAID),
    expectations=st.none() | OBJECTS,
    tags=st.none() | OBJECTS,
)
UPSERTS = st.tuples(st.just("upsert"), st.lists(DRAFTS, min_size=1, max_size=4), st.sampled_from(["", "ada", "bob"]))
# By their places among the records that are there.
DELETIONS = st.tuples(st.just("delete"), st.sets(st.integers(0, 5), max_size=3), st.just(""))
CHANGES = st.lists(UPSERTS | DELETIONS, max_size=6)
NUMBERS = count(1)


@pytest.fixture
def pair(database_stores: Stores) -> tuple[Stores, Stores]:
    return memory_stores(), database_stores


async def state_of(
    stores: Stores, dataset_id: str, page_size: int, page_bytes: int
) -> tuple[EvaluationDataset, list[list[EvaluationRecord]]]:
    """The dataset and the pages of its records."""
    pages, after = [], None
    while True:
        page = await stores.evaluation_records.list_evaluation_records(
            dataset_id, page_size=page_size, page_bytes=page_bytes, after=after
        )
        pages.append(list(page.items))
        after = page.next_position
        if after is None:
            return await stores.evaluation_datasets.get_evaluation_dataset(dataset_id), pages


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES, page_size=st.integers(1, 4), page_bytes=st.sampled_from([1, 30, 1_000]))
async def test_memory_and_database_agree_on_records(
    pair: tuple[Stores, Stores], changes: list[tuple[str, object, str]], page_size: int, page_bytes: int
) -> None:
    dataset_id = f"d-{next(NUMBERS)}"
    new = NewEvaluationDataset(dataset_id, "n", 1_000)
    for stores in pair:
        await stores.evaluation_datasets.create_evaluation_dataset(new)
    for at, (kind, what, user) in enumerate(changes):
        now_ms = 2_000 + at // 2
        _, [there] = await state_of(pair[0], dataset_id, 1_000, 1 << 30)
        answers: list[object] = []
        upsert = prepared(what, user, lambda: str(next(NUMBERS))) if kind == "upsert" else None
        for stores in pair:
            records = stores.evaluation_records
            if upsert is not None:
                answers.append(await records.upsert_evaluation_records(dataset_id, upsert, now_ms=now_ms))
            else:
                ids = [record.record_id for place, record in enumerate(there) if place in what]
                answers.append(await records.delete_evaluation_records(dataset_id, ids, now_ms=now_ms))
        assert answers[0] == answers[1]
    ours, theirs = [await state_of(stores, dataset_id, page_size, page_bytes) for stores in pair]
    assert ours == theirs
    assert ours[0].record_count == sum(map(len, ours[1]))


ATTRIBUTES = ("name", "created_by", "created_time", "last_update_time", "tags.a", "dataset_id")
FILTERS = st.sampled_from(
    [
        "",
        "name = 'x'",
        "name LIKE 'x%' OR tags.a IS NULL",
        "NOT tags.a = '1'",
        "tags.a != '1' AND created_time >= 2",
        "created_by IN ('ada') AND last_update_time < 3",
        "last_updated_by IS NULL",
    ]
)
SAMPLES = st.tuples(
    st.sampled_from(["x", "xy", "y"]),
    st.integers(1, 3),
    st.sampled_from(["", "ada"]),
    st.dictionaries(st.just("a"), st.sampled_from("12")),
    st.sets(st.sampled_from("012"), max_size=2),
)


@pytest.mark.parametrize("backend", DATABASES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    samples=st.lists(SAMPLES, max_size=5),
    text=FILTERS,
    order_by=st.lists(
        st.tuples(st.sampled_from(ATTRIBUTES), st.sampled_from(["", " DESC"])),
        max_size=2,
        unique_by=lambda pair: pair[0],
    ),
    wanted=st.sets(st.sampled_from("0129"), max_size=2),
    page_size=st.integers(1, 3),
)
async def test_memory_and_database_agree_on_searches(
    tmp_path_factory: pytest.TempPathFactory,
    backend: str,
    samples: list[tuple[str, int, str, dict[str, str], set[str]]],
    text: str,
    order_by: list[tuple[str, str]],
    wanted: set[str],
    page_size: int,
) -> None:
    async with open_stores(backend, tmp_path_factory.mktemp("search")) as database:
        pair = (memory_stores(), database)
        await fill(pair, samples)
        token, seen = "", 0
        while True:
            request = SearchRequest(
                text,
                [field + direction for field, direction in order_by],
                page_size=page_size,
                page_token=token,
                experiment_ids=tuple(sorted(wanted)),
            )
            search = parse_search(request, EVALUATION_DATASETS, page_size_default=1, page_size_max=100)
            ours, theirs = [
                await stores.evaluation_datasets.search_evaluation_datasets(search.query) for stores in pair
            ]
            assert (list(ours.items), ours.next_position) == (list(theirs.items), theirs.next_position)
            seen += len(ours.items)
            token = search.token(ours.next_position)
            if not token:
                break
        assert seen <= len(samples)


async def fill(pair: tuple[Stores, Stores], samples: list[tuple[str, int, str, dict[str, str], set[str]]]) -> None:
    """Two more experiments, and these datasets."""
    for stores in pair:
        for name in ("one", "two"):
            await stores.experiments.create_experiment(NewExperiment(name, 1))
        for at, (name, time_ms, creator, tags, experiment_ids) in enumerate(samples):
            await stores.evaluation_datasets.create_evaluation_dataset(
                NewEvaluationDataset(
                    dataset_id=f"d-{at * 7 % 5}",
                    name=name,
                    creation_time_ms=time_ms,
                    created_by=creator,
                    tags=tags,
                    experiment_ids=tuple(sorted(experiment_ids)),
                )
            )

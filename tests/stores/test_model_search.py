"""The same search for logged models gives the same answer from memory and from a database."""

import math
from dataclasses import dataclass, replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import NOW_MS
from tests.metric_data import batch
from tests.stores.conftest import Stores, memory_stores, new_run

from trackwire_server.core.columns import SeriesName
from trackwire_server.core.entities import NewExperiment, SeriesContext
from trackwire_server.core.logged_model_entities import LoggedModel, NewLoggedModel
from trackwire_server.core.paging import Position, SearchQuery
from trackwire_server.core.searching import SearchRequest, parse_search
from trackwire_server.search import LOGGED_MODELS, MetricDataset

NUMBERS = st.sampled_from([math.nan, math.inf, -math.inf, -1.5, 0.0, 0.5, 2.0])
TEXTS = st.sampled_from(["", "x", "X"])
# Few of each, so that several series of one model have the same key, the same time or the same dataset.
CONTEXTS = st.builds(
    lambda rank, name, digest: (rank, name, digest if name else ""),
    st.sampled_from([None, 0]),
    st.sampled_from(["", "train", "test"]),
    st.sampled_from(["", "1"]),
)
POINTS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), NUMBERS), min_size=1, max_size=2)
SERIES = st.dictionaries(st.tuples(st.sampled_from("ab"), CONTEXTS, st.sampled_from(["r1", "r2"])), POINTS, max_size=4)


@dataclass(frozen=True)
class Sample:
    """A logged model as a test draws it."""

    name: str
    model_type: str
    creation_time_ms: int
    tags: dict[str, str]
    series: dict[tuple[str, tuple[int | None, str, str], str], list[tuple[int, int, float]]]


SAMPLES = st.builds(
    Sample,
    name=st.sampled_from(["n", "N", "m"]),
    model_type=TEXTS,
    creation_time_ms=st.integers(0, 2),
    tags=st.dictionaries(st.sampled_from("ab"), TEXTS, max_size=1),
    series=SERIES,
)
NUMBER_FIELDS = st.sampled_from(["metrics.a", "metrics.b", "metrics.a.first", "metrics.a.min", "metrics.b.max"])
FIELDS = NUMBER_FIELDS | st.sampled_from(["metrics.a.count", "name", "model_type", "tags.a", "creation_timestamp"])
COMPARISONS = st.one_of(
    st.builds(
        "{} {} {}".format, NUMBER_FIELDS, st.sampled_from(["=", "!=", "<", ">="]), st.just("0.5") | st.just("inf")
    ),
    st.builds("{} {} nan".format, NUMBER_FIELDS, st.sampled_from(["=", "!="])),
    st.builds("{} {} (0.5, 2.0)".format, NUMBER_FIELDS, st.sampled_from(["IN", "NOT IN"])),
    st.builds("{} {}".format, FIELDS, st.sampled_from(["IS NULL", "IS NOT NULL"])),
    st.builds("{} {} 'x'".format, st.sampled_from(["model_type", "tags.a"]), st.sampled_from(["=", "!=", "ILIKE"])),
    st.builds("metrics.a.count {} 1".format, st.sampled_from(["=", ">"])),
)
FILTERS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("NOT ({})".format, inner),
    ),
    max_leaves=4,
)
ORDERS = st.lists(st.tuples(FIELDS, st.sampled_from(["", " DESC"])), max_size=2, unique_by=lambda clause: clause[0])
DATASETS = st.sampled_from([MetricDataset("train"), MetricDataset("test"), MetricDataset("test", "1")])


@dataclass
class Pair:
    """A store in memory and a database, filled alike."""

    memory: Stores
    database: Stores
    numbers: "count[int]"

    async def fresh_experiment(self) -> str:
        new = NewExperiment(name=f"experiment {next(self.numbers)}", creation_time_ms=0)
        made = [await stores.experiments.create_experiment(new) for stores in (self.memory, self.database)]
        return made[0].experiment_id

    async def add(self, experiment_id: str, sample: Sample) -> None:
        new = NewLoggedModel(
            model_id=f"m-{next(self.numbers) * 7919 % 10007}-{next(self.numbers)}",
            experiment_id=experiment_id,
            name=sample.name,
            creation_time_ms=sample.creation_time_ms,
            model_type=sample.model_type,
            tags=sample.tags,
        )
        for stores in (self.memory, self.database):
            await stores.logged_models.create_logged_model(new)
            for (key, (rank, dataset, digest), run_id), points in sample.series.items():
                series = SeriesName(key, SeriesContext(rank, new.model_id, dataset, digest))
                await stores.metrics.append([batch(run_id, {series: points})], now_ms=NOW_MS)

    async def page(self, query: SearchQuery) -> tuple[list[str], Position | None]:
        """The ids of a page, and its end, which must be the same of both."""
        ours = await self.memory.logged_models.search_logged_models(query)
        theirs = await self.database.logged_models.search_logged_models(query)
        assert list(map(shown, ours.items)) == list(map(shown, theirs.items))
        assert repr(ours.next_position) == repr(theirs.next_position)
        return [model.model_id for model in ours.items], ours.next_position


def shown(model: LoggedModel) -> str:
    """A model as text: NaN equals itself there, and so do the zeros, of which a database keeps one."""
    return repr(replace(model, tags=sorted(model.tags.items()))).replace("-0.0", "0.0")


@pytest.fixture
async def pair(database_stores: Stores) -> Pair:
    pair = Pair(memory_stores(), database_stores, count())
    for stores in (pair.memory, pair.database):
        for run_id in ("r1", "r2"):
            await stores.runs.create_run(new_run(run_id))
    return pair


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    samples=st.lists(SAMPLES, max_size=5),
    text=FILTERS | st.just(""),
    order_by=ORDERS,
    of=st.none() | DATASETS,
    datasets=st.lists(DATASETS, max_size=2, unique=True),
    page_size=st.integers(1, 3),
)
async def test_memory_and_database_agree_page_by_page(
    pair: Pair,
    samples: list[Sample],
    text: str,
    order_by: list[tuple[str, str]],
    of: MetricDataset | None,
    datasets: list[MetricDataset],
    page_size: int,
) -> None:
    experiment_id = await pair.fresh_experiment()
    for sample in samples:
        await pair.add(experiment_id, sample)
    request = SearchRequest(
        text,
        [field + direction for field, direction in order_by],
        page_size=100,
        experiment_ids=(experiment_id,),
        datasets=tuple(datasets),
        order_by_datasets=((0, of),) if of and order_by and order_by[0][0].startswith("metrics.") else (),
    )
    whole, _ = await pair.page(parse_search(request, LOGGED_MODELS, page_size_default=1, page_size_max=100).query)
    seen: list[str] = []
    token = ""
    while len(seen) <= len(whole):
        paged = replace(request, page_size=page_size, page_token=token)
        search = parse_search(paged, LOGGED_MODELS, page_size_default=1, page_size_max=100)
        ids, position = await pair.page(search.query)
        seen += ids
        token = search.token(position)
        if not token:
            break
    assert seen == whole

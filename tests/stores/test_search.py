"""The same search gives the same answer from memory and from a database."""

import math
from dataclasses import dataclass, replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.stores.conftest import Stores, memory_stores

from trackwire_server.core.entities import (
    DEFAULT_CONTEXT,
    ExperimentReference,
    MetricSummary,
    NewExperiment,
    NewRun,
    Run,
    RunSelection,
    RunStatus,
)
from trackwire_server.core.paging import SearchQuery
from trackwire_server.core.run_inputs import CONTEXT_TAG, Dataset, DatasetInput, RunInputs
from trackwire_server.core.searching import SearchRequest, parse_search
from trackwire_server.search import RUNS

KEYS = ("a", "b")
TEXTS = st.sampled_from(["", "x", "X", "xy", "Ä", "ä", "a%b", "a\\b", "_", "ß"])
NUMBERS = st.sampled_from([math.nan, math.inf, -math.inf, -1.5, 0.0, 1e-300, 0.5, 2.0])
ENTRIES = st.dictionaries(st.sampled_from(KEYS), TEXTS, max_size=2)


@dataclass(frozen=True)
class Sample:
    """A run as a test draws it; metrics are (first, last, lowest number or None), datasets (name, digest, context)."""

    name: str
    start_time_ms: int
    is_finished: bool
    params: dict[str, str]
    tags: dict[str, str]
    metrics: dict[str, tuple[float, float, float | None]]
    datasets: list[tuple[str, str, str]]


METRIC = st.tuples(NUMBERS, NUMBERS, st.none() | st.sampled_from([-1.5, 0.5, math.inf]))
DATASET = st.tuples(TEXTS.filter(bool), st.sampled_from(["x", "X", "_"]), TEXTS)
SAMPLES = st.builds(
    Sample,
    name=st.sampled_from(["n", "N", "m", "né"]),
    start_time_ms=st.integers(0, 3),
    is_finished=st.booleans(),
    params=ENTRIES,
    tags=ENTRIES,
    metrics=st.dictionaries(st.sampled_from(KEYS), METRIC, max_size=2),
    datasets=st.lists(
        st.tuples(TEXTS.filter(bool), st.sampled_from(["x", "X", "_"]), TEXTS),
        max_size=3,
        unique_by=lambda each: each[:2],
    ),
)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


DATASET_FIELDS = st.sampled_from(["datasets.name", "dataset.digest", "datasets.context"])
TEXT_FIELDS = st.sampled_from(["params.a", "tags.a", "params.b", "tags.b", "run_name", "parent_run_id", "user_id"])
ANY_TEXT_FIELDS = TEXT_FIELDS | DATASET_FIELDS
NUMBER_FIELDS = st.sampled_from(
    ["metrics.a", "metrics.a.first", "metrics.a.min", "metrics.b.max", "metrics.b", "metrics.none"]
)
INTEGER_FIELDS = st.sampled_from(["start_time", "end_time", "heartbeat_time", "metrics.a.count"])
ORDERING = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
IS_NULL = st.sampled_from(["IS NULL", "IS NOT NULL"])
LIKE = st.sampled_from(["LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE"])
PATTERNS = st.sampled_from(["%", "x%", "%Y", "_", "ä", "a\\%", "%\\b", "A%b", "", "n%"])
COMPARISONS = st.one_of(
    st.builds("{} {} {}".format, ANY_TEXT_FIELDS, st.sampled_from(["=", "!="]), TEXTS.map(quoted)),
    st.builds("{} {} {}".format, ANY_TEXT_FIELDS, LIKE, PATTERNS.map(quoted)),
    st.builds(
        "{} {} ({}, {})".format,
        ANY_TEXT_FIELDS,
        st.sampled_from(["IN", "NOT IN"]),
        *[TEXTS.map(quoted)] * 2,
    ),
    st.builds("{} {} {}".format, NUMBER_FIELDS, ORDERING, NUMBERS.filter(lambda n: not math.isnan(n))),
    st.builds("{} {} nan".format, NUMBER_FIELDS, st.sampled_from(["=", "!="])),
    st.builds("{} {} (0.5, {})".format, NUMBER_FIELDS, st.sampled_from(["IN", "NOT IN"]), st.just("inf")),
    st.builds("{} {} {}".format, INTEGER_FIELDS, ORDERING, st.integers(0, 3)),
    st.builds("{} {}".format, ANY_TEXT_FIELDS | NUMBER_FIELDS | INTEGER_FIELDS, IS_NULL),
    st.builds("status {} 'finished'".format, st.sampled_from(["=", "!="])),
)
FILTERS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("NOT ({})".format, inner),
    ),
    max_leaves=5,
)
ORDERS = st.lists(
    st.tuples(TEXT_FIELDS | NUMBER_FIELDS | INTEGER_FIELDS | st.just("status"), st.sampled_from(["", " ASC", " DESC"])),
    max_size=3,
    unique_by=lambda clause: clause[0],
).map(lambda clauses: [field + direction for field, direction in clauses])


@dataclass
class Pair:
    """A store in memory and a database, filled alike."""

    memory: Stores
    database: Stores
    numbers: "count[int]"

    async def fresh_experiment(self) -> str:
        new = NewExperiment(name=f"experiment {next(self.numbers)}", creation_time_ms=0)
        made = [await stores.experiments.create_experiment(new) for stores in (self.memory, self.database)]
        assert made[0] == made[1]
        return made[0].experiment_id

    async def add(self, experiment_id: str, sample: Sample) -> None:
        run_id = f"run-{next(self.numbers) * 7919 % 10007}-{next(self.numbers)}"
        new = NewRun(
            run_id=run_id,
            run_name=sample.name,
            experiment=ExperimentReference(experiment_id),
            user_id="",
            status=RunStatus.FINISHED if sample.is_finished else RunStatus.RUNNING,
            start_time_ms=sample.start_time_ms,
            creation_time_ms=0,
            end_time_ms=sample.start_time_ms + 1 if sample.is_finished else None,
            params=sample.params,
            tags=sample.tags,
        )
        summaries = [summary_of(run_id, key, *numbers) for key, numbers in sample.metrics.items()]
        for stores in (self.memory, self.database):
            await stores.runs.create_run(new)
            if sample.datasets:
                await stores.run_inputs.log_run_inputs(run_id, inputs_of(sample), None)
            await stores.put_summaries(summaries)

    async def page(self, query: SearchQuery) -> tuple[list[str], object]:
        """The ids of a page, and its end, which must be the same of both."""
        ours, theirs = [await stores.runs.search_runs(query, RunSelection()) for stores in (self.memory, self.database)]
        assert list(map(shown, ours.items)) == list(map(shown, theirs.items))
        assert repr(ours.next_position) == repr(theirs.next_position)
        return [run.run_id for run in ours.items], ours.next_position


def shown(run: Run) -> str:
    """A run as text: NaN equals itself there."""
    return repr(replace(run, params=sorted(run.params.items()), tags=sorted(run.tags.items())))


def inputs_of(sample: Sample) -> RunInputs:
    given = [DatasetInput(Dataset(name, digest), {CONTEXT_TAG: context}) for name, digest, context in sample.datasets]
    return RunInputs(tuple(given))


def summary_of(run_id: str, key: str, first: float, last: float, lowest: float | None) -> MetricSummary:
    return MetricSummary(
        run_id=run_id,
        key=key,
        context=DEFAULT_CONTEXT,
        primary=True,
        count=2,
        nan_count=sum(map(math.isnan, (first, last))),
        last_value=last,
        last_step=1,
        last_time_ms=2,
        first_value=first,
        first_step=0,
        first_time_ms=1,
        min_value=lowest,
        max_value=lowest,
    )


@pytest.fixture
def pair(database_stores: Stores) -> Pair:
    return Pair(memory_stores(), database_stores, count())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    samples=st.lists(SAMPLES, max_size=8),
    later=st.lists(SAMPLES, max_size=2),
    text=FILTERS | st.just(""),
    order_by=ORDERS,
    page_size=st.integers(1, 4),
    tags_required=st.booleans(),
)
async def test_memory_and_database_agree_page_by_page(
    pair: Pair,
    samples: list[Sample],
    later: list[Sample],
    text: str,
    order_by: list[str],
    page_size: int,
    tags_required: bool,
) -> None:
    experiment_id = await pair.fresh_experiment()
    for sample in samples:
        await pair.add(experiment_id, sample)
    request = SearchRequest(text, order_by, experiment_ids=(experiment_id,), tags_required=tags_required)
    whole, _ = await pair.page(parse(request))

    seen: list[str] = []
    token = ""
    while True:
        search = parse_search(
            replace(request, page_size=page_size, page_token=token),
            RUNS,
            page_size_default=1,
            page_size_max=100,
        )
        ids, position = await pair.page(search.query)
        seen += ids
        token = search.token(position)
        if not token:
            break
        if later:
            await pair.add(experiment_id, later.pop())
    # What was there from the start comes once and in order, whatever is added in between.
    assert [run_id for run_id in seen if run_id in whole] == whole
    assert len(set(seen)) == len(seen)


def parse(request: SearchRequest) -> SearchQuery:
    return parse_search(request, RUNS, page_size_default=100, page_size_max=100).query

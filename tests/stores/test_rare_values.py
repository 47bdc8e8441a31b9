"""Whether few runs have a value or many, a search for it finds those that match, page by page."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.stores.conftest import Stores, new_run

from trackwire_server.core.entities import RUN_ALONE, ExperimentReference, NewExperiment
from trackwire_server.core.searching import SearchRequest, parse_search
from trackwire_server.search import RUNS
from trackwire_server.stores.sql import rare_values
from trackwire_server.stores.sql.tables.columns import INDEXED_CHARACTERS

BEGINNING = "b" * INDEXED_CHARACTERS


@pytest.fixture(autouse=True)
def few_are_two(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(rare_values, "FEW", 2)
        rare_values._owners.cache_clear()
        yield
    rare_values._owners.cache_clear()


async def found(stores: Stores, text: str, *order_by: str) -> list[str]:
    """The ids of all pages of one run each."""
    request = SearchRequest(text, order_by, 1, experiment_ids=("0",))
    ids: list[str] = []
    while True:
        search = parse_search(request, RUNS, page_size_default=1, page_size_max=1)
        page = await stores.runs.search_runs(search.query, RUN_ALONE)
        ids += [run.run_id for run in page.items]
        if page.next_position is None:
            return ids
        request = replace(request, page_token=search.token(page.next_position))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tags.team = 'alone'", ["r5"]),
        ("tags.team = 'alone' and tags.kind = 'x'", []),
        ("tags.kind = 'x' and tags.team = 'many'", ["r3", "r2", "r1"]),
        ("tags.team = 'nobody'", []),
        (f"params.path = '{BEGINNING}'", ["r1"]),
        (f"params.path = '{BEGINNING}2'", ["r2"]),
        (f"params.path = '{BEGINNING}9'", []),
        ("params.path = 'short'", ["r5", "r4"]),
        ("not params.path = 'short'", ["r3", "r2", "r1"]),
        ("params.path = 'short' or tags.kind = 'x'", ["r5", "r4", "r3", "r2", "r1"]),
    ],
)
async def test_runs_with_a_value_are_found_however_many_have_it(
    database_stores: Stores, text: str, expected: list[str]
) -> None:
    elsewhere = await database_stores.experiments.create_experiment(NewExperiment("elsewhere", 0))
    for at in (1, 2, 3):
        tags, params = {"team": "many", "kind": "x"}, {"path": BEGINNING + (str(at) if at > 1 else "")}
        await database_stores.runs.create_run(new_run(f"r{at}", tags=tags, params=params, start_time_ms=at))
    await database_stores.runs.create_run(new_run("r4", tags={}, params={"path": "short"}, start_time_ms=4))
    tags = {"team": "alone", "kind": "y"}
    await database_stores.runs.create_run(new_run("r5", tags=tags, params={"path": "short"}, start_time_ms=5))
    there = ExperimentReference(elsewhere.experiment_id)
    await database_stores.runs.create_run(new_run("other", experiment=there, tags=tags, params={"path": "short"}))
    assert await found(database_stores, text) == expected
    assert await found(database_stores, text, "metrics.none") == expected

"""Which index drives a search: a page must cost what it shows, not what there is."""

from collections.abc import Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.stores.conftest import new_run

from trackwire_server.core.entities import RUN_ALONE
from trackwire_server.core.searching import SearchRequest, parse_search
from trackwire_server.search import RUNS
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.dialect import Compiled
from trackwire_server.stores.sql.prepared import Rows
from trackwire_server.stores.sql.runs import SqlRuns


class Plans:
    """Answers a search with the plans of its statements."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch):
        self._database = database
        self._monkeypatch = monkeypatch

    async def of(self, text: str, order_by: list[str], page_size: int = 1) -> list[str]:
        request = SearchRequest(text, order_by, page_size, experiment_ids=("0",))
        query = parse_search(request, RUNS, page_size_default=1, page_size_max=100).query
        searches: list[tuple[Compiled, Sequence[object]]] = []
        dialect = self._database.dialect
        fetch_each = dialect.fetch_each

        async def noted(
            connection: AsyncConnection, queries: Sequence[tuple[Compiled, Sequence[object]]]
        ) -> Sequence[Rows]:
            searches.extend(queries)
            return await fetch_each(connection, queries)

        with self._monkeypatch.context() as patch:
            patch.setattr(dialect, "fetch_each", noted)
            await SqlRuns(self._database).search_runs(query, RUN_ALONE)
        plans = []
        async with self._database.read() as connection:
            for statement, values in searches:
                rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement.text}", tuple(values))
                plans.append("\n".join(row[3] for row in rows))
        return plans


@pytest.fixture
async def plans(database: Database, monkeypatch: pytest.MonkeyPatch) -> Plans:
    for at in range(3):
        await SqlRuns(database).create_run(new_run(f"r{at}", tags={"team": "blue"}))
    return Plans(database, monkeypatch)


@pytest.mark.parametrize("order", ["metrics.accuracy", "metrics.accuracy DESC"])
async def test_search_by_a_metric_is_driven_by_its_index(plans: Plans, order: str) -> None:
    first, *_ = await plans.of("metrics.loss < 0.5 AND params.lr != '0.1'", [order])
    assert first.startswith(
        "SEARCH driver USING INDEX ix_metric_summaries_last (experiment_no=? AND key_no=? AND last_value>?)"
    )
    assert "SEARCH summaries USING INDEX ix_metric_summaries_run (run_no=? AND key_no=?)" in first
    assert "SEARCH run_params USING PRIMARY KEY (run_no=? AND key=?)" in first
    assert "SCAN" not in first


async def test_few_runs_with_a_value_are_looked_up_by_it(plans: Plans) -> None:
    look, rest = await plans.of("metrics.loss IS NULL AND tags.team = 'blue'", [])
    assert look == "SEARCH run_tags USING INDEX ix_run_tags_value (key=? AND <expr>=?)"
    assert rest.splitlines()[0] == "SEARCH runs USING INTEGER PRIMARY KEY (rowid=?)"


async def test_value_that_nobody_has_is_all_that_is_looked_for(plans: Plans) -> None:
    [look] = await plans.of("metrics.loss < 0.5 AND tags.team = 'none'", [])
    assert look.startswith("SEARCH run_tags USING")


async def test_filter_by_the_metric_that_orders_bounds_its_index(plans: Plans) -> None:
    segments = await plans.of("metrics.loss < 0.5", ["metrics.loss DESC"])
    # Runs whose loss is NaN or missing can't match: they are not even asked for.
    assert len(segments) == 1
    assert "(experiment_no=? AND key_no=? AND last_value>? AND last_value<?)" in segments[0]


async def test_newest_runs_come_off_their_index(plans: Plans) -> None:
    [only] = await plans.of("", [])
    assert only.startswith("SEARCH runs USING INDEX ix_runs_newest (experiment_no=? AND lifecycle_stage=?)")
    assert "USE TEMP B-TREE FOR ORDER BY" not in only

"""Which indexes lead from logged models to their series: what they cost is theirs, and not that of all series."""

from collections.abc import Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.logged_model_entities import NewLoggedModel
from trackwire_server.core.searching import SearchRequest, parse_search
from trackwire_server.search import LOGGED_MODELS, MetricDataset
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.dialect import Compiled
from trackwire_server.stores.sql.logged_models import SqlLoggedModels
from trackwire_server.stores.sql.prepared import Rows

OF_MODEL = "INDEX ix_metric_contexts_model_id (model_id=?)"
OF_CONTEXT = "INDEX ix_metric_summaries_context (context_no=? AND key_no=?)"


async def plans_of(database: Database, monkeypatch: pytest.MonkeyPatch, request: SearchRequest) -> list[str]:
    """The plans of a search's statements, with that which reads the metrics of the models found."""
    query = parse_search(request, LOGGED_MODELS, page_size_default=10, page_size_max=100).query
    searches: list[tuple[Compiled, Sequence[object]]] = []
    dialect = database.dialect
    fetch_each = dialect.fetch_each

    async def noted(
        connection: AsyncConnection, queries: Sequence[tuple[Compiled, Sequence[object]]]
    ) -> Sequence[Rows]:
        searches.extend(queries)
        return await fetch_each(connection, queries)

    with monkeypatch.context() as patch:
        patch.setattr(dialect, "fetch_each", noted)
        await SqlLoggedModels(database).search_logged_models(query)
    plans = []
    async with database.read() as connection:
        for statement, values in searches:
            rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement.text}", tuple(values))
            plans.append("\n".join(row[3] for row in rows))
    return plans


@pytest.fixture
async def filled(database: Database) -> Database:
    for at in range(3):
        await SqlLoggedModels(database).create_logged_model(NewLoggedModel(f"m-{at}", "0", "n", at))
    return database


async def test_newest_models_come_off_their_index(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    search, *_, metrics = await plans_of(filled, monkeypatch, SearchRequest(experiment_ids=("0",)))
    assert search.startswith(
        "SEARCH logged_models USING INDEX ix_logged_models_newest (experiment_no=? AND lifecycle_st"
    )
    assert "USE TEMP B-TREE FOR ORDER BY" not in search
    assert OF_MODEL in metrics
    assert "SEARCH metric_summaries USING INDEX ix_metric_summaries_context (context_no=?)" in metrics
    assert "SCAN" not in metrics


@pytest.mark.parametrize("datasets", [(), (MetricDataset("train"),)])
async def test_filter_and_order_by_a_metric_go_by_the_series_of_each_model(
    filled: Database, monkeypatch: pytest.MonkeyPatch, datasets: tuple[MetricDataset, ...]
) -> None:
    request = SearchRequest(
        "metrics.acc > 0.5",
        ["metrics.acc DESC"],
        experiment_ids=("0",),
        datasets=datasets,
        order_by_datasets=tuple((0, dataset) for dataset in datasets),
    )
    search = (await plans_of(filled, monkeypatch, request))[0]
    assert search.count(OF_MODEL) == 2 + len(datasets)
    assert search.count(OF_CONTEXT) == 2
    assert "INDEX ix_logged_models_newest (experiment_no=?)" in search
    assert "SCAN summaries" not in search
    assert "SCAN contexts" not in search

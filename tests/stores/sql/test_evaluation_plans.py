"""Which indexes lead to evaluation datasets and their records: a page costs what it shows."""

from collections.abc import Sequence

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection

from trackwire_server.core.evaluation_dataset_entities import NewEvaluationDataset
from trackwire_server.core.evaluation_records import RecordDraft, prepared
from trackwire_server.core.searching import SearchRequest, parse_search
from trackwire_server.search import EVALUATION_DATASETS
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.evaluation_dataset_rows import EVALUATION_DATASETS as ROWS
from trackwire_server.stores.sql.evaluation_datasets import SqlEvaluationDatasets
from trackwire_server.stores.sql.evaluation_records import SqlEvaluationRecords
from trackwire_server.stores.sql.search import _segment


@pytest.fixture
async def filled(database: Database) -> Database:
    """Three datasets; the first has records."""
    for at in range(3):
        await SqlEvaluationDatasets(database).create_evaluation_dataset(NewEvaluationDataset(f"d-{at}", "n", at))
    upsert = prepared([RecordDraft({"q": at}) for at in range(3)], "", iter("abc").__next__)
    await SqlEvaluationRecords(database).upsert_evaluation_records("d-0", upsert, now_ms=5)
    return database


async def plan_of(database: Database, request: SearchRequest) -> str:
    """The plan of a search."""
    query = parse_search(request, EVALUATION_DATASETS, page_size_default=10, page_size_max=100).query
    statement, values = _segment(ROWS, query, None).statement.bind(database.dialect, {})
    async with database.read() as connection:
        rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement.text}", tuple(values))
        return "\n".join(row[3] for row in rows)


async def test_newest_datasets_come_off_their_index(filled: Database) -> None:
    plan = await plan_of(filled, SearchRequest())
    assert plan.startswith("SEARCH evaluation_datasets USING INDEX ix_evaluation_datasets_newest (workspace=?)")
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan


async def test_dataset_is_found_by_its_name(filled: Database) -> None:
    plan = await plan_of(filled, SearchRequest("name = 'n'"))
    assert "INDEX ix_evaluation_datasets_name (workspace=? AND name=?)" in plan


async def test_datasets_of_an_experiment_are_found_by_it(filled: Database) -> None:
    plan = await plan_of(filled, SearchRequest(experiment_ids=("0",)))
    assert "ix_evaluation_dataset_experiments_experiment_no (experiment_no=?)" in plan


async def test_page_of_records_is_cut_without_reading_them(filled: Database) -> None:
    statements: list[tuple[str, Sequence[object]]] = []

    def noted(_connection: Connection, _cursor: object, text: str, values: Sequence[object], *_: object) -> None:
        statements.append((text, values))

    async with filled.read() as connection:
        engine = connection.engine.sync_engine
    event.listen(engine, "before_cursor_execute", noted)
    try:
        page = await SqlEvaluationRecords(filled).list_evaluation_records(
            "d-0", page_size=2, page_bytes=1 << 20, after=(1,)
        )
    finally:
        event.remove(engine, "before_cursor_execute", noted)
    assert len(page.items) == 2
    _, sizes, whole = statements
    plans = []
    async with filled.read() as connection:
        for text, values in (sizes, whole):
            rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", tuple(values))
            plans.append("\n".join(row[3] for row in rows))
    assert "COVERING INDEX ix_evaluation_dataset_records_page (dataset_no=? AND record_no>?)" in plans[0]
    assert "USE TEMP B-TREE" not in plans[0] + plans[1]

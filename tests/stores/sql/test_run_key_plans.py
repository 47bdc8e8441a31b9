"""Which indexes lead to the keys of runs: they cost what an experiment's own runs have, whatever else there is."""

import pytest
from tests.conftest import NOW_MS
from tests.metric_data import batch
from tests.stores.conftest import new_run

from trackwire_server.core.entities import NewExperiment, ViewType
from trackwire_server.core.run_keys import RunKeyKind
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.experiments import SqlExperiments
from trackwire_server.stores.sql.metrics.store import SqlMetricStore
from trackwire_server.stores.sql.run_keys import keys_statement
from trackwire_server.stores.sql.runs import SqlRuns


@pytest.fixture
async def filled(database: Database) -> Database:
    """Three runs of an experiment with entries of each kind, and as many of another."""
    other = (await SqlExperiments(database).create_experiment(NewExperiment("other", NOW_MS))).experiment_id
    for at in range(6):
        run = new_run(f"r{at}", experiment_id=("0", other)[at % 2], params={"lr": "1"})
        await SqlRuns(database).create_run(run)
        await SqlMetricStore(database).append([batch(f"r{at}", {"loss": [(1, 1, 0.5)]})], now_ms=NOW_MS)
    return database


async def plan_of(database: Database, kind: RunKeyKind, view: ViewType) -> str:
    parameters = {"experiment_nos": [0], "behind": "", "limit": 10}
    statement, values = keys_statement(kind, view, skips=False).bind(database.dialect, parameters)
    async with database.read() as connection:
        rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement.text}", tuple(values))
        return "\n".join(row[3] for row in rows)


@pytest.mark.parametrize("view", ViewType)
@pytest.mark.parametrize("kind", [RunKeyKind.PARAM, RunKeyKind.TAG])
async def test_params_and_tags_are_read_run_by_run(filled: Database, kind: RunKeyKind, view: ViewType) -> None:
    plan = await plan_of(filled, kind, view)
    table = f"run_{kind.value}s"
    assert f"SEARCH {table} USING PRIMARY KEY (run_no=? AND key>?)" in plan
    assert "SEARCH runs USING COVERING INDEX ix_runs_newest (experiment_no=?" in plan
    assert f"SCAN {table}" not in plan


@pytest.mark.parametrize("view", ViewType)
async def test_index_of_metrics_is_entered_once_a_key(filled: Database, view: ViewType) -> None:
    plan = await plan_of(filled, RunKeyKind.METRIC, view)
    assert "SEARCH summaries USING INDEX ix_metric_summaries_last (experiment_no=? AND key_no>?)" in plan
    assert "SCAN summaries" not in plan
    looked_up = "SEARCH summaries USING INDEX ix_metric_summaries_last (experiment_no=? AND key_no=?)"
    assert (looked_up in plan) == (view is not ViewType.ALL)

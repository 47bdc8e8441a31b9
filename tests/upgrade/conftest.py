"""Databases of the last release, with runs in them."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest
from tests import postgres
from tests.conftest import ServerProcess
from tests.upgrade.released import path_to, released_tree

RUNS = 10_000
PARAMS = 20
# As logging them would have left them; far faster.
_RUNS = """
INSERT INTO runs (run_id, experiment_no, run_name, status, start_time_ms, artifact_uri)
SELECT 'old-' || number, 0, 'old', 'FINISHED', number, 'trackwire-artifacts:/old' FROM generate_series(1, $1) number
"""
_HEADS = "INSERT INTO run_heads (run_no) SELECT run_no FROM runs"
_PARAMS = """
INSERT INTO run_params (run_no, key, value)
SELECT run_no, 'param_' || place, 'value ' || (run_no * place) % 5000 FROM runs, generate_series(1, $1) place
"""


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of the last release."""
    return released_tree(tmp_path_factory.mktemp("released"))


@pytest.fixture
async def old_database(released: Path, tmp_path: Path) -> AsyncIterator[str]:
    """The URI of a PostgreSQL database that the last release has made, with 10,000 runs."""
    with postgres.fresh_database() as uri:
        environment = {"PYTHONPATH": path_to(released), "TRACKWIRE_STORE_URI": uri}
        server = ServerProcess(tmp_path / "makes", environment=environment)
        server.start()
        assert server.stop() == 0
        connection = await asyncpg.connect(uri)
        await connection.execute(_RUNS, RUNS)
        await connection.execute(_HEADS)
        await connection.execute(_PARAMS, PARAMS)
        await connection.close()
        yield uri

"""What a server's process never loads."""

import subprocess
import sys

import pytest

LOADED = """
import sys
from trackwire_server import lean_start
{before}
lean_start.leave_out_what_is_not_used()
from trackwire_server import app, logs, storage
from trackwire_server.stores import files
from trackwire_server.stores.sql import database, mysql_dialect, postgres_dialect, sqlite_dialect
looked_for = ("sqlalchemy.orm", "rich", "aiobotocore", "fsspec", "paramiko", "sqlalchemy.ext.asyncio.engine")
print(*(name for name in looked_for if sys.modules.get(name)))
"""


def loaded(before: str = "") -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", LOADED.format(before=before)], check=True, capture_output=True, text=True, timeout=60
    )
    return ran.stdout.split()


def test_neither_the_orm_nor_rich_nor_a_client_of_other_artifact_stores_is_loaded() -> None:
    assert loaded() == ["sqlalchemy.ext.asyncio.engine"]


def test_prometheus_is_not_loaded_before_a_scrape() -> None:
    assert "prometheus_client" not in loaded_by("trackwire_server.app", "trackwire_server.web.app")


def test_connect_and_its_protobuf_are_not_loaded_before_a_call_over_http() -> None:
    """Nor with them an HTTP client, which the library brings for clients alone."""
    port = "trackwire_server.app", "trackwire_server.web.app", "trackwire_server.mlflow_api.app"
    assert loaded_by(*port).isdisjoint(("connectrpc", "protobuf", "pyqwest"))
    names = loaded_by(*port, "trackwire_server.rpc.connect.app")
    assert {"connectrpc", "protobuf"} <= names
    assert "pyqwest" not in names


def test_who_looks_after_workers_loads_nothing_that_serves() -> None:
    names = loaded_by("trackwire_server.__main__", "trackwire_server.workers.supervisor")
    assert names.isdisjoint(("grpc", "sqlalchemy", "starlette", "uvicorn", "numpy"))


def loaded_by(*modules: str) -> set[str]:
    """The names of all that is loaded with some modules."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    return set(ran.stdout.split())


@pytest.mark.parametrize("version", ["2.2.0", "3.0.0b1"])
def test_a_series_of_sqlalchemy_that_is_not_known_is_loaded_whole(version: str) -> None:
    assert "sqlalchemy.orm" in loaded(f"lean_start.version = lambda name: {version!r}")

"""`python -m trackwire_server db`: tells a schema's version and upgrades it, without a server."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.conftest import ServerProcess

from trackwire_server.__main__ import EXIT_BAD_SETTING, EXIT_CANNOT_START, main
from trackwire_server.stores.sql.tables import SCHEMA_VERSION

MakeServer = Callable[..., ServerProcess]


def test_upgrade_makes_a_schema_and_version_tells_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data_dir = ["--data-dir", str(tmp_path)]
    uri = f"sqlite:///{tmp_path}/trackwire.db"
    assert main(["db", "upgrade", *data_dir], {}) == 0
    assert f"{uri}: schema version {SCHEMA_VERSION}, before it was empty; it took 0." in capsys.readouterr().out
    assert main(["db", "upgrade", *data_dir], {}) == 0
    assert capsys.readouterr().out == f"{uri}: schema version {SCHEMA_VERSION}, up to date\n"
    assert main(["db", "version", "--store-uri", uri], {}) == 0
    assert capsys.readouterr().out == f"{uri}: schema version {SCHEMA_VERSION}, up to date\n"


def test_store_uri_comes_from_the_environment_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environment = {"TRACKWIRE_STORE_URI": f"sqlite:///{tmp_path}/other.db", "TRACKWIRE_DATA_DIR": str(tmp_path / "d")}
    assert main(["db", "upgrade"], environment) == 0
    assert (tmp_path / "other.db").exists()
    assert not (tmp_path / "d").exists()


def test_version_makes_no_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["db", "version", "--data-dir", str(tmp_path / "none")], {}) == EXIT_CANNOT_START
    assert "there is no database yet" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("action", ["upgrade", "version"])
def test_newer_database_is_refused_and_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    assert main(["db", "upgrade", "--data-dir", str(tmp_path)], {}) == 0
    with closing(sqlite3.connect(tmp_path / "trackwire.db")) as connection, connection:
        connection.execute("INSERT INTO schema_migrations VALUES (9999, 0, 9999)")
    assert main(["db", action, "--data-dir", str(tmp_path)], {}) == EXIT_CANNOT_START
    assert "schema version 9999" in capsys.readouterr().err


@pytest.mark.parametrize("action", ["upgrade", "version"])
def test_newer_database_that_this_server_works_with_is_named_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    assert main(["db", "upgrade", "--data-dir", str(tmp_path)], {}) == 0
    with closing(sqlite3.connect(tmp_path / "trackwire.db")) as connection, connection:
        connection.execute("INSERT INTO schema_migrations VALUES (9999, 0, ?)", (SCHEMA_VERSION,))
    capsys.readouterr()
    assert main(["db", action, "--data-dir", str(tmp_path)], {}) == 0
    assert f"schema version 9999, this server's is {SCHEMA_VERSION}: it works" in capsys.readouterr().out


def test_upgrade_of_a_data_directory_in_use_is_refused(
    server_process: ServerProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    data_dir = ["--data-dir", str(server_process.data_dir)]
    assert main(["db", "upgrade", *data_dir], {}) == EXIT_CANNOT_START
    assert "another server uses this data directory" in capsys.readouterr().err
    assert main(["db", "version", *data_dir], {}) == 0


@pytest.mark.parametrize(
    ("uri", "words"),
    [("memory:", "has no schema"), ("oracle://there", "oracle://there"), ("nonsense", "--store-uri: 'nonsense'")],
)
def test_store_without_a_schema_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], uri: str, words: str
) -> None:
    arguments = ["db", "upgrade", "--data-dir", str(tmp_path), "--store-uri", uri]
    assert main(arguments, {}) == EXIT_BAD_SETTING
    assert words in capsys.readouterr().err


def test_database_of_somebody_else_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(tmp_path / "trackwire.db")) as connection, connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    assert main(["db", "upgrade", "--data-dir", str(tmp_path)], {}) == EXIT_CANNOT_START
    assert "recipes" in capsys.readouterr().err

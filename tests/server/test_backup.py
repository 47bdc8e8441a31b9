"""`python -m trackwire_server db backup` and `db check`: what they refuse, and what they find."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.client.shipper.shipping import until
from tests.conftest import ServerProcess
from tests.postgres import fresh_database

from trackwire import Client
from trackwire.v1.metrics_pb2 import MetricPoint
from trackwire_server.__main__ import EXIT_BAD_SETTING, EXIT_CANNOT_START, main

MakeServer = Callable[..., ServerProcess]
Capture = pytest.CaptureFixture[str]
POINTS = 6_000
OTHER_BYTES = "CAST(substr(payload, 1, 60) || x'5b5b5b' || substr(payload, 64) AS BLOB)"


@pytest.fixture
def data_dir(make_server_process: MakeServer) -> Path:
    """What a server has left there: a run with points in chunks, and a row of its journal that is in none."""
    server = make_server_process(TRACKWIRE_COMPACTION_ROWS="2", TRACKWIRE_TAIL_RETENTION_SECONDS="0")
    with Client(server.start()) as client:
        client.create_run(run_id="a", tags={"team": "red"})
        client.log_params("a", {"lr": 1})
        log(client, range(POINTS - 1_000))
        log(client, range(POINTS - 1_000, POINTS - 1))
        assert until(lambda: client.get_server_info().journal_points == 0)
        # Points that come again are there once.
        log(client, range(POINTS - 10, POINTS))
    assert server.stop() == 0
    return server.data_dir


def log(client: Client, steps: range) -> None:
    client.log_points("a", [MetricPoint(key="loss", value=at / 8, step=at, time_ms=at + 1) for at in steps])


def change(data_dir: Path, statement: str) -> None:
    with closing(sqlite3.connect(data_dir / "trackwire.db")) as connection, connection:
        assert connection.execute(statement).rowcount > 0


def checked(data_dir: Path, capture: Capture) -> tuple[int, str]:
    capture.readouterr()
    status = main(["db", "check", "--data-dir", str(data_dir)], {})
    printed = capture.readouterr()
    return status, printed.out + printed.err


def test_check_tells_how_much_there_is(data_dir: Path, capsys: Capture) -> None:
    status, printed = checked(data_dir, capsys)
    assert status == 0
    lines = printed.splitlines()
    assert {"experiments 1", "runs 1", "run_params 1", "metric_series 1", f"points {POINTS}"} <= set(lines)


@pytest.mark.parametrize("name", ["trackwire.db", "copy?mode=memory", "50%3f#1"])
def test_copy_has_as_much_as_the_store(data_dir: Path, tmp_path: Path, capsys: Capture, name: str) -> None:
    copy = tmp_path / "copy" / name
    copy.parent.mkdir()
    assert main(["db", "backup", "--data-dir", str(data_dir), str(copy)], {}) == 0
    assert capsys.readouterr().out == f"{copy}: 1 runs, {POINTS:,} points, all of which can be read\n"
    assert [file.name for file in copy.parent.iterdir()] == [name]
    copy.rename(copy.with_name("trackwire.db"))
    assert checked(copy.parent, capsys) == checked(data_dir, capsys)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE metric_summaries SET count = count + 1", f"has {POINTS:,} points, its summary says {POINTS + 1:,}"),
        ("DELETE FROM metric_summaries", f"has {POINTS:,} points, its summary says 0"),
        (f"UPDATE metric_chunks SET payload = {OTHER_BYTES}", "checksum"),
        ("UPDATE metric_chunks SET points = points - 1", "its row says"),
        (f"UPDATE metric_thinned SET payload = {OTHER_BYTES}", "its thinned form is not that of its points"),
        ("DELETE FROM metric_chunks", f"has 1 points, its summary says {POINTS:,}"),
        ("UPDATE run_heads SET arrival = arrival + 1", "journal ends before"),
        ("DELETE FROM metric_journal", "its journal ends before row 3"),
    ],
)
def test_damage_is_named_and_no_copy_is_made_of_it(
    data_dir: Path, tmp_path: Path, capsys: Capture, statement: str, words: str
) -> None:
    change(data_dir, statement)
    status, printed = checked(data_dir, capsys)
    assert status == EXIT_CANNOT_START
    assert printed.startswith("trackwire db: ")
    assert words in printed
    copy = tmp_path / "copy.db"
    assert main(["db", "backup", "--data-dir", str(data_dir), str(copy)], {}) == EXIT_CANNOT_START
    assert not list(tmp_path.glob("copy.db*"))


def test_damaged_pages_are_told(data_dir: Path, tmp_path: Path, capsys: Capture) -> None:
    file = data_dir / "trackwire.db"
    half = file.stat().st_size // 8192 * 4096
    with file.open("r+b") as database:
        database.seek(half)
        database.write(bytes(half))
    assert main(["db", "backup", "--data-dir", str(data_dir), str(tmp_path / "copy.db")], {}) == EXIT_CANNOT_START
    assert "malformed" in capsys.readouterr().err
    assert not list(tmp_path.glob("copy.db*"))


def test_backup_is_refused_by_what_is_wrong(data_dir: Path, tmp_path: Path, capsys: Capture) -> None:
    there = tmp_path / "there.db"
    there.write_bytes(b"mine")
    with fresh_database() as uri:
        refusals = [
            (["--data-dir", str(data_dir), str(there)], EXIT_BAD_SETTING, "is there already"),
            (["--data-dir", str(data_dir), str(tmp_path / "no" / "copy.db")], EXIT_CANNOT_START, "unable to open"),
            (["--data-dir", str(tmp_path / "none"), str(tmp_path / "copy.db")], EXIT_CANNOT_START, "no database"),
            (["--store-uri", uri, str(tmp_path / "copy.db")], EXIT_BAD_SETTING, "pg_dump"),
            (["--store-uri", "memory:", str(tmp_path / "copy.db")], EXIT_BAD_SETTING, "name a database"),
        ]
        for arguments, status, words in refusals:
            assert main(["db", "backup", *arguments], {}) == status
            assert words in capsys.readouterr().err
        # Nothing has made its schema yet.
        assert main(["db", "check", "--store-uri", uri], {}) == EXIT_CANNOT_START
        assert "its schema has version 0" in capsys.readouterr().err
    assert there.read_bytes() == b"mine"
    assert not (tmp_path / "copy.db").exists()

"""Backups as the page on running a server tells them, beside writers; what is restored has all, and goes on."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests import mariadb, postgres
from tests.client.shipper.shipping import until
from tests.conftest import ServerProcess
from tests.docs.backups import WRITERS, check_whole, writing
from tests.docs.documents import ROOT, block_of
from tests.docs.reader import Shell, reader_shell

from trackwire import Client

PAGE = ROOT / "docs" / "operations.md"
MakeServer = Callable[..., ServerProcess]
# Much of it is compacted, some is not.
COMPACTION = {"TRACKWIRE_COMPACTION_ROWS": "8", "TRACKWIRE_TAIL_RETENTION_SECONDS": "0"}


@dataclass(frozen=True, slots=True)
class Place:
    """A store as the page names it; what stands for what the page says; a server's arguments, before and after."""

    name: str
    said: dict[str, str]
    store: tuple[str, ...] = ()
    restored_store: tuple[str, ...] = ()

    def block(self, what: str) -> str:
        """What the page has people type, for this place."""
        typed = block_of(PAGE, f"{what} of {self.name}")
        for said, here in self.said.items():
            assert said in block_of(PAGE, f"backup of {self.name}") + block_of(PAGE, f"restore of {self.name}")
            # Behind it may stand a path, but no other name.
            typed = re.sub(rf"{re.escape(said)}(?![\w-])", lambda _: here, typed)  # noqa: B023 - called at once
        return typed


@contextmanager
def sqlite_place(folder: Path) -> Iterator[Place]:
    yield Place("SQLite", folders(folder))


@contextmanager
def postgres_place(folder: Path) -> Iterator[Place]:
    with postgres.fresh_database() as uri:
        name = re.findall(r"/(test_\w+)", uri)[0]
        # The new one is made by psql, as the page says, and its name has to be another one each time.
        restored = uri.replace(name, f"{name}_restored")
        said = {
            "postgresql://trackwire@db/trackwire": f"'{uri}'",
            "postgresql://trackwire@db/postgres": f"'{uri.replace(name, 'postgres')}'",
            "postgresql://trackwire@db/restored": f"'{restored}'",
            "DATABASE restored": f"DATABASE {name}_restored",
            **folders(folder),
        }
        try:
            yield Place("PostgreSQL", said, ("--store-uri", uri), ("--store-uri", restored))
        finally:
            postgres.drop_database(f"{name}_restored")


@contextmanager
def mariadb_place(folder: Path) -> Iterator[Place]:
    with mariadb.fresh_database() as uri:
        name = re.findall(r"/(test_\w+)", uri)[0]
        restored = f"{name}_restored"
        said = {
            "--host db --user trackwire": f"--no-defaults --socket={mariadb.running().folder}/socket --user=root",
            "mysql://trackwire@db/restored": f"'{uri.replace(name, restored)}'",
            "--hex-blob trackwire": f"--hex-blob {name}",
            "DATABASE restored": f"DATABASE {restored}",
            "restored <": f"{restored} <",
            **folders(folder),
        }
        try:
            yield Place("MariaDB", said, ("--store-uri", uri), ("--store-uri", uri.replace(name, restored)))
        finally:
            mariadb.running().say(f"DROP DATABASE IF EXISTS {restored}")


def folders(folder: Path) -> dict[str, str]:
    return {
        "/var/lib/trackwire": str(folder / "data"),
        "/var/lib/restored": str(folder / "restored"),
        "/backup": str(folder / "backup"),
    }


@pytest.fixture(params=[sqlite_place, postgres_place, pytest.param(mariadb_place, marks=pytest.mark.mariadb)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with request.param(tmp_path) as made:
        yield made


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    (tmp_path / "backup").mkdir()
    monkeypatch.setenv("PATH", os.pathsep.join([str(postgres.program("pg_dump").parent), os.environ["PATH"]]))
    return reader_shell("nowhere:1", tmp_path)


def counts_in(printed: str) -> dict[str, int]:
    return {name: int(count) for name, count in re.findall(r"^([a-z_]+) (\d+)$", printed, re.MULTILINE)}


@pytest.mark.slow
def test_what_is_restored_has_all_that_was_acknowledged_before_and_goes_on(
    place: Place, shell: Shell, make_server_process: MakeServer, tmp_path: Path
) -> None:
    server = make_server_process(*place.store, data_dir=tmp_path / "data", **COMPACTION)
    with writing(server.start()) as writers:
        assert until(lambda: len(writers.steps) == WRITERS and min(writers.steps.values()) >= 1_000)
        before = dict(writers.steps)
        shell(place.block("backup"))
        assert until(lambda: min(writers.steps[number] - before[number] for number in before) > 0)
    assert server.stop() == 0

    found = counts_in(shell(place.block("restore")))
    assert found["runs"] == WRITERS
    assert sum(before.values()) * 2 <= found["points"] < sum(writers.steps.values()) * 2
    again = make_server_process(*place.restored_store, data_dir=tmp_path / "restored", **COMPACTION)
    check_whole(again.start(), before)
    log_anew(again.address)
    assert again.stop() == 0


def log_anew(address: str) -> None:
    """Logs a run of its own into a server that was restored, and finds it."""
    with Client(address) as client:
        client.create_run(run_id="after")
        client.log_metric("after", "loss", 0.125, step=1)
        [found] = client.search_runs(["0"], filter_string="metrics.loss = 0.125 AND run_id = 'after'")
        assert found.run_id == "after"
        assert len(client.read_metrics(["after"]).series[0]) == 1

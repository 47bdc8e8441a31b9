"""Calls `trackwire sync` as somebody does, and makes spools for it to find."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.conftest import COMMAND
from tests.client.offline_training import without_server
from tests.client.shipper.shipping import (
    begin,
    finish,
    log_params,
    log_points,
)

Done = subprocess.CompletedProcess[str]


@contextmanager
def syncing(*arguments: str | Path, folder: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """`trackwire sync …` in a folder, while it runs."""
    with subprocess.Popen(
        [*COMMAND, "sync", *map(str, arguments)],
        cwd=folder,
        env=without_server() | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def sync(*arguments: str | Path, folder: Path, answer: str = "", **environment: str) -> Done:
    """`trackwire sync …` in a folder, from start to end."""
    with syncing(*arguments, folder=folder, **environment) as process:
        printed, said = process.communicate(answer, timeout=60)
    assert "Traceback" not in said, said
    return Done(process.args, process.returncode, printed, said)


def refuse_one(spool: Path, address: str, run_id: str) -> None:
    """A stream of which the server takes all but one record."""
    stream = begin(spool, run_id, address)
    log_params(stream, lr="0.1")
    log_params(stream, lr="0.2")
    log_points(stream, [0, 1, 2])
    finish(stream)

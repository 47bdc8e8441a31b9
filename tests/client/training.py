"""Trainings as processes of their own in a folder of their own, and the shippers that they start there."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

import psutil
from tests.client.spooled import points_of, run_records
from tests.conftest import ROOT

from trackwire.client import Client
from trackwire.shipper.lock import SpoolLock
from trackwire.spool.stream import open_streams

TIMEOUT_SECONDS = 60


@contextmanager
def training_folder(parent: Path) -> Iterator[Path]:
    """A working directory; a shipper that was started in it is ended."""
    folder = parent / "work"
    folder.mkdir()
    try:
        yield folder
    finally:
        for process in shippers_of(folder):
            with suppress(psutil.NoSuchProcess):
                process.kill()
                process.wait(60)


def spool_of(folder: Path) -> Path:
    """Where trainings in a folder leave what they log."""
    return folder / ".trackwire" / "spool"


def shippers_of(folder: Path) -> list[psutil.Process]:
    """The shippers of a folder's spool that live, and what is about to become one."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        command = process.info["cmdline"] or []
        if "trackwire.shipper" in command and str(spool_of(folder)) in command:
            found.append(process)
    return found


def shipper_of(folder: Path) -> psutil.Process:
    """The one that has a folder's spool: on a busy machine a training starts a second one, which goes by itself."""
    lock = SpoolLock(spool_of(folder))
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        found, holder = shippers_of(folder), lock.holder()
        if holder is not None and [process.pid for process in found] == [holder.pid]:
            return found[0]
        assert time.monotonic() < deadline, (found, holder)
        time.sleep(0.05)


def start(
    folder: Path,
    script: str,
    address: str = "",
    variables: Mapping[str, str] = MappingProxyType({}),
    *,
    arguments: tuple[str, ...] = (),
    prefix: tuple[str, ...] = (),
) -> "subprocess.Popen[str]":
    """Starts a script in a folder, with a server or without one."""
    program = folder / "train.py"
    # Another one that has just been started may be reading it.
    if not program.exists() or program.read_text() != script:
        program.write_text(script)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TRACKWIRE_", "MLFLOW_"))}
    environment |= {"PYTHONPATH": str(ROOT / "client")} | variables
    if address:
        environment["TRACKWIRE_TRACKING_URI"] = address
    return subprocess.Popen(
        [*prefix, sys.executable, "train.py", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def train(
    folder: Path,
    script: str,
    address: str = "",
    variables: Mapping[str, str] = MappingProxyType({}),
    *,
    status: int = 0,
    prefix: tuple[str, ...] = (),
) -> tuple[str, str]:
    """What a script has printed to its two streams; it must end with this status."""
    with start(folder, script, address, variables, prefix=prefix) as process:
        return ended(process, status=status)


def ended(process: "subprocess.Popen[str]", *, status: int = 0, answer: str = "") -> tuple[str, str]:
    """Waits for a training's end, which must be this one; what it has printed to its two streams."""
    try:
        out, err = process.communicate(answer, timeout=TIMEOUT_SECONDS)
    except BaseException:
        process.kill()
        raise
    assert process.returncode == status, err
    return out, err


def line_of(process: "subprocess.Popen[str]") -> str:
    """The next line that a training prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def wait_until(condition: Callable[[], bool], seconds: float = TIMEOUT_SECONDS) -> None:
    """Fails where that doesn't come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def wait_until_delivered(folder: Path) -> None:
    """A stream is deleted once all of it is delivered."""
    wait_until(lambda: not list((spool_of(folder) / "streams").iterdir()))


def spooled_values(folder: Path, run_id: str, key: str = "loss") -> list[float]:
    """The values of a key in the spool, in the order of its records."""
    records = run_records(spool_of(folder), run_id)
    return [value for known, _, value in points_of(records) if known == key]


def nobody_writes(folder: Path) -> bool:
    """Whether all writers of a folder's spool have ended."""
    return not any(place.writer_lives for place in open_streams(spool_of(folder)))


def stored(address: str, run_id: str) -> dict[str, list[float]]:
    """What the server has of a run: the values of each key, in its order. Points of several ranks follow each other."""
    found: dict[str, list[float]] = {}
    with Client(address) as client:
        for series in client.read_metrics(run_id).series:
            found.setdefault(series.key, []).extend(series.values.tolist())
    return found

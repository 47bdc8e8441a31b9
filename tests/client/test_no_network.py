"""What a training asks of the kernel: no network, neither while it logs nor while its shipper delivers."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.client.live_server import live_server
from tests.client.training import train, training_folder
from tests.conftest import ServerProcess

from trackwire.client import Client

# Prints its pid, and at the end whatever it should not have.
SCRIPT = """
import os, sys
import trackwire

print(os.getpid(), flush=True)
trackwire.set_experiment("quiet")
with trackwire.start_run(run_id="quiet", tags={"team": "red"}) as run:
    trackwire.log_params({"lr": 0.1})
    for step in range(3_000):
        trackwire.log_metrics({"loss": 1.0 / (step + 1), "acc": step}, step)
    trackwire.set_tag("state", "trained")
    trackwire.log_text("hello", "notes.txt")
    assert run.flush(30)
    paths = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
    links = [os.readlink(path) for path in paths if os.path.lexists(path)]
    print([link for link in links if link.startswith("socket:")], "grpc" in sys.modules)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with training_folder(tmp_path) as folder:
        yield folder


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with live_server(tmp_path) as server:
        yield server


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed: apt-get install strace")
def test_training_makes_no_call_to_the_network(server: ServerProcess, folder: Path) -> None:
    trace = folder / "trace"
    command = ("strace", "-f", "-qq", "-e", "trace=%network,clone,clone3,fork,vfork", "-o", str(trace))
    out, _ = train(folder, SCRIPT, server.address, {"TRACKWIRE_SHIPPER_IDLE_SECONDS": "0"}, prefix=command)
    pid, quiet = out.splitlines()
    assert quiet == "[] False"
    calls = trace.read_text().splitlines()
    threads = threads_of(pid, calls)
    assert len(threads) > 1
    of_training = [call for call in calls if call.split()[0] in threads]
    assert [call for call in of_training if not re.search(r"\b(clone3?|v?fork)\b|(\+\+\+|---)", call)] == []
    # The shipper's are there: strace has seen what there was to see.
    assert [call for call in calls if "connect(" in call and "AF_INET" in call]
    with Client(server.address) as client:
        assert client.get_run("quiet").metrics


def threads_of(pid: str, calls: list[str]) -> set[str]:
    """The ids of a process's threads: strace tells all apart, and those of its children too."""
    threads = {pid}
    makes_thread: set[str] = set()
    for call in calls:
        caller, _, rest = call.partition(" ")
        if caller not in threads:
            continue
        if "CLONE_THREAD" in rest:
            makes_thread.add(caller)
        made = re.search(r"\) = (\d+)$", rest)
        if made and caller in makes_thread and "clone" in rest:
            threads.add(made[1])
            makes_thread.discard(caller)
    return threads

"""A spool whose disk is full or damages what lies there: the training goes on, and what is lost is named."""

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.client.training import (
    ended,
    line_of,
    spool_of,
    start,
    stored,
    train,
    wait_until,
    wait_until_delivered,
)
from tests.conftest import ServerProcess
from tests.faults.disks import can_mount, mounted, remount
from tests.ports import free_port

from trackwire.client import Client
from trackwire.v1.runs_pb2 import RUN_STATUS_FINISHED

if TYPE_CHECKING:
    import subprocess

MakeServer = Callable[..., ServerProcess]
SYNC = "import sys; from trackwire.cli import main; sys.argv = ['trackwire', *sys.argv[1:]]; sys.exit(main())"

# Logs as many points as it is told, a record each hundred, and says when it has.
AS_TOLD = """
import sys, trackwire
logged = 0
with trackwire.start_run(run_id="full") as run:
    run._recorder.write()
    print("running", flush=True)
    for line in sys.stdin:
        for _ in range(int(line)):
            run.log_metric("loss", float(logged), logged)
            logged += 1
            if logged % 1_000 == 0:
                run._recorder.write()
        run._recorder.write()
        print(logged, flush=True)
"""


@pytest.mark.skipif(not can_mount(), reason="no tmpfs can be mounted here")
@pytest.mark.parametrize("room", ["made by others", "made by the server's return"])
def test_full_disk_drops_what_it_counts_and_logging_goes_on_once_there_is_room(
    make_server_process: MakeServer, folder: Path, room: str
) -> None:
    port = str(free_port())
    spool = spool_of(folder)
    spool.parent.mkdir()
    # A segment is given back as a whole: there must be more than one.
    with mounted(spool, "size=20m"):
        with start(folder, AS_TOLD, f"127.0.0.1:{port}") as process:
            assert process.stdin is not None
            assert line_of(process) == "running"
            log(process, 2_000_000)
            server = make_server_process("--port", port)
            if room == "made by others":
                remount(spool, "size=60m")
            else:
                fill(spool / "of-others")
                server.start()
                wait_until(lambda: sum(path.stat().st_size for path in spool.rglob("*.seg")) < 8_000_000)
            log(process, 5_000)
            if room == "made by others":
                server.start()
            _, err = ended(process)
        wait_until_delivered(folder)
    [first, last] = [line for line in err.splitlines() if line.startswith(str(spool))]
    assert "a record was not taken by the disk: [Errno 28] No space left on device" in first
    [dropped] = re.findall(r"records with ([\d,]+) points were dropped", last)
    values = stored(server.address, "full")["loss"]
    assert len(values) == 2_005_000 - int(dropped.replace(",", ""))
    assert len(values) > 500_000
    assert values == sorted(set(values))
    assert values[-5_000:] == [float(step) for step in range(2_000_000, 2_005_000)]
    with Client(server.address) as client:
        assert client.get_run("full").status == RUN_STATUS_FINISHED


def fill(path: Path) -> None:
    """Takes what room is left, to the last page."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def log(process: "subprocess.Popen[str]", points: int) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{points}\n")
    process.stdin.flush()
    assert line_of(process)


TWENTY_RECORDS = """
import trackwire
with trackwire.start_run(run_id="damaged") as run:
    for step in range(2_000):
        run.log_metric("loss", float(step), step)
        if step % 100 == 99:
            run._recorder.write()
"""


def test_flipped_byte_and_cut_end_lose_their_records_alone_and_are_named(live: ServerProcess, folder: Path) -> None:
    train(folder, TWENTY_RECORDS)
    [segment] = spool_of(folder).glob("streams/*/*.seg")
    data = bytearray(segment.read_bytes())
    # Near the middle; and at the end stand UPDATE_RUN and END, behind the last points.
    data[len(data) // 2] ^= 0x40
    segment.write_bytes(data[:-30])
    with start(folder, SYNC, arguments=("sync", "--to", live.address)) as process:
        out, err = ended(process, status=1)
    assert "delivered: 1 run, 1,900 points" in out, err
    assert out.count("damaged: run damaged: ") == 2
    assert segment.name in out
    values = stored(live.address, "damaged")["loss"]
    [lost] = [first for first in range(0, 2_000, 100) if float(first) not in values]
    assert values == [float(step) for step in range(2_000) if not lost <= step < lost + 100]


def test_damaged_count_of_what_is_delivered_stops_no_training(live: ServerProcess, folder: Path) -> None:
    script = """
import sys, trackwire
from pathlib import Path
with trackwire.start_run(run_id="count") as run:
    run.log_metric("loss", 0.0, 0)
    assert run.flush(30)
    [delivered] = Path(".trackwire/spool/streams").glob("*/delivered")
    delivered.write_bytes(bytes(40))
    run.log_metric("loss", 1.0, 1)
"""
    _, err = train(folder, script, live.address)
    assert err == ""
    wait_until_delivered(folder)
    assert stored(live.address, "count") == {"loss": [0.0, 1.0]}

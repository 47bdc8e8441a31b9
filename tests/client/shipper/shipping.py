"""Streams as a training process writes them, and shippers in processes of their own."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import ROOT

from trackwire.client import Client
from trackwire.columns import MetricColumns, encode_ingest
from trackwire.internal.v1.spool_pb2 import SpooledUpload
from trackwire.shipper.lock import Holder, SpoolLock
from trackwire.spool.kinds import RecordKind
from trackwire.spool.places import StreamPlace, open_streams
from trackwire.spool.stream import SpoolStream
from trackwire.v1 import runs_pb2

NO_ADDRESS = "127.0.0.1:9"  # the port of "discard", where nobody listens
# A whole life of a shipper.
ONCE = ("--once", "--timeout-seconds", "40")


def begin(spool: Path, run_id: str, address: str, *, segment_bytes: int = 8 * 1024 * 1024) -> SpoolStream:
    """A stream whose run is made by its first record."""
    stream = SpoolStream.create(spool, run_id=run_id, tracking_uri=address, segment_bytes=segment_bytes)
    request = runs_pb2.CreateRunRequest(run_id=run_id, if_exists=runs_pb2.IF_EXISTS_JOIN)
    stream.append(RecordKind.CREATE_RUN, request.SerializeToString())
    return stream


def log_points(stream: SpoolStream, values: Sequence[float], *, key: str = "loss") -> None:
    """One record; the values are also the steps."""
    steps = [int(value) for value in values]
    columns = MetricColumns([key], [len(values)], steps, [1_000] * len(values), values)
    stream.append(RecordKind.INGEST, encode_ingest(stream.place.run_id, columns))


def log_params(stream: SpoolStream, **params: str) -> None:
    request = runs_pb2.LogParamsRequest(run_id=stream.place.run_id, params=params)
    stream.append(RecordKind.LOG_PARAMS, request.SerializeToString())


def set_tags(stream: SpoolStream, **tags: str) -> None:
    request = runs_pb2.SetRunTagsRequest(run_id=stream.place.run_id, tags=tags)
    stream.append(RecordKind.SET_TAGS, request.SerializeToString())


def delete_tag(stream: SpoolStream, key: str) -> None:
    request = runs_pb2.DeleteRunTagRequest(run_id=stream.place.run_id, key=key)
    stream.append(RecordKind.DELETE_TAG, request.SerializeToString())


def finish(stream: SpoolStream) -> None:
    """The run's end and the stream's."""
    request = runs_pb2.UpdateRunRequest(run_id=stream.place.run_id, status=runs_pb2.RUN_STATUS_FINISHED)
    stream.append(RecordKind.UPDATE_RUN, request.SerializeToString())
    stream.close()


def spool_file(stream: SpoolStream, name: str, content: bytes, artifact_path: str) -> None:
    """A snapshot and its record."""
    (stream.place.files_folder / name).write_bytes(content)
    spooled = SpooledUpload(
        run_id=stream.place.run_id,
        file_name=name,
        artifact_path=artifact_path,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).digest(),
    )
    stream.append(RecordKind.UPLOAD, spooled.SerializeToString())


def stored_values(address: str, run_id: str, key: str = "loss") -> list[float]:
    """What the server has of a key, in its order."""
    with Client(address) as client:
        series = client.read_metrics(run_id, key).series
    return [value for part in series for value in part.values.tolist()]


_WRITER = """
import sys, time
from pathlib import Path
from tests.client.shipper.shipping import begin, log_points
stream = begin(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
for number in range(50):
    log_points(stream, [number])
print(stream.place.folder, flush=True)
time.sleep(60)
"""


@contextmanager
def writing_process(spool: Path, run_id: str, address: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process that has written the points 0 to 49 and lives on, and its stream's folder; killed at the end."""
    path = os.pathsep.join(str(ROOT / folder) for folder in ("client", "server", "."))
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(spool), run_id, address],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    ) as writer:
        try:
            assert writer.stdout is not None
            yield writer, Path(writer.stdout.readline().strip())
        finally:
            writer.kill()


def place_of(spool: Path, stream: SpoolStream) -> StreamPlace | None:
    """The stream's folder, if it is still there."""
    return next((place for place in open_streams(spool) if place.writer_id == stream.place.writer_id), None)


def until(condition: Callable[[], bool], *, seconds: float = 60.0) -> bool:
    """Waits for a condition; whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def wait_for_shipper(spool: Path) -> Holder:
    """Who has the spool, once that one has said so."""
    lock = SpoolLock(spool)
    assert until(lambda: (holder := lock.holder()) is not None and holder.pid != 0)
    found = lock.holder()
    assert found is not None
    return found


@dataclass
class Shipper:
    """`python -m trackwire.shipper` on a spool, over several lives; ended by its pid and by nothing else."""

    spool: Path
    process: subprocess.Popen[str] | None = None
    lives: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def log_path(self) -> Path:
        return self.spool / "shipper.log"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begins a life."""
        with self.log_path.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "trackwire.shipper", "--spool", str(self.spool), *arguments],
                stdout=subprocess.DEVNULL,
                stderr=log,
                text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT / "client")},
            )
        self.lives.append(self.process)
        return self.process

    def run(self, *arguments: str, timeout_seconds: float = 60) -> int:
        """A whole life; its exit status."""
        return self.start(*arguments).wait(timeout_seconds)

    def end(self, signal_number: int = signal.SIGTERM, *, timeout_seconds: float = 60) -> int:
        """Ends the present life; its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        return self.process.wait(timeout_seconds)

    def events(self, name: str) -> list[str]:
        """The lines of its log that tell of an event."""
        return [line for line in self.log_path.read_text().splitlines() if f" event={name} " in f"{line} "]

    def kill_all(self) -> None:
        """For the end of a test."""
        for process in self.lives:
            if process.poll() is None:
                process.kill()
                process.wait(10)

"""The lane of a stream's uploads: one after the other, beside its points."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from trackwire.client.connection import Connection
from trackwire.client.retry import backoff_seconds, is_unclear
from trackwire.client.sources import FileSource
from trackwire.client.transfers import may_resume, upload
from trackwire.client.transport import BlockingTransport, run_blocking
from trackwire.errors import AbortedError, DataLossError, TrackwireError
from trackwire.internal.v1.spool_pb2 import SpooledUpload
from trackwire.shipper.absence import AbsenceSign
from trackwire.shipper.patience import waits_out, why_waiting
from trackwire.spool.places import STORED_SUFFIX, StreamPlace
from trackwire.spool.segments import Record

logger = logging.getLogger(__name__)

# How often an answer is taken that doesn't say whether it will ever be another one.
_UNCLEAR_ATTEMPTS_MAX = 8
# A server may be away for a weekend, and the log is on the same disk as the spool.
_TELL_EVERY = 20

Settled = Callable[[Record, TrackwireError | None], None]


class _StoppedError(OSError):
    """The shipper ends; what has arrived stays there, and a later one goes on."""


@dataclass(frozen=True, slots=True)
class _StoppableSource:
    """A snapshot that ends when the shipper does."""

    file: FileSource
    stopping: threading.Event

    def size_bytes(self) -> int:
        """As it is now."""
        return self.file.size_bytes()

    def parts(self, offset: int) -> Iterator[bytes]:
        """The bytes from an offset on."""
        for part in self.file.parts(offset):
            if self.stopping.is_set():
                raise _StoppedError
            yield part


class UploadLane:
    """Uploads in their order. `settled` is called from the lane's thread: with None once stored, else with why not."""

    def __init__(self, connection: Connection, place: StreamPlace, settled: Settled, absence: AbsenceSign) -> None:
        self._connection = connection
        self._absence = absence
        self._place = place
        self._settled = settled
        # What kept the lane from going on, such as a full disk.
        self.failure: Exception | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._waiting: deque[Record] = deque()
        self._thread: threading.Thread | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        with self._lock:
            return self._thread is None

    def add(self, record: Record) -> None:
        """Takes one more."""
        with self._lock:
            self._waiting.append(record)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"uploads-{self._place.writer_id}")
                self._thread.start()

    def stop(self) -> None:
        """Breaks off what is under way; a later shipper goes on with it."""
        self._stopping.set()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting or self._stopping.is_set():
                    self._thread = None
                    return
                record = self._waiting.popleft()
            try:
                self._settled(record, self._deliver(record))
            except _StoppedError:
                continue
            except Exception as error:
                # Whoever delivers the stream raises it: nobody waits for this thread.
                self.failure = error
                self.stop()

    def _deliver(self, record: Record) -> TrackwireError | None:
        """Sends one until it is stored or refused; why it was refused."""
        spooled = SpooledUpload.FromString(record.payload)
        snapshot = Snapshot(self._place.files_folder / spooled.file_name)
        if snapshot.is_done:
            snapshot.mark_done()
            return None
        failures = 0
        while True:
            try:
                self._upload(record.sequence, spooled, snapshot.path)
            except _StoppedError:
                raise
            except OSError as error:
                return DataLossError(f"{snapshot.path}: can't be read: {error}", reason="SNAPSHOT_UNREADABLE")
            except TrackwireError as error:
                failures += 1
                if not _may_pass(error, failures):
                    return error
                if waits_out(error):
                    self._absence.put_up(error)
                self._wait_after(error, failures, spooled)
            else:
                self._absence.take_down()
                snapshot.mark_done()
                return None

    def _upload(self, sequence: int, spooled: SpooledUpload, path: Path) -> None:
        transfer = upload(
            BlockingTransport(self._connection, self._sleep),
            _StoppableSource(FileSource(path), self._stopping),
            run_id=spooled.run_id,
            path=spooled.artifact_path,
            # The same in every life of the shipper: that is how one goes on with what another has begun.
            upload_id=f"{self._place.writer_id}-{sequence}",
            sha256=spooled.sha256,
        )
        run_blocking(transfer)

    def _wait_after(self, error: TrackwireError, failures: int, spooled: SpooledUpload) -> None:
        if failures == 1 or failures % _TELL_EVERY == 0:
            fields = {
                "stream": self._place.writer_id,
                "path": spooled.artifact_path,
                "error": why_waiting(error, self._connection.address),
            }
            logger.warning("upload_waits", extra={"fields": fields})
        self._sleep(backoff_seconds(failures, error))

    def _sleep(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise _StoppedError


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file that a record names. Once it is stored an empty mark stands in its place, until the stream is gone."""

    path: Path

    @property
    def is_done(self) -> bool:
        """Whether the server has it already."""
        return self._mark.exists()

    def mark_done(self) -> None:
        """Gives its bytes back to the disk."""
        self._mark.touch()
        self.path.unlink(missing_ok=True)

    @property
    def _mark(self) -> Path:
        return self.path.with_name(f"{self.path.name}{STORED_SUFFIX}")


def _may_pass(error: TrackwireError, failures: int) -> bool:
    if waits_out(error) or (isinstance(error, AbortedError) and error.reason == "UPLOAD_IN_USE"):
        return True
    return (is_unclear(error) or may_resume(error)) and failures < _UNCLEAR_ATTEMPTS_MAX

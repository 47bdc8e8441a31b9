"""The writer's side of a stream: what one process logs into one run. places.py has the folder's layout."""

import logging
import os
import shutil
import threading
import time
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from trackwire.errors import FailedPreconditionError
from trackwire.spool.delivered import Delivered, DeliveredFile
from trackwire.spool.kinds import RecordKind
from trackwire.spool.places import (
    StreamPlace,
    open_streams,
    stream_folder,
    take_lock,
    unreadable_streams,
    write_description,
)
from trackwire.spool.records import points_of
from trackwire.spool.segments import SegmentWriter
from trackwire.spool.syncing import StreamSync

__all__ = ["Delivered", "DeliveredFile", "SpoolStream", "StreamPlace", "open_streams", "unreadable_streams"]

logger = logging.getLogger(__name__)

SEGMENT_BYTES = 8 * 1024 * 1024

# A forked child must let go of its parent's locks, and nobody but the process itself hears of a fork.
_written_here: "set[SpoolStream]" = set()


class SpoolStream:
    """The writer's side of a stream. Safe to use from many threads; a forked child must make its own.

    A disk that takes nothing more stops nobody: what doesn't fit is dropped, counted, and told once in the log.
    """

    def __init__(self, place: StreamPlace, lock_fd: int, segment: SegmentWriter, segment_bytes: int) -> None:
        """Use `create`."""
        self.place = place
        self.dropped_records = 0
        self.dropped_points = 0
        self._segment_bytes = segment_bytes
        self._lock = threading.Lock()
        self._lock_fd = lock_fd
        self._segment = segment
        self._disk = StreamSync(place)
        self._is_rolling = False
        self._why_closed = ""
        _written_here.add(self)

    @classmethod
    def create(cls, spool: Path, *, run_id: str, tracking_uri: str, segment_bytes: int = SEGMENT_BYTES) -> Self:
        """Begins a stream, under a writer id of its own. Raises OSError where there is no room even for that."""
        writer_id = uuid.uuid4().hex
        place = StreamPlace(
            folder=stream_folder(spool, writer_id),
            writer_id=writer_id,
            run_id=run_id,
            tracking_uri=tracking_uri,
            pid=os.getpid(),
            host=os.uname().nodename,
            created_ms=time.time_ns() // 1_000_000,
        )
        with ExitStack() as undo:
            undo.callback(shutil.rmtree, place.folder, ignore_errors=True)
            place.files_folder.mkdir(parents=True)
            lock_fd = take_lock(place.lock_path)
            undo.callback(os.close, lock_fd)
            segment = SegmentWriter(place.segment_path(1), writer_id)
            undo.callback(segment.close)
            # Here, and not by the shipper: on a disk that is full by then it could not say what may be deleted.
            place.delivered_file.write(Delivered())
            # Last: who sees the description finds the lock taken and a segment there.
            write_description(place)
            undo.pop_all()
        return cls(place, lock_fd, segment, segment_bytes)

    @property
    def last_sequence(self) -> int:
        """The sequence of the last record that was appended; 0: none yet."""
        return self._segment.last_sequence

    def append(self, kind: RecordKind, payload: bytes) -> int:
        """Adds a record; its sequence, or 0 if the disk didn't take it and it was dropped.

        Raises FailedPreconditionError once the stream is closed, and in a process forked from the writer.
        """
        if kind is RecordKind.END:
            raise ValueError("kind: END: is what close() writes")
        with self._lock:
            if self._why_closed:
                raise FailedPreconditionError(
                    f"the stream {self.place.writer_id} of run {self.place.run_id!r} {self._why_closed}",
                    reason="STREAM_CLOSED",
                )
            try:
                return self._append(kind, payload)
            except OSError as error:
                self._drop(kind, payload, error)
                return 0

    def sync(self) -> None:
        """Waits until the disk has all that was appended, and the files beside it, for good.

        Then no crash of the machine undoes it. What comes meanwhile doesn't wait.
        """
        if self.place.pid == os.getpid():
            self._disk.sync(int(self._segment.path.stem))

    def delivered(self) -> Delivered:
        """How far the shipper has come. Raises DataLossError where what it wrote is damaged."""
        return self.place.delivered_file.read()

    def close(self) -> None:
        """Says that the stream is complete and lets go of it; a second time does nothing."""
        with self._lock:
            if self._why_closed:
                return
            try:
                self._append(RecordKind.END, b"")
            except OSError as error:
                # That nobody holds the lock says the same.
                logger.debug("%s: no END record: %s", self.place.folder, error)
            finally:
                self._release("is closed")
            if self.dropped_records:
                logger.warning(
                    "%s: %s records with %s points were dropped, as the disk did not take them",
                    self.place.folder,
                    f"{self.dropped_records:,}",
                    f"{self.dropped_points:,}",
                )

    def _append(self, kind: RecordKind, payload: bytes) -> int:
        self._segment.settle()
        if self._is_rolling or self._segment.size_bytes >= self._segment_bytes:
            self._roll()
        sequence = self._segment.last_sequence + 1
        self._segment.append(kind, sequence, payload)
        return sequence

    def _roll(self) -> None:
        """Goes on in a new segment, where one can be made; otherwise in the old one."""
        old = self._segment
        # Ctrl-C may come when the new one is there already: from then on readers take the old one for complete.
        was_interrupted, self._is_rolling = self._is_rolling, True
        try:
            path = self.place.segment_path(int(old.path.stem) + 1)
            self._segment = SegmentWriter(path, self.place.writer_id, last_sequence=old.last_sequence)
        except OSError:
            if was_interrupted:
                raise
            self._is_rolling = False
            return
        self._is_rolling = False
        old.close()

    def _drop(self, kind: RecordKind, payload: bytes, error: OSError) -> None:
        if not self.dropped_records:
            logger.warning(
                "%s: a record was not taken by the disk: %s; what it doesn't take is dropped and counted from now on",
                self.place.folder,
                error,
            )
        self.dropped_records += 1
        self.dropped_points += points_of(kind, payload)

    def _release(self, why_closed: str) -> None:
        self._why_closed = why_closed
        try:
            self._segment.close()
        except OSError as error:
            # Some network disks say only now that they had no room.
            logger.warning("%s: closing it failed, its last records may be lost: %s", self._segment.path, error)
        finally:
            os.close(self._lock_fd)
            _written_here.discard(self)

    def leave_to_parent(self) -> None:
        """In a forked child: closes what it has inherited, or it would hold its parent's lock for it."""
        self._lock = threading.Lock()
        self._release(f"is written by process {self.place.pid}, from which this one was forked")


def _leave_all_to_parent() -> None:
    for stream in tuple(_written_here):
        stream.leave_to_parent()


os.register_at_fork(after_in_child=_leave_all_to_parent)

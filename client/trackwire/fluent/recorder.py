"""What a run says gathers in memory, and a thread writes it to the run's stream in the spool.

    call ──append──▶ points, sayings ──every 100 ms──▶ columns, payloads ──▶ records of the stream
          atomic, no lock                in a thread, which alone loads numpy and protobuf
    file ──copy──▶ the stream's files, at once; the record that names one follows as a saying

Nothing heavy is loaded before it is used, so that `start_run` returns at once also in a process that has loaded nothing
else. Dataclasses are heavy too: values are NamedTuples here.
Only threads write, which no Ctrl-C interrupts: what a write has taken out of memory is on its way into the spool.
After a fork the child forgets what the parent had gathered, and writes into a stream of its own once it says something.
"""

import os
import posixpath
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from trackwire.fluent.interrupts import can_start_threads, uninterrupted
from trackwire.fluent.loading import load
from trackwire.fluent.losses import Losses
from trackwire.fluent.opening import Opening
from trackwire.fluent.refusals import Refusals
from trackwire.fluent.settings import Destination
from trackwire.fluent.waiting_points import WaitingPoints
from trackwire.spool.kinds import RecordKind

if TYPE_CHECKING:
    from trackwire.fluent.run_stream import RunStream
    from trackwire.fluent.waiting import Patience
    from trackwire.shipper.rejected import Rejection

WRITE_INTERVAL_SECONDS = 0.1
# So many points make a good request, and never more series than one may have.
BATCH_POINTS = 65_536
# Past these many that wait to be written, points are dropped and counted: the disk has stalled.
WAITING_POINTS_MAX = 2 * 1_048_576
_POLL_SECONDS = 0.01
# What is loaded only where something is written: numpy, protobuf and the rest.
WRITING_NEEDS = (
    "trackwire.fluent.run_stream",
    "trackwire.fluent.shipping",
    "trackwire.grouping",
    "trackwire.system_tags",
)


class Recorder:
    """One process's way from calls to the spool."""

    def __init__(self, destination: Destination, opening: Opening):
        self.waiting = WaitingPoints()
        self.points = self.waiting.plain
        self.destination = destination
        self._opening = opening
        self._sayings: deque[tuple[RecordKind, Mapping[str, str]]] = deque()
        self._tags_said = set(opening.tags)
        self._is_inherited = False
        self._begin()

    def _begin(self) -> None:
        self._stream: RunStream | None = None
        self._writing = threading.RLock()
        self._starting = threading.Lock()
        # Unlike an Event it can't be left locked by a Ctrl-C in the middle of a call.
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._ended = False
        self.losses = Losses(self._opening.run_id, self.destination.spool)
        self._dropped_before = 0
        self._thread: threading.Thread | None = None
        self._refusals = Refusals(self._opening.run_id)

    def begin_again_in_child(self) -> None:
        """To be called in a forked child: its parent writes what has gathered so far."""
        self.waiting = WaitingPoints()
        self.points = self.waiting.plain
        self._sayings = deque()
        self._opening = self._opening._replace(is_owner=False)
        self._is_inherited = True
        self._begin()

    def notice(self) -> None:
        """To be called when points say so: starts the writer, and bounds what waits."""
        if self._thread is None:
            self._start()
        waiting = len(self.points) + self.waiting.points_in_contexts
        if waiting >= BATCH_POINTS:
            self._wake_writer()
            if waiting >= WAITING_POINTS_MAX:
                self.losses.drop_points(self.waiting.discard(WAITING_POINTS_MAX // 2))

    def say(self, kind: RecordKind, words: Mapping[str, str]) -> None:
        """Something that is written in the order in which it was said."""
        if kind is RecordKind.SET_TAGS:
            self._tags_said.update(words)
        self._sayings.append((kind, words))
        if self._thread is None:
            self._start()

    def keep_file(self, artifact_path: str, write: Callable[[Path], object]) -> None:
        """Keeps the file that `write` makes at the path it is given, to be stored at `artifact_path`.

        Raises what `write` raises, but for OSError: the disk takes no more, and the file is dropped and counted.
        """
        if self.destination.mode == "disabled":
            return
        from trackwire.fluent import snapshots

        try:
            stream = self._stream or uninterrupted(self._opened)
            taken = snapshots.take(stream.place.files_folder, posixpath.basename(artifact_path), write)
        except OSError as error:
            self.losses.drop_file(artifact_path, error)
            return
        if taken is None:
            return
        words = {"artifact_path": artifact_path, "file_name": taken.name, "sha256": taken.sha256.hex()}
        self.say(RecordKind.UPLOAD, {**words, "size_bytes": str(taken.size_bytes)})

    def write(self) -> bool:
        """Writes all that has gathered; False where it could not, which is told once. From any thread."""
        return uninterrupted(self._write)

    def flush(self, patience: "Patience") -> bool:
        """Writes all, and waits until it is durable: on the server where there is one, else on the disk.

        False if that takes longer than is waited; it goes on all the same. False too if the disk has dropped something
        since the last time.
        """
        is_durable = self.settle(patience)
        dropped = 0 if self._stream is None else self._stream.dropped_records
        dropped_before, self._dropped_before = self._dropped_before, dropped
        return is_durable and dropped <= dropped_before

    def settle(self, patience: "Patience") -> bool:
        """As `flush`, for who asks nothing of what was dropped: the next `flush` still tells that."""
        if not self._ended and not self.write():
            return False
        stream = self._stream
        if stream is None:
            return self.losses.failure is None
        if not self.destination.address:
            return self._sync(stream)
        from trackwire.fluent.shipping import keep_shipping

        # Not what others say meanwhile: they may never pause.
        last_sequence = stream.last_sequence
        while not stream.is_delivered(last_sequence):
            # Also where writing took all the time: who gives up is told that it is sent on, and may end at once.
            keep_shipping(self.destination)
            if patience.is_over():
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def begin_to_close(self) -> None:
        """Has the writer end behind what it finds; waits for nothing."""
        self._ended = True
        self._wake_writer()

    def close(self) -> None:
        """Writes all and ends the stream. Where that was interrupted, a second time does the rest."""
        self.begin_to_close()
        if self._thread is not None:
            self._thread.join()
        uninterrupted(self._write_and_end)
        self.losses.note_end(self._waiting_points(), len(self._sayings))

    def should_stop(self) -> bool:
        """Whether somebody has asked the run to stop."""
        return self._stream is not None and self._stream.should_stop()

    def rejections(self) -> "list[Rejection]":
        """What the server has refused for good."""
        return [] if self._stream is None else self._stream.rejections()

    def tell_rejections(self) -> None:
        """Tells of what the server has refused since it was last told."""
        if self._stream is not None:
            self._refusals.tell(self._stream)

    def _start(self) -> None:
        if not can_start_threads():
            # Of who logs when the process ends, nobody knows whether it is the last time.
            self._write_and_ship()
            return
        # Whoever holds it starts the thread, which finds what this call has added; a signal's handler must not wait.
        if not self._starting.acquire(blocking=False):
            return
        try:
            if self._thread is not None or self._ended:
                return
            thread = threading.Thread(
                target=self._keep_writing, name=f"trackwire-recorder-{self._opening.run_id}", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:
                # The system has too many: what was said is written when the run ends, if no other call has more luck.
                return
            self._thread = thread
            # It looks by itself from now on.
            self.points.notice_at = BATCH_POINTS
        finally:
            self._starting.release()

    def _wake_writer(self) -> None:
        if self._wake.empty():
            self._wake.put(None)

    def _keep_writing(self) -> None:
        load(WRITING_NEEDS)
        self._say_system_tags()
        while not self._ended:
            with suppress(Empty):
                self._wake.get(timeout=WRITE_INTERVAL_SECONDS)
            self._write_and_ship()
        self._write_and_end()

    def _write_and_ship(self) -> None:
        # Without a server nobody ships, and nobody refuses.
        if self._write() and self.destination.address:
            from trackwire.fluent.shipping import keep_shipping

            keep_shipping(self.destination)
            self._tell_first_rejections()

    def _tell_first_rejections(self) -> None:
        # Where the disk can't tell, that is told when the run is flushed or ends.
        with suppress(OSError):
            if self._stream is not None:
                self._refusals.tell_first(self._stream)

    def _say_system_tags(self) -> None:
        """What git and the like say may take seconds: here nobody waits for it. A resumed run gets those of now."""
        if not self._opening.is_owner or self.destination.mode == "disabled":
            return
        from trackwire.system_tags import system_tags

        found = system_tags(os.environ)
        # The run's own word wins, whether it came before or is still to come.
        found = {key: value for key, value in found.items() if key not in self._tags_said}
        self._sayings.appendleft((RecordKind.SET_TAGS, found))

    def _write(self) -> bool:
        with self._writing:
            if self.destination.mode == "disabled":
                self.waiting.discard(WAITING_POINTS_MAX)
                self._sayings.clear()
                return True
            if self._stream is None and self._is_inherited and not self._has_something():
                # Of many workers only few log: the others leave no stream behind.
                return True
            try:
                self._leave_deleted()
                stream = self._opened()
                stream.write_points(self.waiting.take(BATCH_POINTS))
                stream.write_sayings(self._sayings)
            except Exception as error:
                # Training goes on whatever happens here, and the next turn tries again.
                self.losses.note_failure(error)
                return False
            self.losses.note_success()
            return True

    def _leave_deleted(self) -> None:
        """Whoever clears away the spool of a training that goes on has not meant what it is still to say."""
        if self._stream is None or not self._stream.is_deleted():
            return
        self.losses.note_deleted(self._stream.place.folder)
        self._stream.close()
        self._stream = None
        self._dropped_before = 0

    def _sync(self, stream: "RunStream") -> bool:
        try:
            stream.sync()
        except OSError as error:
            self.losses.note_failure(error)
            return False
        return True

    def _write_and_end(self) -> None:
        with self._writing:
            self._write()
            if self._stream is not None:
                self._stream.close()

    def _opened(self) -> "RunStream":
        """The stream, which begins with the run itself. Raises OSError while the disk doesn't take that."""
        with self._writing:
            if self._stream is None:
                load(WRITING_NEEDS)
                from trackwire.fluent.run_stream import RunStream

                self._stream = RunStream.begin(self.destination, self._opening)
            return self._stream

    def _has_something(self) -> bool:
        return bool(self._waiting_points() or self._sayings)

    def _waiting_points(self) -> int:
        return len(self.points) + self.waiting.points_in_contexts

"""What a run says gathers in memory, and a thread writes it to the run's stream in the spool.

    call ──append──▶ points, sayings ──every 100 ms──▶ columns, payloads ──▶ records of the stream
          atomic, no lock                in a thread, which alone loads numpy and protobuf
    file ──copy──▶ the stream's files, at once; the record that names one follows as a saying

Nothing heavy is loaded before it is used, so that `start_run` returns at once also in a process that has loaded nothing
else. Dataclasses are heavy too: values are NamedTuples here.
After a fork the child forgets what the parent had gathered, and writes into a stream of its own once it says something.
"""

import os
import posixpath
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trackwire.fluent.loading import hold_forks_while_loading, load
from trackwire.fluent.notices import logger
from trackwire.fluent.opening import Opening
from trackwire.fluent.settings import Destination
from trackwire.fluent.waiting_points import WaitingPoints
from trackwire.spool.kinds import RecordKind

if TYPE_CHECKING:
    from trackwire.fluent.stopping import StopSign
    from trackwire.shipper.rejected import Rejection
    from trackwire.spool.stream import SpoolStream


WRITE_INTERVAL_SECONDS = 0.1
# So many points make a good request, and never more series than one may have.
BATCH_POINTS = 65_536
# Past these many that wait to be written, points are dropped and counted: the disk has stalled.
WAITING_POINTS_MAX = 2 * 1_048_576
_POLL_SECONDS = 0.01

# What is loaded only where something is written.
WRITING_NEEDS = (
    "trackwire.columns",
    "trackwire.fluent.payloads",
    "trackwire.fluent.shipping",
    "trackwire.fluent.stopping",
    "trackwire.grouping",
    "trackwire.spool.stream",
    "trackwire.system_tags",
)


class Recorder:
    """One process's way from calls to the spool."""

    def __init__(self, destination: Destination, opening: Opening):
        self.waiting = WaitingPoints()
        self.points = self.waiting.plain
        self.dropped_points = 0
        self.dropped_files = 0
        self._destination = destination
        self._opening = opening
        self._sayings: deque[tuple[RecordKind, Mapping[str, str]]] = deque()
        self._tags_said = set(opening.tags)
        self._last_sequence = 0
        self._begin()

    def _begin(self) -> None:
        self._stream: SpoolStream | None = None
        self._stop_sign: StopSign | None = None
        self._writing = threading.RLock()
        self._starting = threading.Lock()
        self._wake = threading.Event()
        self._ended = False
        self._failure_told = False
        self._thread: threading.Thread | None = None

    def begin_again_in_child(self) -> None:
        """To be called in a forked child: its parent writes what has gathered so far."""
        self.waiting = WaitingPoints()
        self.points = self.waiting.plain
        self._sayings = deque()
        self._opening = self._opening._replace(is_owner=False)
        self._begin()

    def notice(self) -> None:
        """To be called after points were added: starts the writer, and bounds what waits."""
        if self._thread is None:
            self._start()
        waiting = len(self.points) + self.waiting.points_in_contexts
        if waiting >= BATCH_POINTS:
            self._wake.set()
            if waiting >= WAITING_POINTS_MAX:
                self._drop()

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
        if self._destination.mode == "disabled":
            return
        from trackwire.fluent import snapshots

        try:
            with self._writing:
                stream = self._opened()
            if stream is None:
                raise OSError(f"{self._destination.spool}: there is no room")
            taken = snapshots.take(stream.place.files_folder, posixpath.basename(artifact_path), write)
        except OSError as error:
            self._drop_file(artifact_path, error)
            return
        if taken is None:
            return
        words = {"artifact_path": artifact_path, "file_name": taken.name, "sha256": taken.sha256.hex()}
        self.say(RecordKind.UPLOAD, {**words, "size_bytes": str(taken.size_bytes)})

    def write(self) -> bool:
        """Writes all that has gathered; False where it could not, which is told once. From any thread."""
        with self._writing:
            if self._destination.mode == "disabled":
                self.waiting.discard(WAITING_POINTS_MAX)
                self._sayings.clear()
                return True
            try:
                stream = self._opened()
                if stream is not None:
                    self._write_points(stream)
                    self._write_sayings(stream)
            except Exception:
                # Training goes on whatever happens here, and the next turn tries again.
                if not self._failure_told:
                    logger.exception("run %s: writing to %s failed", self._opening.run_id, self._destination.spool)
                self._failure_told = True
                return False
            self._failure_told = False
            return stream is not None

    def flush(self, timeout_seconds: float) -> bool:
        """Writes all, and waits until it is durable: on the server where there is one, else on the disk.

        False if that takes longer; it goes on all the same.
        """
        if not self._ended and not self.write():
            return False
        if self._stream is None:
            return self._destination.mode == "disabled"
        if not self._destination.address:
            self._stream.sync()
            return True
        from trackwire.fluent.shipping import keep_shipping

        deadline = time.monotonic() + timeout_seconds
        # Not what others say meanwhile: they may never pause.
        last_sequence = self._last_sequence
        while not self._is_delivered(self._stream, last_sequence):
            if time.monotonic() >= deadline:
                return False
            keep_shipping(self._destination)
            time.sleep(_POLL_SECONDS)
        return True

    def close(self) -> None:
        """Writes all and ends the stream."""
        self._ended = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        self.write()
        if self._stream is not None:
            self._stream.close()

    def should_stop(self) -> bool:
        """Whether somebody has asked the run to stop."""
        return self._stop_sign is not None and self._stop_sign.is_up()

    def rejections(self) -> "list[Rejection]":
        """What the server has refused for good."""
        if self._stream is None or not self._stream.delivered().rejected_records:
            return []
        from trackwire.shipper.rejected import read_rejections

        return list(read_rejections(self._stream.place))

    def _is_delivered(self, stream: "SpoolStream", sequence: int) -> bool:
        # A stream that is complete and delivered is removed.
        return stream.delivered().sequence >= sequence or not stream.place.folder.exists()

    @property
    def rejected_folder(self) -> Path:
        """Where the server's refusals lie."""
        return self._destination.spool if self._stream is None else self._stream.place.rejected_folder

    def _start(self) -> None:
        with self._starting:
            if self._thread is not None or self._ended:
                return
            hold_forks_while_loading()
            self._thread = threading.Thread(
                target=self._keep_writing, name=f"trackwire-recorder-{self._opening.run_id}", daemon=True
            )
            self._thread.start()

    def _keep_writing(self) -> None:
        load(WRITING_NEEDS)
        from trackwire.fluent.shipping import keep_shipping

        self._say_system_tags()
        while not self._ended:
            self._wake.wait(WRITE_INTERVAL_SECONDS)
            self._wake.clear()
            if self.write():
                keep_shipping(self._destination)

    def _say_system_tags(self) -> None:
        """What git and the like say may take seconds: here nobody waits for it. A resumed run gets those of now."""
        if not self._opening.is_owner or self._destination.mode == "disabled":
            return
        from trackwire.system_tags import system_tags

        found = system_tags(os.environ)
        # The run's own word wins, whether it came before or is still to come.
        found = {key: value for key, value in found.items() if key not in self._tags_said}
        self._sayings.appendleft((RecordKind.SET_TAGS, found))

    def _opened(self) -> "SpoolStream | None":
        """The stream, which begins with the run itself; None while the disk doesn't take that."""
        if self._stream is None:
            from trackwire.fluent.payloads import create_run, payloads_of
            from trackwire.fluent.stopping import StopSign
            from trackwire.spool.stream import SpoolStream

            stream = SpoolStream.create(
                self._destination.spool, run_id=self._opening.run_id, tracking_uri=self._destination.address
            )
            if self._opening.is_made and not self._append(stream, RecordKind.CREATE_RUN, create_run(self._opening)):
                stream.close()
                return None
            if self._opening.is_owner and self._opening.is_resumed:
                # Right behind: an earlier request to stop is not meant for who goes on.
                for kind, payload in payloads_of(
                    self._opening.run_id, [(RecordKind.UPDATE_RUN, {"status": "RUNNING"})]
                ):
                    self._append(stream, kind, payload)
            self._stream = stream
            self._stop_sign = StopSign(stream.place)
        return self._stream

    def _append(self, stream: "SpoolStream", kind: RecordKind, payload: bytes) -> bool:
        sequence = stream.append(kind, payload)
        self._last_sequence = max(self._last_sequence, sequence)
        return sequence > 0

    def _write_points(self, stream: "SpoolStream") -> None:
        from trackwire.columns import encode_ingest
        from trackwire.fluent.payloads import in_context

        for context, columns in self.waiting.take(BATCH_POINTS):
            body = encode_ingest(self._opening.run_id, in_context(columns, self._opening.rank, context))
            self._append(stream, RecordKind.INGEST, body)

    def _write_sayings(self, stream: "SpoolStream") -> None:
        from trackwire.fluent.payloads import payloads_of

        said = [self._sayings.popleft() for _ in range(len(self._sayings))]
        for kind, payload in payloads_of(self._opening.run_id, said):
            self._append(stream, kind, payload)

    def _drop_file(self, artifact_path: str, error: OSError) -> None:
        if not self.dropped_files:
            logger.error(
                "run %s: artifact %r can't be kept: %s; such files are dropped, and counted",
                self._opening.run_id,
                artifact_path,
                error,
            )
        self.dropped_files += 1

    def _drop(self) -> None:
        first = not self.dropped_points
        self.dropped_points += self.waiting.discard(WAITING_POINTS_MAX // 2)
        if first:
            logger.error(
                "run %s: %s can't be written fast enough: points are dropped, and counted",
                self._opening.run_id,
                self._destination.spool,
            )

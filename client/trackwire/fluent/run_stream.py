"""A run's stream in the spool, as its process fills it. Loads numpy and protobuf: only who writes imports it."""

import errno
import os
import shutil
from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Self

from trackwire.columns import MetricColumns, encode_ingest
from trackwire.errors import TrackwireError
from trackwire.fluent.opening import Opening
from trackwire.fluent.payloads import creation_of, in_context, payloads_of
from trackwire.fluent.settings import Destination
from trackwire.fluent.stopping import StopSign
from trackwire.gathering import MetricContext
from trackwire.spool.delivered import Delivered
from trackwire.spool.kinds import RecordKind
from trackwire.spool.stream import SpoolStream

if TYPE_CHECKING:
    from trackwire.shipper.rejected import Rejection


class RunStream:
    """What has gathered becomes records of one stream. Written by one thread at a time; asked by any."""

    def __init__(self, stream: SpoolStream, opening: Opening) -> None:
        """Use `begin`."""
        self.place = stream.place
        self._stream = stream
        self._opening = opening
        # Of the records that the disk has taken.
        self.last_sequence = 0
        self._is_closed = False
        self._stop_sign = StopSign(stream.place)
        # As text: it is looked for at each turn.
        self._lock_path = str(stream.place.lock_path)

    @classmethod
    def begin(cls, destination: Destination, opening: Opening) -> Self:
        """Begins a stream with the run itself. Raises OSError where the disk doesn't take that, and leaves nothing."""
        made, *more = creation_of(opening)
        stream = SpoolStream.create(destination.spool, run_id=opening.run_id, tracking_uri=destination.address)
        begun = cls(stream, opening)
        if opening.is_made and not begun._append(RecordKind.CREATE_RUN, made):
            stream.close()
            shutil.rmtree(stream.place.folder, ignore_errors=True)
            raise OSError(errno.ENOSPC, "there is no room for the run itself", str(destination.spool))
        for tags in more:
            begun._append(RecordKind.SET_TAGS, tags)
        if opening.is_owner and opening.is_resumed:
            # Right behind: an earlier request to stop is not meant for who goes on.
            begun.write_sayings(deque([(RecordKind.UPDATE_RUN, {"status": "RUNNING"})]))
        return begun

    def write_points(self, parts: Iterable[tuple[MetricContext, MetricColumns]]) -> None:
        """Writes points, a record for each part."""
        for context, columns in parts:
            body = encode_ingest(self._opening.run_id, in_context(columns, self._opening.rank, context))
            self._append(RecordKind.INGEST, body)

    def write_sayings(self, sayings: deque[tuple[RecordKind, Mapping[str, str]]]) -> None:
        """Takes out all that was said, and writes it."""
        said = [sayings.popleft() for _ in range(len(sayings))]
        for kind, payload in payloads_of(self._opening.run_id, said):
            self._append(kind, payload)

    def is_delivered(self, sequence: int) -> bool:
        """Whether all up to a record is settled."""
        # A stream that is complete and delivered is removed.
        return self._delivered().sequence >= sequence or (self._is_closed and not self.place.folder.exists())

    @property
    def dropped_records(self) -> int:
        """How many the disk did not take."""
        return self._stream.dropped_records

    def is_deleted(self) -> bool:
        """Whether somebody has removed it from the disk while it is written; the shipper does so behind its end."""
        return not self._is_closed and not os.path.exists(self._lock_path)  # noqa: PTH110  # Path.exists raises where a disk fails

    def should_stop(self) -> bool:
        """Whether somebody has asked the run to stop."""
        return self._stop_sign.is_up()

    def has_rejections(self) -> bool:
        """Whether the server has refused something for good."""
        return self._delivered().rejected_records > 0

    def rejections(self) -> "list[Rejection]":
        """What the server has refused for good."""
        if not self.has_rejections():
            return []
        from trackwire.shipper.rejected import read_rejections

        return list(read_rejections(self.place))

    def sync(self) -> None:
        """Waits until the disk has it."""
        self._stream.sync()

    def close(self) -> None:
        """Says that the stream is complete; a second time does nothing."""
        self._is_closed = True
        self._stream.close()

    def _delivered(self) -> Delivered:
        try:
            return self._stream.delivered()
        except (OSError, TrackwireError):
            # The disk fails, or the file is damaged: nothing is known to be delivered until the shipper says so.
            return Delivered()

    def _append(self, kind: RecordKind, payload: bytes) -> bool:
        sequence = self._stream.append(kind, payload)
        self.last_sequence = max(self.last_sequence, sequence)
        return sequence > 0

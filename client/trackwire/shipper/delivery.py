"""One stream's way to the server: its records become requests, and what became of each is written down.

segments ──▶ reader ──▶ requests ──▶ Delivery ──▶ stored  ──▶ ledger ──▶ `delivered`, trimmed segments
                │                        └──────▶ refused ──▶ `rejected/` ──▶ ledger
                └──▶ uploads, in their own lane ──▶ stored or refused, likewise
"""

import logging
import shutil
import threading
import time

from trackwire.client.channel import MESSAGE_BYTES_MAX, MESSAGE_SLACK_BYTES
from trackwire.client.connection import Connection
from trackwire.client.delivery import Delivery, Request, stamp_bytes
from trackwire.errors import DataLossError, ResourceExhaustedError, TrackwireError
from trackwire.shipper.absence import AbsenceSign
from trackwire.shipper.ledger import Ledger
from trackwire.shipper.patience import waits_out, why_waiting
from trackwire.shipper.reading import StreamReader
from trackwire.shipper.rejected import RejectedFolder
from trackwire.shipper.uploads import UploadLane
from trackwire.spool.kinds import RecordKind
from trackwire.spool.places import StreamPlace
from trackwire.spool.records import WAYS, Order, points_of
from trackwire.spool.segments import Damage, Record

logger = logging.getLogger(__name__)

# What a folder is called while it is being deleted.
GONE_SUFFIX = ".gone"
# Nobody tells of a segment that grows.
LOOK_SECONDS = 0.02
# Then it is another stream's turn, if one waits for a thread.
TURN_SECONDS = 5.0
# A server may be away for a weekend, and the log is on the same disk as the spool.
TELL_SECONDS = 60.0
_SEQUENCE_MAX = 2**63 - 1


class StreamDelivery:
    """Delivers one stream, over and over as far as it has come; the Source of its Delivery."""

    def __init__(self, connection: Connection, place: StreamPlace, absence: AbsenceSign) -> None:
        self.place = place
        self.damages = 0
        self.connection = connection
        self.address = connection.address
        self._changed = threading.Condition()
        self._reader = StreamReader(place)
        self._ledger = Ledger(place)
        self._rejected = RejectedFolder(place)
        self._refused_before = self._rejected.sequences()
        self._absence = absence
        self._uploads = UploadLane(connection, place, self._upload_settled, absence)
        self._delivery = Delivery(
            connection, self, self._changed, writer_id=place.writer_id, may_pass=self._note_and_wait_out
        )
        stamp = stamp_bytes(place.writer_id, _SEQUENCE_MAX, _SEQUENCE_MAX)
        self._payload_bytes_max = MESSAGE_BYTES_MAX + MESSAGE_SLACK_BYTES - len(stamp)
        # Records behind their requests, which are under way.
        self._sent: dict[int, Record] = {}
        self._held: Record | None = None
        self._has_caught_up = False
        self._end_was_read = False
        self._stopping = False
        self._turn_ends_at = 0.0
        self._failure_told: type[TrackwireError] | None = None
        self._failure_told_at = 0.0

    @property
    def has_begun(self) -> bool:
        """Whether its first record, which makes the run, is settled."""
        return self._ledger.delivered.sequence > 0

    @property
    def is_complete(self) -> bool:
        """Whether all is settled, and nothing more will come."""
        return (self._end_was_read or self._reader.has_ended) and self._is_settled

    @property
    def may_be_removed(self) -> bool:
        """Whether a complete stream has nothing left to tell."""
        return self._rejected.is_empty()

    def has_more(self) -> bool:
        """Whether there is something to deliver, or an end to be found."""
        return not self.is_complete and (not self._is_settled or self._reader.has_more())

    def deliver(self) -> None:
        """Delivers until all is settled that was there to be read, its turn is over, or `stop`. Raises OSError."""
        self._has_caught_up = False
        self._turn_ends_at = time.monotonic() + TURN_SECONDS
        self._delivery.run(self._has_ended, look_seconds=LOOK_SECONDS)
        if self._uploads.failure is not None:
            raise self._uploads.failure
        if self.is_complete:
            self._tell_end()

    def stop(self) -> None:
        """Sends nothing more; what is under way may still settle. From any thread."""
        self._stopping = True
        self._uploads.stop()
        self._delivery.stop()

    def clear(self) -> None:
        """Deletes the folder of a complete stream, or all of it but what is still to be told."""
        if not self.may_be_removed:
            for segment in self.place.segments():
                segment.unlink()
            return
        gone = self.place.folder.with_name(f"{self.place.writer_id}{GONE_SUFFIX}")
        self.place.folder.rename(gone)
        shutil.rmtree(gone)

    def next_request(self) -> Request | None:
        """The next record that goes to the server this way."""
        if self._turn_is_over:
            return None
        if self._held is not None:
            return self._release()
        while (item := self._reader.next_item()) is not None:
            if isinstance(item, Damage):
                self._note_damage(item)
            elif self._is_new(item):
                request = self._take(item)
                if request is not None or self._held is not None:
                    return request
        self._has_caught_up = True
        self._ledger.trim(self._reader.passed)
        return None

    def stored(self, request: Request) -> None:
        """Counts it, and makes room."""
        self._failure_told = None
        self._absence.take_down()
        del self._sent[request.sequence]
        self._ledger.settle(request.sequence, points_stored=request.points)
        self._ledger.trim(self._reader.passed)

    def refused(self, request: Request, error: TrackwireError) -> None:
        """Keeps it."""
        self._absence.take_down()
        self._keep_refused(self._sent.pop(request.sequence), error)

    def forgotten(self, error: DataLossError) -> None:
        """The segments are gone: all that is left is to say it."""
        self._log(logging.ERROR, "server_forgot", error=str(error))

    @property
    def _is_settled(self) -> bool:
        return self._delivery.is_idle and self._ledger.is_settled and self._held is None

    @property
    def _turn_is_over(self) -> bool:
        return time.monotonic() >= self._turn_ends_at

    def _has_ended(self) -> bool:
        if self._stopping or self._uploads.failure is not None:
            return self._delivery.is_drained and self._uploads.is_idle
        if self._turn_is_over and self._delivery.is_drained:
            return True
        return (self._has_caught_up or self._end_was_read) and self._is_settled and self._uploads.is_idle

    def _is_new(self, record: Record) -> bool:
        """Whether a record is still to be settled; of the others it is noted what the next stamp has to name."""
        if not self._ledger.knows(record.sequence):
            return True
        if WAYS[record.kind].is_stamped and record.sequence not in self._refused_before:
            self._delivery.last_standing = max(self._delivery.last_standing, record.sequence)
        self._end_was_read = self._end_was_read or record.kind is RecordKind.END
        return False

    def _take(self, record: Record) -> Request | None:
        """Takes up a record; the request, where it is one and may go."""
        self._ledger.open(record.sequence)
        if record.sequence in self._refused_before:
            # By a shipper that was killed before it had counted it: the server may know its successors by now.
            self._ledger.settle(record.sequence, rejected_records=1)
        elif record.kind is RecordKind.END:
            self._end_was_read = True
            self._ledger.settle(record.sequence)
        elif WAYS[record.kind].order is Order.OWN_LANE:
            self._uploads.add(record)
        elif len(record.payload) > self._payload_bytes_max:
            # gRPC sends no such message, and says so without a reason.
            self._keep_refused(record, _too_large(record, self._payload_bytes_max))
        elif record.kind is RecordKind.UPDATE_RUN and not self._uploads.is_idle:
            self._held = record
        else:
            return self._request_of(record)
        return None

    def _release(self) -> Request | None:
        """The record that waits for the uploads before it, once those are settled."""
        if self._held is None or not self._uploads.is_idle or self._stopping:
            return None
        record, self._held = self._held, None
        return self._request_of(record)

    def _request_of(self, record: Record) -> Request:
        self._sent[record.sequence] = record
        way = WAYS[record.kind]
        return Request(
            record.sequence,
            way.rpc_path,
            record.payload,
            points_of(record.kind, record.payload),
            stamped=way.is_stamped,
            barrier=way.order is Order.BARRIER,
        )

    def _upload_settled(self, record: Record, error: TrackwireError | None) -> None:
        with self._changed:
            if error is None:
                self._ledger.settle(record.sequence)
            else:
                self._keep_refused(record, error)
            self._changed.notify_all()

    def _keep_refused(self, record: Record, error: TrackwireError) -> None:
        points = points_of(record.kind, record.payload)
        # Before anything else is sent: behind its successors the server would take it for stored.
        self._rejected.keep(record, points, error, self.address)
        self._ledger.settle(record.sequence, rejected_records=1)
        self._log(
            logging.ERROR,
            "refused",
            sequence=record.sequence,
            kind=record.kind.name,
            points=points,
            reason=error.reason,
            error=str(error),
        )

    def _note_damage(self, damage: Damage) -> None:
        if not self._rejected.keep_damage(damage):
            return
        self.damages += 1
        self._log(
            logging.ERROR,
            "damaged",
            path=damage.path,
            offset=damage.offset,
            length_bytes=damage.length_bytes,
            reason=damage.reason,
        )

    def _note_and_wait_out(self, error: TrackwireError) -> bool:
        passing = waits_out(error)
        if passing:
            self._absence.put_up(error)
        now = time.monotonic()
        if type(error) is not self._failure_told or now - self._failure_told_at >= TELL_SECONDS:
            self._failure_told, self._failure_told_at = type(error), now
            self._log(logging.WARNING, "failed", passing=passing, error=why_waiting(error, self.address))
        return passing

    def _tell_end(self) -> None:
        delivered = self._ledger.delivered
        self._log(
            logging.INFO,
            "stream_delivered",
            records=delivered.sequence,
            points=delivered.points_stored,
            rejected=delivered.rejected_records,
            damages=self.damages,
            kept=not self.may_be_removed,
        )

    def _log(self, level: int, event: str, **fields: object) -> None:
        known = {"stream": self.place.writer_id, "run": self.place.run_id, "address": self.address}
        logger.log(level, event, extra={"fields": known | fields})


def _too_large(record: Record, bytes_max: int) -> ResourceExhaustedError:
    return ResourceExhaustedError(
        f"record {record.sequence}: {len(record.payload)} bytes: must be at most {bytes_max}",
        reason="MESSAGE_TOO_LARGE",
        metadata={"limit": str(bytes_max)},
    )

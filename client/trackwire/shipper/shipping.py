"""All streams of a spool, each on its way to its server."""

import logging
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from trackwire.address import is_loopback, parse_address
from trackwire.client.connection import Connection, Deadlines
from trackwire.errors import FailedPreconditionError, TrackwireError
from trackwire.shipper.absence import AbsenceSign, forget_absences
from trackwire.shipper.delivery import GONE_SUFFIX, StreamDelivery
from trackwire.shipper.heartbeats import Heartbeats
from trackwire.shipper.pulse import HEARTBEAT_INTERVAL_SECONDS
from trackwire.shipper.retrying import finish_retries
from trackwire.spool.places import StreamPlace, open_streams, unreadable_streams

logger = logging.getLogger(__name__)

# One that is away mustn't hold up the streams of another: each server has its own threads.
STREAMS_AT_A_TIME = 16
STOP_SECONDS = 10.0
# Looking for new streams reads a file of each; whether a known one has grown is cheaper, and asked at every look.
SEARCH_SECONDS = 0.5
# A stream whose disk fails is tried again so much later, from what the disk says then.
RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Server:
    connection: Connection
    threads: ThreadPoolExecutor
    absence: AbsenceSign


@dataclass(frozen=True, slots=True)
class OfflineServer:
    """Where streams go that name no server; with a token of its own, and not the environment's, if there is one.

    `own_port` is another port of this machine at which the same server listens: streams that name it go here, too.
    """

    address: str
    token: str | None = None
    own_port: str = ""

    def is_meant_by(self, address: str) -> bool:
        """Whether it is this very server that an address names."""
        return bool(self.own_port) and is_loopback(address) and address.rpartition(":")[2] == self.own_port


class Shipping:
    """Finds streams and delivers them, those of offline processes to `offline` or not at all."""

    def __init__(
        self, spool: Path, offline: OfflineServer | None, *, heartbeat_seconds: float = HEARTBEAT_INTERVAL_SECONDS
    ) -> None:
        self._spool = spool
        self._offline = offline
        self._servers: dict[str, _Server] = {}
        self._streams: dict[str, StreamDelivery] = {}
        self._running: dict[str, Future[None]] = {}
        # Streams that can't be delivered: for now, or by this program.
        self._not_before: dict[str, float] = {}
        self._left_alone: set[str] = set()
        self._heartbeats = Heartbeats(heartbeat_seconds)
        self._searched_at = float("-inf")
        self._wake = threading.Event()
        self._search_failure = ""
        forget_absences(spool)
        self._remove_gone()
        finish_retries(spool)

    @property
    def is_busy(self) -> bool:
        """Whether there is anything to deliver, as of the last `look_over`."""
        return bool(self._running or self._not_before)

    @property
    def has_living_writers(self) -> bool:
        """Whether there may come more into its streams, as of the last `look_over`."""
        return self._heartbeats.has_living_writers

    def look_over(self) -> None:
        """Takes in what has ended, and sets to work on every stream that has something."""
        self._take_in_done()
        if time.monotonic() - self._searched_at >= SEARCH_SECONDS:
            self._search()
            self._heartbeats.look_over(self._streams.values())
        for writer_id in [writer_id for writer_id in self._streams if writer_id not in self._running]:
            self._on_disk(writer_id, partial(self._start_if_more, writer_id))

    def has_something_new(self) -> bool:
        """Whether something has come since the last look, for whoever has let go of the spool by now."""
        known = self._streams.keys() | self._left_alone
        try:
            return any(place.writer_id not in known for place in open_streams(self._spool)) or any(
                stream.has_more() for stream in self._streams.values()
            )
        except OSError as error:
            # Another shipper has the spool already, and deletes.
            _log(logging.INFO, "spool_changed", error=str(error))
            return False

    def wait(self, timeout_seconds: float) -> None:
        """Until a delivery has ended, or so long."""
        self._wake.wait(timeout_seconds)
        self._wake.clear()

    def stop(self) -> None:
        """Lets what is under way settle, for a while, and gives up the rest: it stays in the spool."""
        deadline = time.monotonic() + STOP_SECONDS
        for stream in self._streams.values():
            stream.stop()
        while time.monotonic() < deadline and not all(work.done() for work in self._running.values()):
            self.wait(0.1)
        for server in self._servers.values():
            server.connection.close()
            server.threads.shutdown(wait=True)
        self._take_in_done()
        forget_absences(self._spool)

    def _remove_gone(self) -> None:
        """Deletes what a shipper that was killed had begun to delete."""
        try:
            for gone in (self._spool / "streams").glob(f"*{GONE_SUFFIX}"):
                shutil.rmtree(gone)
        except OSError as error:
            _log(logging.WARNING, "delivered_stream_stays", error=str(error))

    def _search(self) -> None:
        """Finds streams; where the disk doesn't show them, that is told once, and those that are known go on."""
        self._searched_at = time.monotonic()
        try:
            self._take_in_found(open_streams(self._spool), unreadable_streams(self._spool))
        except OSError as error:
            if str(error) != self._search_failure:
                self._search_failure = str(error)
                _log(logging.ERROR, "search_failed", error=str(error))

    def _take_in_found(self, found: list[StreamPlace], unreadable: dict[Path, TrackwireError]) -> None:
        """Takes up the streams that are new, or whose time to be tried again has come."""
        now = self._searched_at
        places = {place.writer_id: place for place in found}
        self._not_before = {
            writer_id: time for writer_id, time in self._not_before.items() if writer_id in places and time > now
        }
        for writer_id, place in places.items():
            if writer_id not in self._streams.keys() | self._left_alone | self._not_before.keys():
                self._on_disk(writer_id, partial(self._open, place))
        for folder, why in unreadable.items():
            self._leave_alone(folder.name, str(why))

    def _open(self, place: StreamPlace) -> None:
        server = self._server_of(place)
        if server is not None:
            self._streams[place.writer_id] = StreamDelivery(server.connection, place, server.absence)
            _log(logging.INFO, "stream_found", stream=place.writer_id, run=place.run_id, to=server.connection.address)

    def _start_if_more(self, writer_id: str) -> None:
        stream = self._streams[writer_id]
        if stream.has_more():
            work = self._running[writer_id] = self._servers[stream.address].threads.submit(stream.deliver)
            work.add_done_callback(lambda _work: self._wake.set())

    def _server_of(self, place: StreamPlace) -> _Server | None:
        address = self._address_of(place)
        if not address:
            self._leave_alone(place.writer_id, "it has no server, and no --to was given")
            return None
        try:
            address = parse_address(address, field="tracking_uri")
            if address not in self._servers:
                self._servers[address] = self._connect(address)
        except TrackwireError as error:
            # A bad address, or a token or a file that can't be used for it: another shipper may do better.
            AbsenceSign(self._spool, address).put_up(error)
            self._leave_alone(place.writer_id, str(error))
            return None
        return self._servers[address]

    def _address_of(self, place: StreamPlace) -> str:
        """Where a stream goes; empty: nowhere."""
        named = place.tracking_uri
        if self._offline is None or (named and not self._offline.is_meant_by(named)):
            return named
        return self._offline.address

    def _connect(self, address: str) -> _Server:
        offline = self._offline
        token = offline.token if offline is not None and offline.address == address else None
        connection = Connection(address, Deadlines(), token=token)
        threads = ThreadPoolExecutor(STREAMS_AT_A_TIME, thread_name_prefix=f"deliver-{address}")
        return _Server(connection, threads, AbsenceSign(self._spool, address))

    def _take_in_done(self) -> None:
        for writer_id in [writer_id for writer_id, work in self._running.items() if work.done()]:
            work = self._running.pop(writer_id)
            self._on_disk(writer_id, partial(self._take_in, writer_id, work))

    def _take_in(self, writer_id: str, work: Future[None]) -> None:
        work.result()
        stream = self._streams[writer_id]
        if stream.is_complete:
            stream.clear()
            del self._streams[writer_id]
            if not stream.may_be_removed:
                self._left_alone.add(writer_id)

    def _on_disk(self, writer_id: str, act: Callable[[], None]) -> None:
        """Does what a disk may refuse: then the stream is forgotten, to begin anew with what the disk says later."""
        try:
            act()
        except FailedPreconditionError as error:
            # A newer program wrote it.
            self._streams.pop(writer_id, None)
            self._leave_alone(writer_id, str(error))
        except OSError as error:
            self._streams.pop(writer_id, None)
            self._not_before[writer_id] = time.monotonic() + RETRY_SECONDS
            _log(logging.ERROR, "stream_failed", stream=writer_id, error=str(error))
        except Exception as error:
            # A bug, which must not keep back the other streams.
            self._streams.pop(writer_id, None)
            logger.exception("bug", extra={"fields": {"stream": writer_id}})
            self._leave_alone(writer_id, repr(error))

    def _leave_alone(self, writer_id: str, why: str) -> None:
        if writer_id not in self._left_alone:
            self._left_alone.add(writer_id)
            _log(logging.WARNING, "stream_left_alone", stream=writer_id, why=why)


def _log(level: int, event: str, **fields: object) -> None:
    logger.log(level, event, extra={"fields": fields})

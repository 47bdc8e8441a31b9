"""One delivery of a spool for somebody who waits for it: by this process, or by the shipper that has it already."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from queue import SimpleQueue

from trackwire.address import parse_address
from trackwire.client.connection import Connection, Deadlines
from trackwire.errors import FailedPreconditionError, InvalidArgumentError, TrackwireError
from trackwire.shipper.asking import GO_SECONDS, ask_to_go, has_other_access
from trackwire.shipper.interruption import Interruption
from trackwire.shipper.lock import Holder, SpoolLock
from trackwire.shipper.overview import SpoolOverview
from trackwire.shipper.patience import waits_out
from trackwire.shipper.shipping import OfflineServer, Shipping
from trackwire.shipper.telling import listening
from trackwire.spool.places import absence_of
from trackwire.v1.admin_pb2 import GetServerInfoRequest, GetServerInfoResponse

LOOK_SECONDS = 0.05
COUNT_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Listener:
    """Whoever waits: is shown each state, and told what happens in words."""

    show: Callable[[SpoolOverview], None]
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on. Without a timeout, servers that are away at the beginning are not waited for."""

    watch: bool = False
    timeout_seconds: float | None = None


class SpoolSync:
    """Goes on until all is settled, it is late, or `stopping` is set. The overview then says how far it came."""

    def __init__(self, overview: SpoolOverview, listener: Listener, patience: Patience, stopping: Interruption) -> None:
        self._overview = overview
        self._listener = listener
        self._patience = patience
        self._stopping = stopping
        self._deadline = float("inf")
        self._away: Mapping[str, TrackwireError] = {}
        # What runs name that is no address: nobody can deliver them.
        self._no_servers: set[str] = set()
        self._words: SimpleQueue[str] = SimpleQueue()
        self._counted_at = float("-inf")
        self._seen: Holder | None = None
        self._followed: Holder | None = None
        self._must_go_by = float("inf")
        self._has_ended = False

    def run(self, *, must_be_ours: bool, call_seconds: float) -> None:
        """Delivers. Raises FailedPreconditionError where another shipper keeps runs, or takes them elsewhere."""
        if self._patience.timeout_seconds is not None:
            self._deadline = time.monotonic() + self._patience.timeout_seconds
        self._overview.look()
        self._away = self._ask_servers(call_seconds)
        lock = SpoolLock(self._overview.spool, offline_address=self._overview.offline_address)
        with ExitStack() as stack:
            stack.enter_context(listening(self._words, is_chatty=self._patience.watch))
            while not self._is_over():
                if lock.take():
                    self._deliver(lock)
                else:
                    self._follow(lock.holder(), must_be_ours=must_be_ours)
        self._count()

    def _deliver(self, lock: SpoolLock) -> None:
        """What a shipper does, until there is nothing more; also what came when the lock was still held."""
        with ExitStack() as stack:
            stack.callback(lock.release)
            shipping = Shipping(self._overview.spool, _offline(self._overview))
            stack.callback(shipping.stop)
            shipping.look_over()
            while (shipping.is_busy or self._patience.watch) and not self._must_stop():
                self._count_now_and_then()
                shipping.wait(LOOK_SECONDS)
                shipping.look_over()
        self._count()
        # What is left then can't be delivered, or not by this program.
        self._has_ended = not shipping.has_something_new()

    def _follow(self, holder: Holder | None, *, must_be_ours: bool) -> None:
        """Another one delivers: one look at how far it is."""
        # A name is believed at the second look: who has just taken the lock writes over that of another one.
        if holder is not None and holder == self._seen != self._followed:
            self._followed = holder
            self._meet(holder, must_be_ours=must_be_ours)
        self._seen = holder
        if time.monotonic() >= self._must_go_by and not self._waits_for_away:
            raise _in_use(f"{holder or Holder()} was asked to let go of this spool and has not in {GO_SECONDS:g} s")
        self._count_now_and_then()
        # Whoever goes is followed by another one soon, where a training goes on.
        self._stopping.wait(COUNT_SECONDS if self._must_go_by == float("inf") else LOOK_SECONDS)

    def _meet(self, holder: Holder, *, must_be_ours: bool) -> None:
        """Says who delivers, or sees to it that it goes where it holds up what is to be delivered here."""
        ours, theirs = self._overview.offline_address, holder.offline_address
        self._must_go_by = float("inf")
        has_nameless = (ours, False) in self._overview.destinations
        if must_be_ours and has_nameless and theirs and not _same(theirs, ours):
            raise _in_use(
                f"runs that name no server are being taken to {theirs} by {holder}, not to {ours}:"
                " end it first, or leave out --to"
            )
        if self._is_held_up_by(holder) and ask_to_go(self._overview.spool, holder):
            self._must_go_by = time.monotonic() + GO_SECONDS
            self._listener.say(f"{holder} delivers this spool, but calls with another token: it was asked to let go")
        elif theirs or not has_nameless:
            self._listener.say(_doing(holder))
        elif ask_to_go(self._overview.spool, holder):
            self._must_go_by = time.monotonic() + GO_SECONDS
            self._listener.say(f"{holder} delivers this spool, but no runs that name no server: it was asked to let go")
        elif self._waits_for_away:
            self._listener.say(_doing(holder))
        else:
            raise _in_use(
                f"runs that name no server wait until {holder} has ended, which delivers this spool:"
                " end it first, or say by --timeout-seconds how long to wait for that"
            )

    def _is_held_up_by(self, holder: Holder) -> bool:
        """Whether the holder doesn't reach a server that we do, and calls otherwise."""
        reached = self._overview.servers - self._away.keys() - self._no_servers
        waiting = any(absence_of(self._overview.spool, address) is not None for address in reached)
        return waiting and has_other_access(holder)

    def _is_over(self) -> bool:
        if self._patience.watch:
            return self._stopping.is_set()
        return self._has_ended or not self._overview.servers or self._must_stop()

    def _must_stop(self) -> bool:
        if self._stopping.is_set() or time.monotonic() >= self._deadline:
            return True
        left = self._overview.servers - self._no_servers
        return not self._waits_for_away and bool(self._away) and left <= self._away.keys()

    @property
    def _waits_for_away(self) -> bool:
        return self._patience.watch or self._patience.timeout_seconds is not None

    def _ask_servers(self, call_seconds: float) -> Mapping[str, TrackwireError]:
        """Those of the servers that are waited for who don't answer."""
        away = {}
        for address in sorted(self._overview.servers):
            try:
                error = _away(parse_address(address, field="tracking_uri"), call_seconds)
            except InvalidArgumentError:
                # The shipper tells whose it is.
                self._no_servers.add(address)
                continue
            if error is not None:
                away[address] = error
                self._listener.say(str(error))
        return away

    def _count_now_and_then(self) -> None:
        if time.monotonic() - self._counted_at >= COUNT_SECONDS:
            self._count()

    def _count(self) -> None:
        self._overview.look()
        self._counted_at = time.monotonic()
        while not self._words.empty():
            self._listener.say(self._words.get())
        self._listener.show(self._overview)


def _offline(overview: SpoolOverview) -> OfflineServer | None:
    return OfflineServer(overview.offline_address) if overview.offline_address else None


def _away(address: str, call_seconds: float) -> TrackwireError | None:
    """Why a server can't take anything for now. What else it may say, it says again of the records themselves."""
    try:
        connection = Connection(address, Deadlines(call_seconds))
    except TrackwireError as error:
        return error
    try:
        connection.call(GetServerInfoRequest(), GetServerInfoResponse)
    except TrackwireError as error:
        return error if waits_out(error) else None
    finally:
        connection.close()
    return None


def _in_use(words: str) -> FailedPreconditionError:
    return FailedPreconditionError(words, reason="SPOOL_IN_USE")


def _doing(holder: Holder) -> str:
    where = f"to {holder.offline_address}" if holder.offline_address else "nowhere: they are taken up once it has ended"
    return f"{holder} delivers this spool already, runs that name no server {where}; this is how far it is"


def _same(one: str, other: str) -> bool:
    return one.replace("localhost:", "127.0.0.1:") == other.replace("localhost:", "127.0.0.1:")

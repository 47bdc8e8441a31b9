"""`python -m trackwire.shipper --spool DIR`: delivers until nothing is left and nobody writes."""

import argparse
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from trackwire.address import parse_address
from trackwire.errors import InvalidArgumentError
from trackwire.shipper.interruption import Interruption
from trackwire.shipper.lock import SpoolLock
from trackwire.shipper.log import log_to_stderr
from trackwire.shipper.pulse import HEARTBEAT_INTERVAL_SECONDS
from trackwire.shipper.shipping import OfflineServer, Shipping
from trackwire.spool.places import shipper_lock

logger = logging.getLogger("trackwire.shipper")

# Of the server that starts it: for --to alone.
TOKEN_VARIABLE = "TRACKWIRE_SHIPPER_TOKEN"
LOOK_SECONDS = 0.05
# A training that says something once a minute is looked at less often: a look at 64 streams takes 4 ms.
CALM_LOOK_SECONDS = 0.25
CALM_AFTER_SECONDS = 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0, or 1 where `--once` could not deliver all in time."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.timeout_seconds is not None and not options.once:
        parser.error("--timeout-seconds: is for --once")
    log_to_stderr()
    # Of each handshake that fails gRPC has a line of its own: a server may be away for a weekend.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    stopping = Interruption()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopping.set())
    try:
        return _live(options, stopping)
    except Exception:
        # Who starts one that is missing sees by that: it was there in vain.
        with contextlib.suppress(OSError):
            os.truncate(shipper_lock(options.spool), 0)
        raise


def _live(options: argparse.Namespace, stopping: Interruption) -> int:
    """Takes the spool, delivers, lets go of it; and again, where something came just when it let go."""
    lock = SpoolLock(options.spool, offline_address=options.to)
    deadline = None if options.timeout_seconds is None else time.monotonic() + options.timeout_seconds
    while True:
        if not lock.take():
            _log("another_shipper", spool=options.spool)
            return 0
        _log("started", spool=options.spool, pid=os.getpid())
        shipping = Shipping(options.spool, _offline(options), heartbeat_seconds=options.heartbeat_seconds)
        try:
            all_delivered = _ship(shipping, options, partial(_may_go_on, options, lock, stopping), deadline)
        finally:
            shipping.stop()
            lock.release()
        _log("ended", all_delivered=all_delivered)
        if stopping.is_set():
            return 0
        # Who logged while the lock was held has started no shipper.
        if not all_delivered or not shipping.has_something_new():
            return 0 if all_delivered else 1


def _offline(options: argparse.Namespace) -> OfflineServer | None:
    if options.to is None:
        return None
    return OfflineServer(options.to, os.environ.get(TOKEN_VARIABLE) or None, options.own_port)


def _may_go_on(options: argparse.Namespace, lock: SpoolLock, stopping: Interruption) -> bool:
    """Whether nobody has told it to stop, and those are there for whom it delivers."""
    if options.parent_pid not in (None, os.getppid()):
        _log("parent_ended", pid=options.parent_pid)
        stopping.set()
    elif lock.is_deleted():
        _log("spool_deleted", spool=options.spool)
        stopping.set()
    return not stopping.is_set()


def _ship(
    shipping: Shipping, options: argparse.Namespace, may_go_on: Callable[[], bool], deadline: float | None
) -> bool:
    """Delivers until it may not go on, is late, or idle for long enough; whether all is delivered."""
    idle_seconds = 0.0 if options.once else options.idle_seconds
    busy_at = worked_at = time.monotonic()
    while may_go_on():
        shipping.look_over()
        now = time.monotonic()
        worked_at = now if shipping.is_busy else worked_at
        # One that ends would only be started again by the writer, and its run would miss beats.
        if shipping.is_busy or (shipping.has_living_writers and not options.once):
            busy_at = now
        elif not options.watch and now - busy_at >= idle_seconds:
            return True
        if deadline is not None and now >= deadline:
            return not shipping.is_busy
        shipping.wait(LOOK_SECONDS if now - worked_at < CALM_AFTER_SECONDS else CALM_LOOK_SECONDS)
    return not shipping.is_busy


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trackwire.shipper",
        description="Delivers what is in a spool to its servers, and ends when nothing is left and nobody writes.",
        allow_abbrev=False,
    )
    parser.add_argument("--spool", type=_folder, required=True, metavar="DIR", help="the spool's folder")
    parser.add_argument("--to", type=_address, metavar="URI", help="where streams go whose process knew no server")
    parser.add_argument(
        "--own-port",
        default="",
        metavar="PORT",
        help=f"streams that name this port of this machine go to --to as well, by the token in {TOKEN_VARIABLE}",
    )
    life = parser.add_mutually_exclusive_group()
    life.add_argument("--watch", action="store_true", help="never end for having nothing to deliver")
    life.add_argument("--once", action="store_true", help="end as soon as all is delivered that is there")
    parser.add_argument(
        "--idle-seconds",
        type=_seconds,
        default=0.0,
        metavar="N",
        help="end after so long without work and without a process that writes",
    )
    parser.add_argument(
        "--heartbeat-seconds",
        type=_seconds,
        default=HEARTBEAT_INTERVAL_SECONDS,
        metavar="N",
        help="how often to say of a run whose process writes that it lives",
    )
    parser.add_argument(
        "--parent-pid", type=int, metavar="PID", help="end when this process, by which it was started, has ended"
    )
    parser.add_argument(
        "--timeout-seconds", type=_seconds, metavar="N", help="with --once: end by then, with status 1 if some is left"
    )
    return parser


def _folder(text: str) -> Path:
    folder = Path(text)
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r}: is not a folder")
    return folder.absolute()


def _address(text: str) -> str:
    try:
        return parse_address(text, field="--to")
    except InvalidArgumentError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: must be a number of seconds, 0 or more")
    return seconds


def _log(event: str, **fields: object) -> None:
    logger.info(event, extra={"fields": fields})


def _close_what_was_inherited() -> None:
    """A training's pipes must end with it: a child of multiprocessing, for one, holds some that are inherited."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


if __name__ == "__main__":
    _close_what_was_inherited()
    sys.exit(main())

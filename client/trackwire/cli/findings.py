"""What a server's figures mean, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trackwire.cli.output import counted

if TYPE_CHECKING:
    from trackwire.v1.admin_pb2 import GetServerInfoResponse, ServerLoad

QUEUE_SHARE_MAX = 0.8
COMMIT_SECONDS_MAX = 1.0
# By design rows wait ten minutes at the most.
COMPACTION_WAIT_SECONDS_MAX = 900
CLOCK_SECONDS_MAX = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth saying; a problem is something to do about."""

    words: str
    is_problem: bool = True


def findings(info: "GetServerInfoResponse", *, ahead_seconds: float) -> Iterator[Finding]:
    """What is wrong or noteworthy; `ahead_seconds` is how far the server's clock is before ours.

    An older server tells less of itself: of what it doesn't tell nothing is said.
    """
    if not info.HasField("load"):
        return
    yield from _of_queue(info)
    yield from _of_commits(info.load)
    yield from _of_compaction(info)
    yield from _of_pools(info.load)
    if abs(ahead_seconds) > CLOCK_SECONDS_MAX:
        direction = "ahead of" if ahead_seconds > 0 else "behind"
        words = f"the server's clock is {_duration(abs(ahead_seconds))} {direction} that of this machine"
        yield Finding(f"{words}: times of runs and of what they log don't fit together; set both by NTP")


def _of_queue(info: "GetServerInfoResponse") -> Iterator[Finding]:
    load = info.load
    for unit, waiting, limit in (
        ("points", info.queued_points, load.queued_points_max),
        ("requests", load.queued_requests, load.queued_requests_max),
        ("bytes", load.queued_bytes, load.queued_bytes_max),
    ):
        if waiting >= QUEUE_SHARE_MAX * limit:
            full = f"the ingest queue is {waiting / limit:.0%} full: {waiting:,} of {limit:,} {unit}"
            yield Finding(f"{full}; the store does not keep up, and trainings are about to be made to wait")
    if load.refused_requests:
        refused = counted(load.refused_requests, "ingest request")
        told = f"{refused} came to a full queue since the server's start; clients send such requests again"
        yield Finding(told, is_problem=False)


def _of_commits(load: "ServerLoad") -> Iterator[Finding]:
    if load.commit_p99_seconds > COMMIT_SECONDS_MAX:
        took = _duration(load.commit_p99_seconds)
        words = f"lately one commit of a hundred took {took} or more: the store's disk or its connection is slow"
        yield Finding(words, is_problem=False)


def _of_compaction(info: "GetServerInfoResponse") -> Iterator[Finding]:
    if failures := info.load.compaction_failures:
        last = "compaction" if failures == 1 else f"{failures:,} compactions"
        yield Finding(f"the last {last} failed: the server's log says why")
    # What waited while the server was off is no fault of its.
    waited_seconds = min(info.journal_wait_ms, info.time_ms - info.start_time_ms) / 1e3
    if waited_seconds > COMPACTION_WAIT_SECONDS_MAX:
        waits = f"points wait for {_duration(waited_seconds)} to be compacted, where 10 minutes are the most by design"
        yield Finding(f"{waits}: reads become slow; compaction fails or does not keep up")


def _of_pools(load: "ServerLoad") -> Iterator[Finding]:
    for pool in load.pools:
        if pool.waiting and pool.in_use >= pool.size:
            used = "the connection" if pool.size == 1 else f"all {pool.size} connections"
            waiting = f"{counted(pool.waiting, 'transaction')} {'waits' if pool.waiting == 1 else 'wait'}"
            # One that waits for the only writer of SQLite is no news.
            yield Finding(
                f"{used} to the store for {pool.name} {'is' if pool.size == 1 else 'are'} in use, and {waiting}",
                is_problem=pool.waiting > pool.size,
            )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:,.0f} minutes" if seconds < 7_200 else f"{seconds / 3_600:,.0f} hours"

"""What a server's figures mean is said in words; a server that keeps up is not complained of."""

import pytest

from trackwire.cli.findings import findings
from trackwire.v1.admin_pb2 import GetServerInfoResponse, ServerLoad, StorePool

DAY_MS = 86_400_000
LIMITS = ServerLoad(queued_points_max=1_000, queued_requests_max=100, queued_bytes_max=10_000)


def info(load: ServerLoad | None = None, *, queued_points: int = 0, journal_wait_ms: int = 0) -> GetServerInfoResponse:
    told = ServerLoad()
    told.CopyFrom(LIMITS)
    if load is not None:
        told.MergeFrom(load)
    return GetServerInfoResponse(
        start_time_ms=DAY_MS,
        time_ms=2 * DAY_MS,
        queued_points=queued_points,
        journal_wait_ms=journal_wait_ms,
        load=told,
    )


def problems(server: GetServerInfoResponse, *, ahead_seconds: float = 0.0) -> list[str]:
    return [finding.words for finding in findings(server, ahead_seconds=ahead_seconds) if finding.is_problem]


def test_busy_server_that_keeps_up_is_well() -> None:
    load = ServerLoad(
        queued_requests=79,
        queued_bytes=7_999,
        commit_p99_seconds=1.0,
        pools=[StorePool(name="writing", size=8, in_use=8, waiting=0), StorePool(name="reading", size=4, in_use=1)],
    )
    assert list(findings(info(load, queued_points=799, journal_wait_ms=900_000), ahead_seconds=-2.0)) == []


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (info(queued_points=800), "the ingest queue is 80% full: 800 of 1,000 points"),
        (info(ServerLoad(queued_requests=100)), "the ingest queue is 100% full: 100 of 100 requests"),
        (info(ServerLoad(queued_bytes=9_000)), "the ingest queue is 90% full: 9,000 of 10,000 bytes"),
        (info(ServerLoad(compaction_failures=1)), "the last compaction failed"),
        (info(ServerLoad(compaction_failures=1_200)), "the last 1,200 compactions failed"),
        (info(journal_wait_ms=1_500_000), "points wait for 25 minutes to be compacted"),
        (
            info(ServerLoad(pools=[StorePool(name="reading", size=8, in_use=8, waiting=9)])),
            "all 8 connections to the store for reading are in use, and 9 transactions wait",
        ),
    ],
)
def test_what_is_wrong_is_said(server: GetServerInfoResponse, words: str) -> None:
    [problem] = problems(server)
    assert words in problem


@pytest.mark.parametrize(("ahead_seconds", "words"), [(75.0, "75.0 s ahead of"), (-7_300.0, "2 hours behind")])
def test_clock_that_differs_is_said(ahead_seconds: float, words: str) -> None:
    [problem] = problems(info(), ahead_seconds=ahead_seconds)
    assert f"the server's clock is {words} that of this machine" in problem


def test_what_is_over_or_usual_is_a_note() -> None:
    load = ServerLoad(
        refused_requests=1, commit_p99_seconds=2.34, pools=[StorePool(name="writing", size=1, in_use=1, waiting=1)]
    )
    found = list(findings(info(load), ahead_seconds=0))
    assert not any(finding.is_problem for finding in found)
    assert [finding.words.partition(" since ")[0] for finding in found] == [
        "1 ingest request came to a full queue",
        "lately one commit of a hundred took 2.3 s or more: the store's disk or its connection is slow",
        "the connection to the store for writing is in use, and 1 transaction waits",
    ]


def test_what_waited_while_the_server_was_off_is_not_its_fault() -> None:
    started = info(journal_wait_ms=DAY_MS)
    assert len(problems(started)) == 1
    started.start_time_ms = started.time_ms - 900_000
    assert problems(started) == []


def test_of_what_an_older_server_does_not_tell_nothing_is_said() -> None:
    assert list(findings(GetServerInfoResponse(queued_points=10**9), ahead_seconds=-1e9)) == []

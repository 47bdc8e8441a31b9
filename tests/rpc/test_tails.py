"""TailMetrics over a real socket: where a tail goes on, how soon it hears, and how many there may be."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import grpc
import pytest
from tests.conftest import FakeClock, Serve
from tests.rpc.metric_door import MetricDoor, metric_door, request, stamp
from tests.rpc.refusals import refusal

from trackwire.v1 import metrics_pb2 as pb
from trackwire_server.core.limits import LIMITS
from trackwire_server.stores.sql.database import Database

CODE = grpc.StatusCode


@pytest.fixture
async def door(database: Database, clock: FakeClock, serve: Serve) -> AsyncIterator[MetricDoor]:
    async with metric_door(database, clock, serve) as opened:
        yield opened


async def test_a_tail_goes_on_where_a_read_ended_and_where_a_tail_was_cut(door: MetricDoor) -> None:
    await door.stub.IngestMetrics(request(writer=stamp(1)))
    messages = [m async for m in door.stub.ReadMetrics(pb.ReadMetricsRequest(run_ids=["a"]))]
    token = messages[-1].tail_token
    seen: list[int] = []
    for n in range(2, 7):
        # Every other commit comes while no tail is open.
        call = door.stub.TailMetrics(pb.TailMetricsRequest(run_ids=["a"], resume_token=token)) if n % 2 else None
        await door.stub.IngestMetrics(request(keys=["m"], counts=[3], steps=[n] * 3, writer=stamp(n)))
        if call is not None:
            async for message in call:
                token = message.resume_token
                seen += message.steps
                if n in seen:
                    break
            call.cancel()
    assert seen == [n for n in (2, 3, 4, 5) for _ in range(3)]


async def test_a_tail_hears_of_a_commit_within_250_ms(door: MetricDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    # By the committer's word: not because it looks for itself.
    monkeypatch.setattr("trackwire_server.core.metrics._TAIL_LOOK_SECONDS", 3_600.0)
    call = door.stub.TailMetrics(pb.TailMetricsRequest(run_ids=["b", "a"], keys=["acc"]))
    messages = aiter(call)
    assert (await anext(messages)).resume_token
    seconds = []
    for n in range(1, 6):
        started = asyncio.get_running_loop().time()
        await door.stub.IngestMetrics(request(steps=[n] * 3, writer=stamp(n)))
        message = await asyncio.wait_for(anext(messages), 30)
        seconds.append(asyncio.get_running_loop().time() - started)
        assert ([s.key for s in message.series], list(message.steps)) == (["acc"], [n])
    # Other processes share the cores: one may be late.
    assert min(seconds) < 0.25, seconds
    call.cancel()


async def test_a_tail_token_of_other_runs_and_a_made_up_one_are_refused(door: MetricDoor) -> None:
    first = await anext(aiter(door.stub.TailMetrics(pb.TailMetricsRequest(run_ids=["a"]))))
    other = pb.TailMetricsRequest(run_ids=["b"], resume_token=first.resume_token)
    assert (await refusal(anext(aiter(door.stub.TailMetrics(other))))).reason == "PAGE_TOKEN_MISMATCH"
    made_up = pb.TailMetricsRequest(run_ids=["a"], resume_token="zzz")
    refused = await refusal(anext(aiter(door.stub.TailMetrics(made_up))))
    assert (refused.reason, refused.fields) == ("BAD_PAGE_TOKEN", ("resume_token",))


async def test_more_tails_than_allowed_are_told_to_come_later(
    door: MetricDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trackwire_server.core.metrics.LIMITS", replace(LIMITS, tails=2))
    tails = [door.stub.TailMetrics(pb.TailMetricsRequest(run_ids=["a"])) for _ in range(2)]
    for tail in tails:
        await tail.read()
    refused = await refusal(door.stub.TailMetrics(pb.TailMetricsRequest(run_ids=["a"])).read())
    assert (refused.code, refused.reason) == (CODE.RESOURCE_EXHAUSTED, "OVERLOADED")
    assert refused.retry_seconds is not None
    assert refused.metadata["limit"] == "2"
    tails[0].cancel()
    async with asyncio.timeout(30):
        while True:
            tail = door.stub.TailMetrics(pb.TailMetricsRequest(run_ids=["a"]))
            with contextlib.suppress(grpc.aio.AioRpcError):
                await tail.read()
                break
    tail.cancel()
    tails[1].cancel()

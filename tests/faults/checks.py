"""What is asked of a store once the writing to it is over, whatever was killed meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import grpc
from sqlalchemy import text
from tests.faults.traffic import (
    IN_FLIGHT,
    KEYS,
    Connection,
    Point,
    Tail,
    Writer,
    points_of_request,
    request_of,
    stored_points,
    until,
)

from trackwire.v1 import metrics_pb2, runs_pb2, runs_pb2_grpc
from trackwire.v1.metrics_pb2_grpc import MetricServiceStub
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.metrics.journal import decode_journal


@asynccontextmanager
async def running(*works: Writer | Tail) -> AsyncIterator[None]:
    """Lets writers and tails go on as long as the block lasts."""
    tasks = [asyncio.create_task(work.run()) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        # Said in any case: what the block waits for may not come because of it.
        print("ended before:", [result for result in results if not isinstance(result, asyncio.CancelledError)])
    assert all(isinstance(result, asyncio.CancelledError) for result in results), results


async def create_runs(address: str, run_ids: Sequence[str]) -> None:
    """Makes the runs that are written to."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub = runs_pb2_grpc.RunServiceStub(channel)
        for run_id in run_ids:
            await stub.CreateRun(runs_pb2.CreateRunRequest(run_id=run_id))


async def settled(connection: Connection, tail: Tail, run_ids: Sequence[str]) -> dict[str, list[Point]]:
    """What is stored, once the tail has seen as much."""
    stored = await stored_points(await connection.stub(), run_ids)
    wanted = sum(map(len, stored.values()))
    assert await until(lambda: sum(map(len, tail.seen.values())) >= wanted, seconds=60), (
        f"the tail has {sum(map(len, tail.seen.values()))} of {wanted} points"
    )
    await asyncio.sleep(0.5)  # what comes twice would come now
    return stored


async def settled_everywhere(
    each: Sequence[Connection], tails: Sequence[Tail], run_ids: Sequence[str]
) -> dict[str, list[Point]]:
    """What all have alike: what was under way when the writers ended may be committed between two looks."""
    for _ in range(10):
        first, *others = [
            await settled(connection, tail, run_ids) for connection, tail in zip(each, tails, strict=True)
        ]
        if all(other == first for other in others):
            return first
    raise AssertionError("the servers do not have the same")


def tell(happened: str, writers: Sequence[Writer], tails: Sequence[Tail]) -> None:
    """Prints what happened, for whoever reads the run."""
    print(f"{happened}; tails resumed {[tail.resumed for tail in tails]} times")
    for writer in writers:
        print(
            f"writer {writer.number}: {IN_FLIGHT} in flight, {writer.acknowledged} requests acknowledged,"
            f" {writer.resent} times one was sent again, refused {writer.refusals}"
        )


def check_stored(stored: dict[str, list[Point]], writers: Sequence[Writer]) -> None:
    """Each acknowledged point is there once; of each other request all of them or none."""
    for run_id, points in stored.items():
        assert len(set(points)) == len(points), f"run {run_id!r} has points twice"
    for writer in writers:
        mine = {point for point in stored[writer.run_id] if request_of(point[2])[0] == writer.number}
        there = {request_of(value)[1] for _, _, value in mine}
        assert mine == {point for sequence in there for point in points_of_request(writer.number, sequence)}
        assert there == set(range(1, len(there) + 1)), "a request is there whose predecessor is not"
        assert len(there) >= writer.acknowledged > 0, "an acknowledged request is missing"
        assert writer.resent > 0
        assert writer.refusals["ABORTED"] > 0
        assert there <= writer.sent


async def check_summaries(address: str, stored: dict[str, list[Point]]) -> None:
    """Summaries say what the points say."""
    async with grpc.aio.insecure_channel(address) as channel:
        request = metrics_pb2.GetMetricSummariesRequest(run_ids=list(stored))
        answer = await MetricServiceStub(channel).GetMetricSummaries(request)
    found = {
        (each.run_id, each.key): (each.count, each.min_value, each.max_value, each.first_step, each.last_step)
        for each in answer.summaries
    }
    last = {(each.run_id, each.key): each.last_value for each in answer.summaries}
    assert len(found) == len(answer.summaries) == len(stored) * len(KEYS)
    for run_id, key in found:
        points = [(step, value) for of, step, value in stored[run_id] if of == key]
        steps, values = zip(*points, strict=True)
        assert found[run_id, key] == (len(points), min(values), max(values), steps[0], steps[-1])
        assert last[run_id, key] == values[-1]


async def check_tables(store_uri: str, tails: Sequence[Tail]) -> None:
    """Points were compacted, and each tail saw each commit once, in the order of arrival."""
    database = await Database.open(store_uri)
    async with database.read() as connection:
        assert (await connection.scalar(text("SELECT count(*) FROM metric_chunks")) or 0) > 0
        heads = (await connection.execute(text("SELECT compacted_arrival, pruned_arrival FROM run_heads"))).all()
        journal = await connection.execute(
            text("SELECT run_id, payload FROM metric_journal JOIN runs USING (run_no) ORDER BY run_no, arrival")
        )
    await database.close()
    assert all(compacted > 0 and pruned == 0 for compacted, pruned in heads), heads
    arrived: dict[str, list[float]] = {}
    for run_id, payload in journal:
        arrived.setdefault(run_id, []).extend(decode_journal(payload).points.values.tolist())
    for tail in tails:
        assert {run_id: [value for _, value in seen] for run_id, seen in tail.seen.items()} == arrived

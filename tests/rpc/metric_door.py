"""MetricService over a real socket, on SQLite, with three runs: what its tests share."""

import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import grpc
from tests.conftest import NOW_MS, FakeClock, Serve

from trackwire.v1 import metrics_pb2 as pb
from trackwire.v1.metrics_pb2_grpc import MetricServiceStub
from trackwire_server.core.entities import ExperimentReference, LifecycleStage, NewRun, RunStatus
from trackwire_server.core.metrics import Metrics
from trackwire_server.rpc.metrics import SERVICE, MetricServicer, add_to_server
from trackwire_server.rpc.server import Door
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.metrics.store import SqlMetricStore
from trackwire_server.stores.sql.runs import SqlRuns


@dataclass(frozen=True, slots=True)
class MetricDoor:
    """The service's stub, the channel under it, and the stores behind it."""

    stub: MetricServiceStub
    channel: grpc.aio.Channel
    metrics: Metrics
    runs: SqlRuns

    async def points(self, *run_ids: str) -> dict[tuple[str, str], list[tuple[int, int, str]]]:
        """All points by run and key, values as the hexadecimal of their bytes."""
        found: dict[tuple[str, str], list[tuple[int, int, str]]] = {}
        async for message in self.stub.ReadMetrics(pb.ReadMetricsRequest(run_ids=run_ids)):
            columns = list(zip(message.steps, message.times_ms, message.values, strict=True))
            at = 0
            for series, count in zip(message.series, message.counts, strict=True):
                rows = [(s, t, struct.pack("<d", v).hex()) for s, t, v in columns[at : at + count]]
                found.setdefault((series.run_id, series.key), []).extend(rows)
                at += count
        return found


@asynccontextmanager
async def metric_door(database: Database, clock: FakeClock, serve: Serve) -> AsyncIterator[MetricDoor]:
    """The service with the runs "a" and "b", and "gone", which is deleted."""
    runs = SqlRuns(database)
    for run_id in ("a", "b", "gone"):
        reference = ExperimentReference(experiment_id="0")
        await runs.create_run(NewRun(run_id, run_id, reference, "", RunStatus.RUNNING, NOW_MS, NOW_MS))
    await runs.set_run_stage("gone", LifecycleStage.DELETED, now_ms=NOW_MS)
    metrics = Metrics(SqlMetricStore(database), clock)
    servicer = MetricServicer(metrics, clock)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(metrics.running())
        channel = await serve(Door(SERVICE, lambda server: add_to_server(servicer, server)))
        yield MetricDoor(MetricServiceStub(channel), channel, metrics, runs)


def request(**changes: object) -> pb.IngestMetricsRequest:
    """Two series of two points and one."""
    fields: dict[str, object] = {
        "run_id": "a",
        "keys": ["loss", "acc"],
        "counts": [2, 1],
        "steps": [0, 1, 0],
        "times_ms": [1, 2, 3],
        "values": [0.5, 0.25, 1.0],
    }
    return pb.IngestMetricsRequest(**{**fields, **changes})  # type: ignore[arg-type]


def stamp(sequence: int, previous: int | None = None, writer: str = "w") -> pb.WriterStamp:
    return pb.WriterStamp(
        writer_id=writer, sequence=sequence, previous_sequence=sequence - 1 if previous is None else previous
    )

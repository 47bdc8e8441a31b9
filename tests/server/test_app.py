"""The server as app.py puts it together: every service answers over memory and over SQLite."""

import pytest
from google.protobuf import descriptor_pool
from tests.conftest import Stubs

from trackwire.v1 import admin_pb2, metrics_pb2, runs_pb2
from trackwire_server.rpc import doors

SERVICES = (
    doors.EXPERIMENTS,
    doors.RUNS,
    doors.METRICS,
    doors.ARTIFACTS,
    doors.MODEL_REGISTRY,
    doors.ADMIN,
)


@pytest.mark.parametrize("service", SERVICES)
async def test_every_rpc_of_the_contract_is_implemented(stubs: Stubs, service: str) -> None:
    for method in descriptor_pool.Default().FindServiceByName(service).methods:
        call = stubs.channel.stream_stream(f"/{service}/{method.name}")(iter([b"\xff"]))
        code, details = await call.code(), await call.details()
        assert (code.name, details.rpartition(": ")[2]) == ("INVALID_ARGUMENT", "is not a message of this type") or (
            service == doors.METRICS and code.name == "INVALID_ARGUMENT"
        ), method.name


async def test_server_info_tells_the_store(stubs: Stubs) -> None:
    info = await stubs.admin.GetServerInfo(admin_pb2.GetServerInfoRequest())
    assert info.store in ("memory", "sqlite")
    assert info.schema_version == (1 if info.store == "sqlite" else 0)
    assert info.queued_points == 0


async def test_run_that_was_removed_for_good_takes_its_metrics_along(stubs: Stubs) -> None:
    for value in (1.0, 2.0):
        await stubs.runs.CreateRun(runs_pb2.CreateRunRequest(run_id="again"))
        points = [metrics_pb2.MetricPoint(key="loss", value=value)]
        await stubs.metrics.LogMetrics(metrics_pb2.LogMetricsRequest(run_id="again", points=points))
        read = stubs.metrics.ReadMetrics(metrics_pb2.ReadMetricsRequest(run_ids=["again"]))
        assert [found async for answer in read for found in answer.values] == [value]
        await stubs.runs.DeleteRun(runs_pb2.DeleteRunRequest(run_id="again"))
        collected = await stubs.admin.CollectGarbage(admin_pb2.CollectGarbageRequest())
        assert list(collected.run_ids) == ["again"]
    info = await stubs.admin.GetServerInfo(admin_pb2.GetServerInfoRequest())
    assert (info.journal_rows, info.journal_points) == (0, 0)

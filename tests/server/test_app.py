"""The server as app.py puts it together: every service answers over memory and over SQLite."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from google.protobuf import descriptor_pool
from structlog.typing import FilteringBoundLogger
from tests.conftest import Stubs

from trackwire.v1 import admin_pb2, metrics_pb2, runs_pb2
from trackwire_server import app
from trackwire_server.config import Config
from trackwire_server.core.entities import ExperimentReference
from trackwire_server.core.runs import RunDraft
from trackwire_server.rpc import doors
from trackwire_server.stores.sql.tables import SCHEMA_VERSION

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
    assert info.schema_version == (SCHEMA_VERSION if info.store == "sqlite" else 0)
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


@pytest.mark.parametrize(
    "in_memory", [{"store_uri": "memory:", "artifacts_uri": "memory:"}, {}], ids=["memory", "sqlite"]
)
@pytest.mark.parametrize("root", ["s3://bucket/runs/", "/data/runs"])
async def test_experiments_that_name_no_place_lie_in_the_root(
    tmp_path: Path, log: FilteringBoundLogger, no_task_is_left: None, in_memory: dict[str, str], root: str
) -> None:
    flags = {"data_dir": str(tmp_path), "port": "0", "http_port": "off", "drain_seconds": "1", **in_memory}
    async with AsyncExitStack() as stack:
        config = Config.read({**flags, "default_artifact_root": root}, {})
        services = (await app.start(config, stack, log)).services
        below = root.rstrip("/")
        made = await services.experiments.create("made")
        chosen = await services.experiments.create("chosen", artifact_location="gs://bucket")
        by_run = RunDraft(experiment=ExperimentReference(name="by a run", create=True))
        run, _ = await services.runs.create(by_run)
        found = [await services.experiments.get(experiment_id) for experiment_id in ("0", run.experiment_id)]
        assert [each.artifact_location for each in (made, chosen, *found)] == [
            f"{below}/{made.experiment_id}",
            "gs://bucket",
            f"{below}/0",
            f"{below}/{run.experiment_id}",
        ]
        assert (await services.experiments.get("1")).artifact_location == f"{below}/1"
        assert run.artifact_uri == f"{below}/{run.experiment_id}/{run.run_id}/artifacts"


async def test_experiments_keep_their_place_when_the_root_changes(
    tmp_path: Path, log: FilteringBoundLogger, no_task_is_left: None
) -> None:
    flags = {"data_dir": str(tmp_path), "port": "0", "http_port": "off", "drain_seconds": "1"}
    for root, own in (("trackwire-artifacts:/", 1), ("/data/runs", 2)):
        async with AsyncExitStack() as stack:
            config = Config.read({**flags, "default_artifact_root": root}, {})
            services = (await app.start(config, stack, log)).services
            made = await services.experiments.create(f"made {own}")
            assert made.artifact_location == f"{root.rstrip('/')}/{own}"
            assert (await services.experiments.get("0")).artifact_location == "trackwire-artifacts:/0"
            assert (await services.experiments.get("1")).artifact_location == "trackwire-artifacts:/1"

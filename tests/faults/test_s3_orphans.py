"""A server that is killed in the middle of an upload in parts leaves nothing that `trackwire gc` does not find."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.conftest import FakeClock, ServerProcess
from tests.faults.s3_wire import Call, S3Wire, error, s3_wire_to
from tests.faults.test_s3 import what_is_there
from tests.rpc.test_admin import FACTS, BusyDataPlane

from trackwire import AsyncClient
from trackwire_server.config import Config
from trackwire_server.core.admin import Admin, AdminStores, GarbageRequest
from trackwire_server.core.artifact_paths import home_of_run, partial_id
from trackwire_server.core.entities import (
    RUN_ALONE,
    ExperimentReference,
    LifecycleStage,
    NewRun,
    RunStatus,
    Upload,
)
from trackwire_server.core.garbage import Garbage
from trackwire_server.storage import Stores, open_byte_stores, open_stores
from trackwire_server.stores.s3 import S3Settings
from trackwire_server.stores.s3.bucket import opened_client
from trackwire_server.stores.s3.partial import S3Partial

MEBIBYTE = 1024 * 1024
DAY_MS = 86_400_000
# Three parts.
DATA = os.urandom(17 * MEBIBYTE)


@pytest.fixture
async def wire(s3_endpoint: str) -> AsyncIterator[S3Wire]:
    async with s3_wire_to(s3_endpoint) as wire:
        yield wire


@pytest.fixture
async def s3(s3_endpoint: str) -> AsyncIterator[Any]:
    """A bare client, past the wire."""
    async with opened_client(S3Settings(endpoint_url=s3_endpoint)) as client:
        yield client


@dataclass(slots=True)
class Collector:
    """A server's garbage collection, a day and more later."""

    stores: Stores
    admin: Admin
    admin_stores: AdminStores
    clock: FakeClock

    async def collect(self, *, dry_run: bool = False) -> Garbage:
        return await self.admin.collect_garbage(GarbageRequest(dry_run=dry_run))


@pytest.fixture
async def collector(tmp_path: Path, s3_endpoint: str, s3_bucket: str) -> AsyncIterator[Callable[[], Any]]:
    """`await collector()`: the same database and bucket, as a server has them that is started a day later."""
    async with AsyncExitStack() as stack:

        async def make() -> Collector:
            said = {"artifacts_uri": f"s3://{s3_bucket}/a", "s3_endpoint_url": s3_endpoint}
            config = Config.read({"data_dir": str(tmp_path / "data"), **said}, {})
            stores = await open_stores(config, stack)
            admin_stores = AdminStores(
                stores.garbage,
                stores.experiments,
                stores.runs,
                stores.uploads,
                await open_byte_stores(config, stores.artifacts, stack),
                stores.logged_models,
                stores.model_garbage,
                stores.model_uploads,
            )
            clock = FakeClock(int(time.time() * 1_000) + DAY_MS + 60_000)
            return Collector(
                stores, Admin(FACTS, admin_stores, data_plane=BusyDataPlane(), clock=clock), admin_stores, clock
            )

        yield make


@dataclass(slots=True)
class Killer:
    """Kills a server when a call passes by, before or after the store has had it."""

    server: ServerProcess
    wire: S3Wire
    name: str
    path_end: str = ""
    number: int = 0
    after: bool = False
    killed: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, call: Call) -> web.StreamResponse | None:
        is_meant = call.name == self.name and call.request.path.endswith(self.path_end)
        self.number -= is_meant
        if not is_meant or self.number != -1:
            return None
        if self.after:
            await self.wire._pass_on(call)
        assert self.server.process is not None
        self.server.process.kill()
        self.killed.set()
        return error(500, "InternalError")


POINTS: dict[str, dict[str, Any]] = {
    "before it is begun": {"name": "CreateMultipartUpload"},
    "begun, unknown to the server": {"name": "CreateMultipartUpload", "after": True},
    "begun, not noted": {"name": "PutObject", "path_end": ".upload"},
    "noted, unknown to the server": {"name": "PutObject", "path_end": ".upload", "after": True},
    "in the first part": {"name": "UploadPart"},
    "in the second part": {"name": "UploadPart", "number": 1, "after": True},
    "before it is complete": {"name": "CompleteMultipartUpload"},
    "complete, unknown to the server": {"name": "CompleteMultipartUpload", "after": True},
    "before its note is removed": {"name": "DeleteObjects"},
}


@pytest.mark.parametrize("way", ["through the server", "around it"])
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.slow
async def test_server_killed_in_an_upload_leaves_nothing_to_a_later_collection(
    make_server_process: Callable[..., ServerProcess],
    collector: Callable[[], Any],
    wire: S3Wire,
    s3: Any,
    s3_bucket: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    point: str,
    way: str,
) -> None:
    monkeypatch.setenv("TRACKWIRE_PRESIGNED_URLS", "off" if way == "through the server" else "on")
    settings = ("--artifacts-uri", f"s3://{s3_bucket}/a", "--s3-endpoint-url", wire.url)
    server = make_server_process(*settings, data_dir=tmp_path / "data", AWS_MAX_ATTEMPTS="1")
    killer = Killer(server, wire, **POINTS[point])
    async with AsyncClient(await asyncio.to_thread(server.start), stream_timeout_seconds=60) as client:
        run_id = (await client.create_run()).run_id
        wire.fault = killer
        uploading = asyncio.create_task(client.upload_bytes(run_id, DATA, "large"))
        await asyncio.wait_for(killer.killed.wait(), 60)
        uploading.cancel()
        await asyncio.wait([uploading])
    await asyncio.to_thread(server.stop)
    wire.fault = None

    later = await collector()
    running = await begun_by_another(later, run_id)
    keys, uploads = await what_is_there(s3, s3_bucket)
    dry = await later.collect(dry_run=True)
    assert await what_is_there(s3, s3_bucket) == (keys, uploads)
    collected = await later.collect()
    assert collected == dry
    unknown = f"s3://{s3_bucket}/a/0/{run_id}/artifacts/large"
    assert collected.orphaned_uploads == ([unknown] if point.startswith("begun") else [])

    keys, uploads = await what_is_there(s3, s3_bucket)
    is_complete = point in ("complete, unknown to the server", "before its note is removed")
    of_another = f"a/.partial/{partial_id(run_id, 'another')}/"
    whole = [f"a/0/{run_id}/artifacts/large"] if is_complete else []
    assert [key for key in keys if not key.startswith(of_another)] == whole
    assert uploads == 1
    # What somebody is uploading meanwhile goes on as if nothing had been.
    await running.append(DATA[9 * MEBIBYTE :])
    assert await running.sha256() == hashlib.sha256(DATA).digest()
    await running.publish()
    await running.close()
    assert (await what_is_there(s3, s3_bucket))[1] == 0


async def test_place_that_can_not_be_looked_at_holds_up_no_other_garbage(
    collector: Callable[[], Any], s3: Any, s3_bucket: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "data").mkdir()
    later = await collector()
    await s3.put_object(Bucket=s3_bucket, Key=f"a/.partial/{partial_id('run1', 'upload1')}/0.upload", Body=b"no note")
    await s3.create_multipart_upload(Bucket=s3_bucket, Key="a/0/run1/artifacts/large")
    runs, now_ms = later.stores.runs, later.clock()
    run, _ = await runs.create_run(
        NewRun("run2", "run2", ExperimentReference("0"), "", RunStatus.RUNNING, now_ms, now_ms)
    )
    await runs.set_run_stage(run.run_id, LifecycleStage.DELETED, now_ms=now_ms)
    collected = await later.collect()
    assert (collected.run_ids, collected.orphaned_uploads) == (["run2"], [])
    [warning] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "is not looked for: " in warning
    assert "0.upload' is no note of an upload" in warning


async def begun_by_another(later: Collector, run_id: str) -> S3Partial:
    """An upload with parts that a server began long ago, of which a stream is under way."""
    run = await later.stores.runs.get_run(run_id, RUN_ALONE)
    await later.stores.uploads.begin_upload(Upload("another", run_id, "other", len(DATA), later.clock()))
    async with later.admin_stores.artifacts.opened(home_of_run(run)) as folder:
        partial = await folder.store.open_partial(partial_id(run_id, "another"), folder.of("other"))
    await partial.append(DATA[: 9 * MEBIBYTE])
    # Until its first part has arrived.
    assert isinstance(partial, S3Partial)
    await asyncio.wait(partial._parts._sending)
    return partial

"""Administration over a real socket, on the memory and the SQL stores."""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import grpc
import pytest
from sqlalchemy import func, insert, select
from tests.conftest import NOW_MS, FakeClock, Serve
from tests.rpc.test_artifacts import eventually

from trackwire.v1 import admin_pb2, admin_pb2_grpc
from trackwire_server.core.admin import Admin, AdminStores, GrpcEndpoint, ServerFacts
from trackwire_server.core.artifact_paths import home_of_run, partial_id
from trackwire_server.core.artifact_places import FILE_SCHEME, OWN_SCHEME, ByteStores, own_store
from trackwire_server.core.byte_stores import ByteStore, PartialFile
from trackwire_server.core.entities import (
    ExperimentReference,
    LifecycleStage,
    NewExperiment,
    NewRun,
    Run,
    RunSelection,
    RunStatus,
    Upload,
)
from trackwire_server.core.errors import NotFound
from trackwire_server.core.figures import CommitFigures, CompactionFigures, PoolFigures, QueueDepth
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.metric_queries import Backlog
from trackwire_server.rpc.admin import AdminServicer, add_to_server
from trackwire_server.rpc.server import Door
from trackwire_server.stores.files import FileBytes, local_folders
from trackwire_server.stores.memory.artifacts import MemoryBytes, MemoryUploads
from trackwire_server.stores.memory.experiments import MemoryExperiments
from trackwire_server.stores.memory.garbage import MemoryGarbage
from trackwire_server.stores.memory.logged_model_garbage import MemoryLoggedModelGarbage
from trackwire_server.stores.memory.logged_models import MemoryLoggedModels
from trackwire_server.stores.memory.runs import MemoryRuns
from trackwire_server.stores.memory.state import MemoryState
from trackwire_server.stores.sql import tables
from trackwire_server.stores.sql.artifacts import UPLOADS_OF_MODELS, SqlUploads
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.experiments import SqlExperiments
from trackwire_server.stores.sql.garbage import SqlGarbage
from trackwire_server.stores.sql.logged_model_garbage import SqlLoggedModelGarbage
from trackwire_server.stores.sql.logged_models import SqlLoggedModels
from trackwire_server.stores.sql.runs import SqlRuns

FACTS = ServerFacts("1.2.3", "some", 7, "/data/artifacts", NOW_MS)
DAY_MS = 86_400_000


class BusyDataPlane:
    """A DataPlane that has something before it."""

    queue = QueueDepth(requests=3, points=5, bytes=70)
    commits = CommitFigures(refused_requests=4, recent_seconds=deque([0.25]))
    compaction = CompactionFigures(failures=2, failures_in_a_row=1)

    async def backlog(self) -> Backlog:
        return Backlog(rows=2, points=300, since_ms=NOW_MS - 9_000)


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[FileBytes]:
    opened = await FileBytes.open(tmp_path / "artifacts")
    yield opened
    await opened.close()


def reached(own: ByteStore) -> ByteStores:
    return ByteStores({OWN_SCHEME: own_store(own), FILE_SCHEME: local_folders([])})


@pytest.fixture(params=["memory", "sqlite"])
def stores(
    request: pytest.FixtureRequest,
    database: Database,
    files: FileBytes,
    memory_state: MemoryState,
    clock: FakeClock,
) -> AdminStores:
    if request.param == "sqlite":
        return sql_stores(database, files)
    uploads = MemoryUploads(memory_state)
    model_uploads = MemoryUploads(memory_state, memory_state.active_logged_model)
    return AdminStores(
        MemoryGarbage(memory_state, uploads, forget_model=[model_uploads.forget]),
        MemoryExperiments(memory_state),
        MemoryRuns(memory_state),
        uploads,
        reached(MemoryBytes(clock)),
        MemoryLoggedModels(memory_state),
        MemoryLoggedModelGarbage(memory_state, model_uploads),
        model_uploads,
    )


def sql_stores(database: Database, artifacts: ByteStore) -> AdminStores:
    return AdminStores(
        SqlGarbage(database),
        SqlExperiments(database),
        SqlRuns(database),
        SqlUploads(database),
        reached(artifacts),
        SqlLoggedModels(database),
        SqlLoggedModelGarbage(database),
        SqlUploads(database, UPLOADS_OF_MODELS),
    )


@pytest.fixture
async def admin(serve: Serve, stores: AdminStores, clock: FakeClock) -> admin_pb2_grpc.AdminServiceStub:
    core = Admin(FACTS, stores, data_plane=BusyDataPlane(), clock=clock, pools=[PoolFigures("reading", 4)])
    core.listens_at(GrpcEndpoint(5051, tls=True, uri="grpcs://tracker.example:443"))
    door = Door("trackwire.v1.AdminService", partial(add_to_server, AdminServicer(core)))
    return admin_pb2_grpc.AdminServiceStub(await serve(door))


@dataclass(slots=True)
class World:
    """Makes things and deletes them, by the stores themselves."""

    stores: AdminStores
    clock: FakeClock

    async def run(self, run_id: str, *, experiment_id: str = "0", delete: bool = False) -> Run:
        new = NewRun(
            run_id=run_id,
            run_name=run_id,
            experiment=ExperimentReference(experiment_id),
            user_id="",
            status=RunStatus.RUNNING,
            start_time_ms=self.clock(),
            creation_time_ms=self.clock(),
            params={"lr": "0.1"},
            tags={"team": "red"},
        )
        run, _ = await self.stores.runs.create_run(new)
        if delete:
            await self.delete_run(run_id)
        return run

    async def delete_run(self, run_id: str) -> None:
        await self.stores.runs.set_run_stage(run_id, LifecycleStage.DELETED, now_ms=self.clock())

    async def experiment(self, name: str, *, artifact_location: str = "") -> str:
        new = NewExperiment(name, self.clock(), artifact_location=artifact_location)
        created = await self.stores.experiments.create_experiment(new)
        return created.experiment_id

    async def delete_experiment(self, experiment_id: str) -> None:
        await self.stores.experiments.set_experiment_stage(experiment_id, LifecycleStage.DELETED, now_ms=self.clock())

    async def artifact(self, run: Run, path: str, data: bytes) -> None:
        partial = await self.open_partial(run, f"whole-{path.replace('/', '-')}", path)
        await partial.append(data)
        await partial.sha256()
        await partial.publish()
        await partial.close()

    async def upload(self, run: Run, upload_id: str, data: bytes) -> None:
        upload = Upload(
            upload_id=upload_id, owner_id=run.run_id, path="a", size_bytes=1_000, begin_time_ms=self.clock()
        )
        await self.stores.uploads.begin_upload(upload)
        partial = await self.open_partial(run, partial_id(run.run_id, upload_id), "a")
        await partial.append(data)
        await partial.close()

    async def open_partial(self, run: Run, name: str, path: str) -> PartialFile:
        async with self.stores.artifacts.opened(home_of_run(run)) as folder:
            return await folder.store.open_partial(name, folder.of(path))

    async def partial_size(self, run: Run, upload_id: str) -> int:
        async with self.stores.artifacts.opened(home_of_run(run)) as folder:
            return await folder.store.partial_size(partial_id(run.run_id, upload_id))

    async def artifacts(self, run: Run) -> list[str]:
        async with self.stores.artifacts.opened(home_of_run(run)) as folder:
            return [entry.path for entry in await folder.store.list_folder(folder.path, after="", limit=9)]


@pytest.fixture
def world(stores: AdminStores, clock: FakeClock) -> World:
    return World(stores, clock)


async def is_there(world: World, run_id: str) -> bool:
    """Whether the run exists, deleted or not."""
    try:
        await world.stores.runs.get_run(run_id, RunSelection())
    except NotFound:
        return False
    return True


async def test_server_info_tells_the_facts_and_the_load(admin: admin_pb2_grpc.AdminServiceStub) -> None:
    assert await admin.GetServerInfo(admin_pb2.GetServerInfoRequest()) == admin_pb2.GetServerInfoResponse(
        version="1.2.3",
        store="some",
        schema_version=7,
        start_time_ms=NOW_MS,
        journal_rows=2,
        journal_points=300,
        queued_points=5,
        artifacts_uri="/data/artifacts",
        time_ms=NOW_MS,
        journal_wait_ms=9_000,
        load=admin_pb2.ServerLoad(
            queued_requests=3,
            queued_bytes=70,
            queued_requests_max=LIMITS.queue_requests,
            queued_points_max=LIMITS.queue_points,
            queued_bytes_max=LIMITS.queue_bytes,
            refused_requests=4,
            commit_p99_seconds=0.25,
            compaction_failures=1,
            pools=[admin_pb2.StorePool(name="reading", size=4)],
        ),
        grpc=admin_pb2.GrpcEndpoint(port=5051, tls=True, uri="grpcs://tracker.example:443"),
    )


async def test_collection_removes_what_is_deleted_and_nothing_else(
    admin: admin_pb2_grpc.AdminServiceStub, world: World
) -> None:
    experiment_id = await world.experiment("old")
    inner = await world.run("inner", experiment_id=experiment_id)
    kept, gone = await world.run("kept"), await world.run("gone")
    for run in (inner, kept, gone):
        await world.artifact(run, f"{run.run_id}/weights.bin", b"w" * 100)
    await world.artifact(gone, "top.txt", b"t" * 11)
    await world.upload(gone, "u1", b"p" * 7)
    await world.delete_experiment(experiment_id)
    await world.delete_run("gone")

    dry = await admin.CollectGarbage(admin_pb2.CollectGarbageRequest(dry_run=True))
    assert await is_there(world, "gone")
    collected = await admin.CollectGarbage(admin_pb2.CollectGarbageRequest())
    assert collected == dry
    assert list(collected.run_ids) == ["gone", "inner"]
    assert list(collected.experiment_ids) == [experiment_id]
    assert (collected.uploads, collected.artifact_bytes) == (1, 218)

    assert [await is_there(world, run_id) for run_id in ("inner", "kept", "gone")] == [False, True, False]
    with pytest.raises(NotFound):
        await world.stores.experiments.get_experiment(experiment_id)
    assert await world.artifacts(gone) == []
    assert await world.artifacts(kept) == ["kept"]
    assert await world.partial_size(gone, "u1") == 0
    again = await admin.CollectGarbage(admin_pb2.CollectGarbageRequest())
    assert again == admin_pb2.CollectGarbageResponse()


async def test_what_uploads_have_left_at_an_experiment_goes_with_it(
    admin: admin_pb2_grpc.AdminServiceStub, world: World, tmp_path: Path
) -> None:
    await world.delete_experiment(await world.experiment("old", artifact_location=str(tmp_path / "old")))
    left = tmp_path / "old" / ".partial" / partial_id("gone", "u1")
    left.parent.mkdir(parents=True)
    left.write_bytes(b"bytes")
    os.utime(left, (1, 1))
    dry = await admin.CollectGarbage(admin_pb2.CollectGarbageRequest(dry_run=True))
    assert list(dry.orphaned_uploads) == [left.as_uri()]
    assert await admin.CollectGarbage(admin_pb2.CollectGarbageRequest()) == dry
    assert not left.exists()


async def test_artifacts_in_a_folder_go_and_what_the_server_does_not_reach_is_named(
    admin: admin_pb2_grpc.AdminServiceStub, world: World, tmp_path: Path
) -> None:
    location = tmp_path / "elsewhere"
    near = await world.experiment("near", artifact_location=location.as_uri())
    far = await world.experiment("far", artifact_location="s3://bucket/far")
    gone, kept = [await world.run(run_id, experiment_id=near) for run_id in ("gone", "kept")]
    for run in (gone, kept):
        await world.artifact(run, "weights.bin", b"w" * 100)
    await world.upload(gone, "u1", b"p" * 7)
    await world.delete_run("gone")
    await world.run("lost", experiment_id=far, delete=True)

    dry = await admin.CollectGarbage(admin_pb2.CollectGarbageRequest(dry_run=True))
    assert await world.artifacts(gone) == ["weights.bin"]
    collected = await admin.CollectGarbage(admin_pb2.CollectGarbageRequest())
    assert collected == dry
    assert (list(collected.run_ids), collected.artifact_bytes) == (["gone", "lost"], 107)
    assert list(collected.artifact_uris_left) == ["s3://bucket/far/lost/artifacts"]
    assert not (location / "gone").exists()
    assert (location / "kept" / "artifacts" / "weights.bin").read_bytes() == b"w" * 100
    assert list((location / ".partial").iterdir()) == []


async def test_folder_that_only_clients_have_is_not_made(
    admin: admin_pb2_grpc.AdminServiceStub, world: World, tmp_path: Path
) -> None:
    location = tmp_path / "theirs"
    experiment_id = await world.experiment("theirs", artifact_location=str(location))
    await world.run("gone", experiment_id=experiment_id, delete=True)
    collected = await admin.CollectGarbage(admin_pb2.CollectGarbageRequest())
    assert (list(collected.run_ids), list(collected.artifact_uris_left)) == (["gone"], [])
    assert not location.exists()


async def test_what_was_deleted_lately_stays(
    admin: admin_pb2_grpc.AdminServiceStub, world: World, clock: FakeClock
) -> None:
    await world.run("old", delete=True)
    clock.advance(1_000)
    await world.run("new", delete=True)
    collected = await admin.CollectGarbage(admin_pb2.CollectGarbageRequest(older_than_ms=1_000))
    assert list(collected.run_ids) == ["old"]
    assert await is_there(world, "new")


async def test_only_what_is_named_is_removed(admin: admin_pb2_grpc.AdminServiceStub, world: World) -> None:
    first, second = await world.experiment("first"), await world.experiment("second")
    for run_id, experiment_id in (("a", first), ("b", second)):
        await world.run(run_id, experiment_id=experiment_id)
    for run_id in ("c", "d"):
        await world.run(run_id, delete=True)
    await world.delete_experiment(first)
    await world.delete_experiment(second)
    request = admin_pb2.CollectGarbageRequest(run_ids=["c"], experiment_ids=[first])
    collected = await admin.CollectGarbage(request)
    assert list(collected.run_ids) == ["a", "c"]
    assert list(collected.experiment_ids) == [first]
    assert [await is_there(world, run_id) for run_id in "abcd"] == [False, True, False, True]


@pytest.mark.parametrize("dry_run", [True, False])
async def test_experiment_with_a_run_that_stays_stays(
    admin: admin_pb2_grpc.AdminServiceStub, world: World, clock: FakeClock, dry_run: bool
) -> None:
    experiment_id = await world.experiment("mixed")
    await world.run("first", experiment_id=experiment_id)
    await world.run("second", experiment_id=experiment_id)
    await world.delete_experiment(experiment_id)
    clock.advance(1_000)
    await world.stores.runs.set_run_stage("second", LifecycleStage.ACTIVE, now_ms=clock())
    await world.delete_run("second")
    collected = await admin.CollectGarbage(admin_pb2.CollectGarbageRequest(older_than_ms=1_000, dry_run=dry_run))
    assert list(collected.run_ids) == ["first"]
    assert list(collected.experiment_ids) == []


async def test_default_experiment_stays_even_if_deleted(admin: admin_pb2_grpc.AdminServiceStub, world: World) -> None:
    await world.run("inner")
    await world.delete_experiment("0")
    collected = await admin.CollectGarbage(admin_pb2.CollectGarbageRequest())
    assert (list(collected.run_ids), list(collected.experiment_ids)) == (["inner"], [])
    assert (await world.stores.experiments.get_experiment("0")).name == "Default"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await admin.CollectGarbage(admin_pb2.CollectGarbageRequest(experiment_ids=["0"]))
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        ({"run_ids": ["active"]}, grpc.StatusCode.FAILED_PRECONDITION, "run_ids[0]: 'active'"),
        ({"run_ids": ["none"]}, grpc.StatusCode.NOT_FOUND, "none"),
        ({"run_ids": ["a/b"]}, grpc.StatusCode.INVALID_ARGUMENT, "run_ids[0]: 'a/b'"),
        ({"experiment_ids": ["0"]}, grpc.StatusCode.FAILED_PRECONDITION, "experiment_ids[0]: '0'"),
        ({"experiment_ids": ["77"]}, grpc.StatusCode.NOT_FOUND, "77"),
        ({"older_than_ms": -1}, grpc.StatusCode.INVALID_ARGUMENT, "older_than_ms: -1"),
        ({"run_ids": ["r"] * 1_001}, grpc.StatusCode.INVALID_ARGUMENT, "run_ids: 1001"),
    ],
)
async def test_bad_request_removes_nothing(
    admin: admin_pb2_grpc.AdminServiceStub,
    world: World,
    request_: dict[str, object],
    code: grpc.StatusCode,
    words: str,
) -> None:
    await world.run("active")
    await world.run("deleted", delete=True)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await admin.CollectGarbage(admin_pb2.CollectGarbageRequest(**request_))
    assert caught.value.code() is code
    assert words in (caught.value.details() or "")
    assert await is_there(world, "deleted")


async def test_upload_that_nobody_resumed_is_removed(
    admin: admin_pb2_grpc.AdminServiceStub, world: World, clock: FakeClock
) -> None:
    run = await world.run("active")
    await world.upload(run, "old", b"1" * 30)
    clock.advance(DAY_MS + 1)
    await world.upload(run, "fresh", b"2" * 40)
    dry = await admin.CollectGarbage(admin_pb2.CollectGarbageRequest(dry_run=True))
    collected = await admin.CollectGarbage(admin_pb2.CollectGarbageRequest())
    assert (dry.uploads, dry.artifact_bytes) == (collected.uploads, collected.artifact_bytes) == (1, 30)
    assert await world.stores.uploads.get_upload("active", "old") is None
    assert await world.partial_size(run, "fresh") == 40


async def test_run_that_somebody_still_uploads_to_stays(admin: admin_pb2_grpc.AdminServiceStub, world: World) -> None:
    run = await world.run("busy")
    await world.upload(run, "u1", b"begun")
    partial = await world.open_partial(run, partial_id("busy", "u1"), "a")
    await world.delete_run("busy")
    assert list((await admin.CollectGarbage(admin_pb2.CollectGarbageRequest())).run_ids) == []
    await partial.close()
    assert list((await admin.CollectGarbage(admin_pb2.CollectGarbageRequest())).run_ids) == ["busy"]


async def test_run_that_was_restored_is_not_removed(world: World, clock: FakeClock) -> None:
    await world.run("restored", delete=True)
    await world.stores.runs.set_run_stage("restored", LifecycleStage.ACTIVE, now_ms=clock())
    assert not await world.stores.garbage.remove_run("restored", before_ms=clock())
    assert not await world.stores.garbage.remove_run("never", before_ms=clock())
    assert await is_there(world, "restored")


async def test_run_id_that_was_removed_can_be_used_again(admin: admin_pb2_grpc.AdminServiceStub, world: World) -> None:
    await world.run("again", delete=True)
    await admin.CollectGarbage(admin_pb2.CollectGarbageRequest())
    run = await world.run("again")
    assert run.lifecycle_stage == LifecycleStage.ACTIVE
    assert await world.artifacts(run) == []


async def test_two_collections_at_once_remove_each_run_once(
    admin: admin_pb2_grpc.AdminServiceStub, world: World
) -> None:
    for number in range(20):
        await world.run(f"r{number:02}", delete=True)
    request = admin_pb2.CollectGarbageRequest()
    answers = await asyncio.gather(*(admin.CollectGarbage(request) for _ in range(3)))
    removed = [run_id for answer in answers for run_id in answer.run_ids]
    assert sorted(removed) == [f"r{number:02}" for number in range(20)]


async def test_every_row_of_a_removed_run_goes_with_it(database: Database, clock: FakeClock) -> None:
    world = World(sql_stores(database, MemoryBytes(clock)), clock)
    await world.run("gone")
    async with database.write() as connection:
        run_no = await connection.scalar(select(tables.runs.c.run_no))
        key_no = (await connection.execute(insert(tables.metric_keys).values(key="loss"))).inserted_primary_key[0]
        series = insert(tables.metric_series).values(run_no=run_no, key_no=key_no, context_no=0)
        series_no = (await connection.execute(series)).inserted_primary_key[0]
        ends = {"first_step": 0, "first_time_ms": 0, "last_step": 0, "last_time_ms": 0}
        await connection.execute(
            insert(tables.metric_summaries).values(
                series_no=series_no,
                run_no=run_no,
                experiment_no=0,
                key_no=key_no,
                context_no=0,
                count=1,
                nan_count=0,
                **ends,
            )
        )
        await connection.execute(
            insert(tables.metric_chunks).values(series_no=series_no, ordinal=0, points=1, payload=b"", **ends)
        )
        await connection.execute(insert(tables.metric_thinned).values(series_no=series_no, ordinal=0, payload=b""))
        await connection.execute(
            insert(tables.metric_journal).values(run_no=run_no, arrival=1, commit_time_ms=0, points=1, payload=b"")
        )
        await connection.execute(insert(tables.metric_writers).values(run_no=run_no, writer_id="w", mark=1))
    await world.delete_run("gone")
    assert await world.stores.garbage.remove_run("gone", before_ms=clock())
    kept = {"experiments", "experiment_tags", "schema_migrations", "metric_keys", "metric_contexts"}
    async with database.read() as connection:
        counts = {
            table.name: await connection.scalar(select(func.count()).select_from(table))
            for table in tables.metadata.sorted_tables
            if table.name not in kept
        }
    assert set(counts.values()) == {0}, counts


async def test_client_that_goes_away_leaves_no_artifacts_without_a_run(
    admin: admin_pb2_grpc.AdminServiceStub, world: World
) -> None:
    runs = [await world.run(f"r{number:02}") for number in range(30)]
    for run in runs:
        await world.artifact(run, f"{run.run_id}.txt", b"1234567")
        await world.delete_run(run.run_id)
    call = admin.CollectGarbage(admin_pb2.CollectGarbageRequest())
    await asyncio.sleep(0.02)
    call.cancel()
    await asyncio.sleep(0.2)

    async def all_are_whole_or_gone() -> bool:
        return all([bool(await world.artifacts(run)) == await is_there(world, run.run_id) for run in runs])

    # What is under way ends.
    await eventually(all_are_whole_or_gone)
    await admin.CollectGarbage(admin_pb2.CollectGarbageRequest())
    assert not any([await is_there(world, run.run_id) for run in runs])

"""What every UploadStore keeps to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

import pytest
from sqlalchemy import insert, update
from tests.conftest import NOW_MS

from trackwire_server.core.entities import LifecycleStage, Run, RunStatus, Upload
from trackwire_server.core.errors import AlreadyExists, NotFound, RunDeleted
from trackwire_server.core.logged_model_entities import NewLoggedModel
from trackwire_server.core.stores import LoggedModelStore, UploadStore
from trackwire_server.stores.memory.artifacts import MemoryUploads
from trackwire_server.stores.memory.logged_models import MemoryLoggedModels
from trackwire_server.stores.memory.state import MemoryState
from trackwire_server.stores.sql.artifacts import UPLOADS_OF_MODELS, SqlUploads
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.logged_models import SqlLoggedModels
from trackwire_server.stores.sql.tables import run_heads, runs

RUN = Run(
    run_id="run1",
    run_name="name",
    experiment_id="0",
    user_id="",
    status=RunStatus.RUNNING,
    start_time_ms=NOW_MS,
    end_time_ms=None,
    lifecycle_stage=LifecycleStage.ACTIVE,
    artifact_uri="trackwire-artifacts:/0/run1/artifacts",
)
UPLOAD = Upload("upload1", "run1", "a/b.bin", 3, NOW_MS)
SHA256 = b"\xff" * 32


@dataclass(frozen=True, slots=True)
class World:
    """A store with the active runs, or logged models, run1 and run2, and what deletes run1."""

    uploads: UploadStore
    delete_run: Callable[[], Awaitable[None]]


def _memory_world(state: MemoryState) -> World:
    for run_id in ("run1", "run2"):
        state.runs[run_id] = replace(RUN, run_id=run_id)

    async def delete_run() -> None:
        state.runs["run1"] = replace(RUN, lifecycle_stage=LifecycleStage.DELETED)

    return World(MemoryUploads(state), delete_run)


async def _sqlite_world(database: Database) -> World:
    async with database.write() as connection:
        for number, run_id in enumerate(("run1", "run2"), 1):
            await connection.execute(
                insert(runs).values(
                    run_no=number,
                    run_id=run_id,
                    experiment_no=0,
                    run_name="name",
                    status="RUNNING",
                    start_time_ms=NOW_MS,
                    artifact_uri=RUN.artifact_uri,
                )
            )
            await connection.execute(insert(run_heads).values(run_no=number))

    async def delete_run() -> None:
        async with database.write() as connection:
            await connection.execute(update(runs).where(runs.c.run_id == "run1").values(lifecycle_stage="deleted"))

    return World(SqlUploads(database), delete_run)


async def _world_of_models(models: LoggedModelStore, uploads: UploadStore) -> World:
    """The same with logged models."""
    for model_id in ("run1", "run2"):
        await models.create_logged_model(NewLoggedModel(model_id, "0", "name", NOW_MS))
    return World(uploads, partial(models.delete_logged_model, "run1", now_ms=NOW_MS))


@pytest.fixture(params=["memory", "sqlite", "memory, of models", "sqlite, of models"])
async def world(request: pytest.FixtureRequest, memory_state: MemoryState, database: Database) -> World:
    match request.param:
        case "memory":
            return _memory_world(memory_state)
        case "sqlite":
            return await _sqlite_world(database)
        case "memory, of models":
            uploads = MemoryUploads(memory_state, memory_state.active_logged_model)
            return await _world_of_models(MemoryLoggedModels(memory_state), uploads)
        case _:
            return await _world_of_models(SqlLoggedModels(database), SqlUploads(database, UPLOADS_OF_MODELS))


@pytest.fixture
def uploads(world: World) -> UploadStore:
    return world.uploads


async def test_upload_is_kept_as_announced(uploads: UploadStore) -> None:
    assert await uploads.begin_upload(UPLOAD) == UPLOAD
    assert await uploads.get_upload("run1", "upload1") == UPLOAD
    assert await uploads.get_upload("run1", "upload2") is None
    assert await uploads.get_upload("none", "upload1") is None


async def test_upload_begun_again_is_the_same_at_a_later_time(uploads: UploadStore) -> None:
    await uploads.begin_upload(UPLOAD)
    again = replace(UPLOAD, begin_time_ms=NOW_MS + 5)
    assert await uploads.begin_upload(again) == again
    assert await uploads.get_upload("run1", "upload1") == again


@pytest.mark.parametrize("other", [{"path": "c"}, {"size_bytes": 4}], ids=str)
async def test_upload_of_another_file_under_the_same_id_is_refused(
    uploads: UploadStore, other: dict[str, object]
) -> None:
    await uploads.begin_upload(UPLOAD)
    with pytest.raises(AlreadyExists):
        await uploads.begin_upload(replace(UPLOAD, **other))  # type: ignore[arg-type]  # fields by name
    assert await uploads.get_upload("run1", "upload1") == UPLOAD


async def test_runs_may_use_the_same_upload_id(uploads: UploadStore) -> None:
    await uploads.begin_upload(UPLOAD)
    other = replace(UPLOAD, owner_id="run2", path="c")
    assert await uploads.begin_upload(other) == other


async def test_complete_upload_stays_known_as_such(uploads: UploadStore) -> None:
    await uploads.begin_upload(UPLOAD)
    await uploads.complete_upload("run1", "upload1", sha256=SHA256)
    assert await uploads.begin_upload(UPLOAD) == replace(UPLOAD, complete=True, sha256=SHA256)
    assert await uploads.get_upload("run1", "upload1") == replace(UPLOAD, complete=True, sha256=SHA256)
    await uploads.complete_upload("run1", "none", sha256=SHA256)


async def test_discarded_upload_is_forgotten(uploads: UploadStore) -> None:
    await uploads.begin_upload(UPLOAD)
    await uploads.discard_upload("run1", "upload1")
    await uploads.discard_upload("run1", "upload1")
    assert await uploads.get_upload("run1", "upload1") is None


async def test_unknown_run_is_not_found(uploads: UploadStore) -> None:
    with pytest.raises(NotFound):
        await uploads.begin_upload(replace(UPLOAD, owner_id="none"))


async def test_deleted_run_rejects_new_uploads_and_keeps_those_it_has(world: World) -> None:
    await world.uploads.begin_upload(UPLOAD)
    await world.delete_run()
    with pytest.raises((RunDeleted, NotFound)):
        await world.uploads.begin_upload(UPLOAD)
    assert await world.uploads.get_upload("run1", "upload1") == UPLOAD
    await world.uploads.discard_upload("run1", "upload1")
    assert await world.uploads.get_upload("run1", "upload1") is None


async def test_expired_uploads_come_oldest_first(uploads: UploadStore) -> None:
    for upload_id, age_ms in (("young", 1), ("old", 30), ("older", 40), ("oldest", 50)):
        await uploads.begin_upload(replace(UPLOAD, upload_id=upload_id, begin_time_ms=NOW_MS - age_ms))
    expired = await uploads.expired_uploads(before_ms=NOW_MS - 30, limit=10)
    assert [upload.upload_id for upload in expired] == ["oldest", "older"]
    first = await uploads.expired_uploads(before_ms=NOW_MS, limit=1)
    assert [upload.upload_id for upload in first] == ["oldest"]


async def test_unfinished_uploads_are_those_that_are_not_whole(world: World) -> None:
    begun = replace(UPLOAD, upload_id="begun", owner_id="run2")
    for upload in (UPLOAD, begun, replace(UPLOAD, upload_id="discarded")):
        await world.uploads.begin_upload(upload)
    await world.uploads.complete_upload("run1", "upload1", sha256=SHA256)
    await world.uploads.discard_upload("run1", "discarded")
    assert await world.uploads.unfinished_uploads() == [begun]

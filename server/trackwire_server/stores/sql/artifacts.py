"""Uploads under way or done lately. The bytes are not here; see core's ByteStore."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Column, ColumnElement, Row, Select, Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import Upload
from trackwire_server.core.uploads import check_same_header
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.deadlocks import tried_again
from trackwire_server.stores.sql.heads import lock_run
from trackwire_server.stores.sql.logged_model_rows import lock_logged_model
from trackwire_server.stores.sql.tables import logged_model_uploads, logged_models, runs, uploads


@dataclass(frozen=True, slots=True)
class UploadTables:
    """Where the uploads of owners of one kind lie; `owner_no` of `uploads` is the owner's `number`."""

    uploads: Table
    owner_no: Column[int]
    number: Column[int]
    owner_id: Column[str]
    # The number of an active owner, whose row it locks. Raises NotFound, RunDeleted.
    lock: Callable[[AsyncConnection, str], Awaitable[int]]

    def select(self) -> Select[*tuple[object, ...]]:
        """Uploads with the ids of their owners."""
        columns = self.uploads.c
        return select(
            columns.upload_id,
            self.owner_id.label("owner_id"),
            columns.path,
            columns.size_bytes,
            columns.sha256,
            columns.begin_time_ms,
            columns.complete,
        ).join(self.number.table, self.number == self.owner_no)

    def one(self, owner_id: str, upload_id: str) -> ColumnElement[bool]:
        """The condition that finds an upload."""
        number = select(self.number).where(self.owner_id == owner_id).scalar_subquery()
        return (self.owner_no == number) & (self.uploads.c.upload_id == upload_id)


async def _lock_run(connection: AsyncConnection, run_id: str) -> int:
    return (await lock_run(connection, run_id)).run_no


UPLOADS_OF_RUNS = UploadTables(uploads, uploads.c.run_no, runs.c.run_no, runs.c.run_id, _lock_run)
UPLOADS_OF_MODELS = UploadTables(
    logged_model_uploads,
    logged_model_uploads.c.logged_model_no,
    logged_models.c.logged_model_no,
    logged_models.c.model_id,
    lock_logged_model,
)


@tried_again
class SqlUploads:
    """An UploadStore in SQL: of runs, or of logged models."""

    def __init__(self, database: Database, tables: UploadTables = UPLOADS_OF_RUNS):
        self._database = database
        self._tables = tables

    async def begin_upload(self, upload: Upload) -> Upload:
        """Stores an upload, or gives the one with this id."""
        table = self._tables.uploads
        async with self._database.write() as connection:
            owner_no = await self._tables.lock(connection, upload.owner_id)
            known = await self._find(connection, upload.owner_id, upload.upload_id)
            if known is not None:
                check_same_header(known, upload)
                mine = (self._tables.owner_no == owner_no) & (table.c.upload_id == upload.upload_id)
                await connection.execute(update(table).where(mine).values(begin_time_ms=upload.begin_time_ms))
                return replace(known, begin_time_ms=upload.begin_time_ms)
            row: dict[str, object] = {
                self._tables.owner_no.name: owner_no,
                "upload_id": upload.upload_id,
                "path": upload.path,
                "size_bytes": upload.size_bytes,
                "sha256": upload.sha256,
                "complete": False,
                "begin_time_ms": upload.begin_time_ms,
            }
            await connection.execute(insert(table).values(row))
            return upload

    async def get_upload(self, owner_id: str, upload_id: str) -> Upload | None:
        """The upload, or None."""
        async with self._database.read() as connection:
            return await self._find(connection, owner_id, upload_id)

    async def complete_upload(self, owner_id: str, upload_id: str, *, sha256: bytes) -> None:
        """Notes that the file is whole and visible."""
        mine = self._tables.one(owner_id, upload_id)
        async with self._database.write() as connection:
            await connection.execute(update(self._tables.uploads).where(mine).values(sha256=sha256, complete=True))

    async def discard_upload(self, owner_id: str, upload_id: str) -> None:
        """Forgets an upload."""
        async with self._database.write() as connection:
            await connection.execute(delete(self._tables.uploads).where(self._tables.one(owner_id, upload_id)))

    async def expired_uploads(self, *, before_ms: int, limit: int) -> Sequence[Upload]:
        """Uploads whose latest stream began before this time, oldest first."""
        begun = self._tables.uploads.c.begin_time_ms
        expired = self._tables.select().where(begun < before_ms).order_by(begun).limit(limit)
        async with self._database.read() as connection:
            return [_upload(row) for row in await connection.execute(expired)]

    async def unfinished_uploads(self) -> Sequence[Upload]:
        """All that are not whole."""
        unfinished = self._tables.select().where(self._tables.uploads.c.complete.is_(False))
        async with self._database.read() as connection:
            return [_upload(row) for row in await connection.execute(unfinished)]

    async def _find(self, connection: AsyncConnection, owner_id: str, upload_id: str) -> Upload | None:
        wanted = (self._tables.owner_id == owner_id) & (self._tables.uploads.c.upload_id == upload_id)
        row = (await connection.execute(self._tables.select().where(wanted))).one_or_none()
        return None if row is None else _upload(row)


def _upload(row: Row[*tuple[object, ...]]) -> Upload:
    return Upload(
        upload_id=row.upload_id,
        owner_id=row.owner_id,
        path=row.path,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        begin_time_ms=row.begin_time_ms,
        complete=row.complete,
    )

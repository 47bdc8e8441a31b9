"""Uploads under way or done lately. The bytes are not here; see core's ByteStore."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import Upload
from trackwire_server.core.uploads import check_same_header
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.heads import lock_run
from trackwire_server.stores.sql.tables import runs, uploads

_UPLOADS = select(
    uploads.c.upload_id,
    runs.c.run_id,
    uploads.c.path,
    uploads.c.size_bytes,
    uploads.c.sha256,
    uploads.c.begin_time_ms,
    uploads.c.complete,
).join(runs, runs.c.run_no == uploads.c.run_no)


class SqlUploads:
    """An UploadStore in SQL."""

    def __init__(self, database: Database):
        self._database = database

    async def begin_upload(self, upload: Upload) -> Upload:
        """Stores an upload, or gives the one with this id."""
        async with self._database.write() as connection:
            run = await lock_run(connection, upload.run_id)
            known = await _find(connection, upload.run_id, upload.upload_id)
            if known is not None:
                check_same_header(known, upload)
                mine = (uploads.c.run_no == run.run_no) & (uploads.c.upload_id == upload.upload_id)
                await connection.execute(update(uploads).where(mine).values(begin_time_ms=upload.begin_time_ms))
                return replace(known, begin_time_ms=upload.begin_time_ms)
            await connection.execute(
                insert(uploads).values(
                    run_no=run.run_no,
                    upload_id=upload.upload_id,
                    path=upload.path,
                    size_bytes=upload.size_bytes,
                    sha256=upload.sha256,
                    complete=False,
                    begin_time_ms=upload.begin_time_ms,
                )
            )
            return upload

    async def get_upload(self, run_id: str, upload_id: str) -> Upload | None:
        """The upload, or None."""
        async with self._database.read() as connection:
            return await _find(connection, run_id, upload_id)

    async def complete_upload(self, run_id: str, upload_id: str, *, sha256: bytes) -> None:
        """Notes that the file is whole and visible."""
        async with self._database.write() as connection:
            completed = update(uploads).where(_one(run_id, upload_id)).values(sha256=sha256, complete=True)
            await connection.execute(completed)

    async def discard_upload(self, run_id: str, upload_id: str) -> None:
        """Forgets an upload."""
        async with self._database.write() as connection:
            await connection.execute(delete(uploads).where(_one(run_id, upload_id)))

    async def expired_uploads(self, *, before_ms: int, limit: int) -> Sequence[Upload]:
        """Uploads whose latest stream began before this time, oldest first."""
        expired = _UPLOADS.where(uploads.c.begin_time_ms < before_ms).order_by(uploads.c.begin_time_ms).limit(limit)
        async with self._database.read() as connection:
            return [_upload(row) for row in await connection.execute(expired)]


async def _find(connection: AsyncConnection, run_id: str, upload_id: str) -> Upload | None:
    found = await connection.execute(_UPLOADS.where(runs.c.run_id == run_id, uploads.c.upload_id == upload_id))
    row = found.one_or_none()
    return None if row is None else _upload(row)


def _one(run_id: str, upload_id: str) -> ColumnElement[bool]:
    run_no = select(runs.c.run_no).where(runs.c.run_id == run_id).scalar_subquery()
    return (uploads.c.run_no == run_no) & (uploads.c.upload_id == upload_id)


def _upload(row: Row[*tuple[object, ...]]) -> Upload:
    return Upload(
        upload_id=row.upload_id,
        run_id=row.run_id,
        path=row.path,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        begin_time_ms=row.begin_time_ms,
        complete=row.complete,
    )

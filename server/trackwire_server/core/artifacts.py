"""The rules of artifacts: what may be stored where, and how an upload comes to its end.

An upload, by its id, over any number of streams:

                header, offset = what arrived                      whole, SHA-256 agrees
    (unknown) ──────────────────────────────> partial ────────────────────────────────────> complete
        ^                                      │   ^ │                                       │   ^ │ same header again:
        │  too many bytes, another SHA-256,    │   └─┘ stream cut, disk full:                │   └─┘ answered as done
        └──── a day without a new stream ──────┴────── resumed by offset ──── after a day ───┘

A stream without a header, whose size and checksum nobody tells, is whole at its end, and forgotten if it is cut.
What each stream is held to is in upload_streams.py, how bytes go out again in downloads.py.
"""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace

from trackwire_server.core.artifact_owners import ArtifactOwners
from trackwire_server.core.artifact_paths import ArtifactHome, check_artifact_path
from trackwire_server.core.artifact_places import ArtifactFolder, ByteStores
from trackwire_server.core.byte_stores import ByteUrls, FileUrl, OpenFile, PartialFile, PresignedUrl
from trackwire_server.core.checks import check_page_size
from trackwire_server.core.clock import Clock, NewId, random_id
from trackwire_server.core.downloads import DownloadPart, DownloadRange, check_range, parts_of
from trackwire_server.core.entities import Artifact, Upload
from trackwire_server.core.errors import Aborted, ChecksumMismatch, FailedPrecondition, InvalidArgument, NotFound
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.paging import decode_token, encode_token, fingerprint
from trackwire_server.core.part_uploads import PartUploads
from trackwire_server.core.stores import UploadStore
from trackwire_server.core.uninterrupted import uninterrupted
from trackwire_server.core.upload_streams import (
    UploadFinish,
    UploadHeader,
    append_all,
    check_header,
    check_same_bytes,
    check_upload_id,
    describe_upload,
    receive,
    upload_of,
)
from trackwire_server.core.uploads import TooManyBytes

EXPIRED_UPLOADS_PER_CALL = 1_000


@dataclass(frozen=True, slots=True)
class ArtifactPage:
    """One page of a folder of an owner."""

    root_uri: str
    artifacts: Sequence[Artifact]
    next_page_token: str


@dataclass(frozen=True, slots=True)
class UploadStatus:
    """How much of an upload has arrived."""

    received_bytes: int
    complete: bool


@dataclass(frozen=True, slots=True)
class UploadUrl:
    """A URL to upload to, and when it ends to work; sooner if the server's own credentials do."""

    presigned: PresignedUrl
    expiry_time_ms: int


@dataclass(frozen=True, slots=True)
class DownloadUrl:
    """The same to download from."""

    file: FileUrl
    expiry_time_ms: int


class Artifacts:
    """Files of owners of one kind, runs or logged models, and their uploads."""

    def __init__(
        self, owners: ArtifactOwners, uploads: UploadStore, stores: ByteStores, clock: Clock, new_id: NewId = random_id
    ):
        self._owners = owners
        self._uploads = uploads
        self._stores = stores
        self._clock = clock
        self._new_id = new_id
        self.in_parts = PartUploads(owners, uploads, stores, clock)

    async def root_uri(self, owner_id: str) -> str:
        """Where an owner keeps its artifacts."""
        return (await self._home(owner_id)).uri

    async def list_artifacts(
        self, owner_id: str, path: str, *, page_size: int = 0, page_token: str = ""
    ) -> ArtifactPage:
        """A folder's entries by path; none where there is no folder."""
        if path:
            check_artifact_path("path", path)
        limit = check_page_size(page_size, default=LIMITS.page_size_default, maximum=LIMITS.artifacts_page_size)
        query = fingerprint("artifacts", self._owners.kind, owner_id, path)
        after = _name_in(decode_token(query, page_token))
        home = await self._home(owner_id)
        async with self._stores.opened(home) as folder:
            entries = await folder.store.list_folder(folder.of(path), after=after, limit=limit + 1)
        shown = entries[:limit]
        more = (shown[-1].path,) if len(entries) > limit else None
        return ArtifactPage(
            home.uri,
            [replace(entry, path=_join(path, entry.path)) for entry in shown],
            encode_token(query, more),
        )

    async def upload(self, header: UploadHeader, parts: AsyncIterator[bytes | UploadFinish]) -> Artifact:
        """Stores a file, or goes on storing it. Without an answer, what has arrived is kept."""
        check_header(header)
        home = await self._owners.find(header.owner_id, f"header.{self._owners.field}", to_write=True)
        async with self._stores.opened(home) as folder:
            upload = await self._uploads.begin_upload(upload_of(header, self._clock()))
            if upload.complete:
                await check_same_bytes(upload, parts)
                return await describe_upload(upload, folder)
            artifact = await self._store(header, parts, folder)
        return replace(artifact, path=header.path)

    async def store(self, owner_id: str, path: str, data: AsyncIterable[bytes]) -> Artifact:
        """Stores a file whose size and checksum nobody tells beforehand; nothing is kept of one that breaks off."""
        check_artifact_path("path", path)
        home = await self._home(owner_id, to_write=True)
        async with self._stores.opened(home) as folder:
            # Noted as others are, so that what a crash leaves of it is found and dropped.
            upload = await self._uploads.begin_upload(Upload(self._new_id(), owner_id, path, 0, self._clock()))
            try:
                artifact = await self._store_all(data, folder, upload)
            except BaseException:
                # Where it is still being sent on, it is dropped when it has expired.
                with suppress(Aborted):
                    await self._discard(owner_id, upload.upload_id, folder)
                raise
        await self._uploads.discard_upload(owner_id, upload.upload_id)
        return replace(artifact, path=path)

    async def _store_all(self, data: AsyncIterable[bytes], folder: ArtifactFolder, upload: Upload) -> Artifact:
        name = self._owners.partial_id(upload.owner_id, upload.upload_id)
        partial = await folder.store.open_partial(name, folder.of(upload.path))
        try:
            await append_all(data, partial)
            return await partial.publish()
        finally:
            await partial.close()

    async def _store(
        self, header: UploadHeader, parts: AsyncIterator[bytes | UploadFinish], folder: ArtifactFolder
    ) -> Artifact:
        name = self._owners.partial_id(header.owner_id, header.upload_id)
        partial = await folder.store.open_partial(name, folder.of(header.path))
        try:
            sha256 = await receive(header, parts, partial)
            # A client that goes away meanwhile would send all of it again.
            return await uninterrupted(self._publish(header, partial, sha256))
        except (ChecksumMismatch, TooManyBytes):
            await partial.close()
            await self._discard(header.owner_id, header.upload_id, folder)
            raise
        finally:
            await partial.close()

    async def _publish(self, header: UploadHeader, partial: PartialFile, sha256: bytes) -> Artifact:
        artifact = await partial.publish()
        await self._uploads.complete_upload(header.owner_id, header.upload_id, sha256=sha256)
        return artifact

    async def get_upload_status(self, owner_id: str, upload_id: str) -> UploadStatus:
        """How much of an upload has arrived; nothing of an unknown one."""
        check_upload_id("upload_id", upload_id)
        home = await self._home(owner_id)
        upload = await self._uploads.get_upload(owner_id, upload_id)
        if upload is None:
            return UploadStatus(0, False)
        if upload.complete:
            return UploadStatus(upload.size_bytes, True)
        async with self._stores.opened(home) as folder:
            return UploadStatus(await folder.store.partial_size(self._owners.partial_id(owner_id, upload_id)), False)

    async def download(self, owner_id: str, path: str, wanted: DownloadRange) -> AsyncGenerator[DownloadPart, None]:
        """A file's bytes, or a range of them; at least one part."""
        check_artifact_path("path", path)
        check_range(wanted)
        async with self.opened(owner_id, path) as file, aclosing(parts_of(file, path, wanted)) as parts:
            async for part in parts:
                yield part

    @asynccontextmanager
    async def opened(self, owner_id: str, path: str) -> AsyncGenerator[OpenFile, None]:
        """A file, to be read from until the block ends. Raises NotFound."""
        check_artifact_path("path", path)
        home = await self._home(owner_id)
        async with self._stores.opened(home) as folder:
            try:
                file = await folder.store.open_file(folder.of(path))
            except NotFound as error:
                raise self._no_such_file(owner_id, path) from error
            try:
                yield file
            finally:
                await file.close()

    async def delete_artifact(self, owner_id: str, path: str) -> int:
        """Deletes a file, or a folder with all in it; the bytes freed."""
        check_artifact_path("path", path)
        home = await self._home(owner_id, to_write=True)
        async with self._stores.opened(home) as folder:
            try:
                return await folder.store.delete(folder.of(path))
            except NotFound as error:
                hint = f"{self._owners.kind} {owner_id} has no such file or folder"
                raise NotFound("artifact", path, field="path", hint=hint) from error

    async def create_upload_url(self, owner_id: str, path: str) -> UploadUrl:
        """A URL to PUT a file to. Raises FailedPrecondition where the store has none."""
        check_artifact_path("path", path)
        async with self._stores.opened(await self._home(owner_id, to_write=True)) as folder:
            urls = _urls_of(folder, instead="UploadArtifact")
            presigned = await urls.create_upload_url(folder.of(path), expiry_seconds=LIMITS.url_expiry_seconds)
        return UploadUrl(presigned, self._url_expiry_ms())

    async def create_download_url(self, owner_id: str, path: str) -> DownloadUrl:
        """A URL to GET a file from. Raises FailedPrecondition where the store has none."""
        check_artifact_path("path", path)
        async with self._stores.opened(await self._home(owner_id)) as folder:
            urls = _urls_of(folder, instead="DownloadArtifact")
            try:
                file = await urls.create_download_url(folder.of(path), expiry_seconds=LIMITS.url_expiry_seconds)
            except NotFound as error:
                raise self._no_such_file(owner_id, path) from error
        return DownloadUrl(file, self._url_expiry_ms())

    def _url_expiry_ms(self) -> int:
        return self._clock() + LIMITS.url_expiry_seconds * 1_000

    def _no_such_file(self, owner_id: str, path: str) -> NotFound:
        hint = f"{self._owners.kind} {owner_id} has no such file"
        return NotFound("artifact", path, field="path", hint=hint)

    async def discard_expired(self) -> int:
        """Drops uploads without a new stream for a day, and forgets those completed; how many. For now and then."""
        before_ms = self._clock() - LIMITS.upload_expiry_seconds * 1_000
        discarded = 0
        for upload in await self._uploads.expired_uploads(before_ms=before_ms, limit=EXPIRED_UPLOADS_PER_CALL):
            try:
                await self._forget(upload)
            except (Aborted, FailedPrecondition, NotFound):
                # A stream longer than a day is still under way, or the server can't go there any more, or it went.
                continue
            discarded += 1
        return discarded

    async def _forget(self, upload: Upload) -> None:
        if upload.complete:
            await self._uploads.discard_upload(upload.owner_id, upload.upload_id)
            return
        async with self._stores.opened(await self._home(upload.owner_id)) as folder:
            await self._discard(upload.owner_id, upload.upload_id, folder)

    async def _discard(self, owner_id: str, upload_id: str, folder: ArtifactFolder) -> None:
        # The bytes first: a row without bytes is found again, bytes without a row never.
        await folder.store.discard_partial(self._owners.partial_id(owner_id, upload_id))
        await self._uploads.discard_upload(owner_id, upload_id)

    async def _home(self, owner_id: str, *, to_write: bool = False) -> ArtifactHome:
        return await self._owners.find(owner_id, self._owners.field, to_write=to_write)


def _name_in(position: Sequence[object] | None) -> str:
    match position:
        case None:
            return ""
        case (str(name),):
            return name
    raise InvalidArgument("page_token", position, "is not a token of a listing", reason="BAD_PAGE_TOKEN")


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name


def _urls_of(folder: ArtifactFolder, *, instead: str) -> ByteUrls:
    if isinstance(folder.store, ByteUrls):
        return folder.store
    raise FailedPrecondition(
        f"this server's artifact store has no URLs to reach it directly: use {instead}",
        reason="PRESIGNED_URLS_UNSUPPORTED",
        metadata={"instead": instead},
    )

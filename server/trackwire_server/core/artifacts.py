"""The rules of artifacts: what may be stored where, and how an upload comes to its end.

An upload, by its id, over any number of streams:

                header, offset = what arrived                      whole, SHA-256 agrees
    (unknown) ──────────────────────────────> partial ────────────────────────────────────> complete
        ^                                      │   ^ │                                       │   ^ │ same header again:
        │  too many bytes, another SHA-256,    │   └─┘ stream cut, disk full:                │   └─┘ answered as done
        └──── a day without a new stream ──────┴────── resumed by offset ──── after a day ───┘

A stream without a header, whose size and checksum nobody tells, is whole at its end, and forgotten if it is cut.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import NoReturn

from trackwire_server.core.artifact_owners import ArtifactOwners
from trackwire_server.core.artifact_paths import ArtifactHome, check_artifact_path
from trackwire_server.core.artifact_places import ArtifactFolder, ByteStores
from trackwire_server.core.checks import INT64_MAX, check_page_size, check_required
from trackwire_server.core.clock import Clock, NewId, random_id
from trackwire_server.core.entities import Artifact, Upload
from trackwire_server.core.errors import (
    Aborted,
    ChecksumMismatch,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    OutOfRange,
)
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.paging import decode_token, encode_token, fingerprint
from trackwire_server.core.stores import OpenFile, PartialFile, UploadStore
from trackwire_server.core.uploads import IncompleteUpload, TooManyBytes, UploadDiffers

DOWNLOAD_PART_BYTES = 1024 * 1024
EXPIRED_UPLOADS_PER_CALL = 1_000
SHA256_BYTES = 32
_UPLOAD_ID = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class ArtifactPage:
    """One page of a folder of an owner."""

    root_uri: str
    artifacts: Sequence[Artifact]
    next_page_token: str


@dataclass(frozen=True, slots=True)
class UploadHeader:
    """What an upload announces; see UploadHeader in protos/trackwire/v1/artifacts.proto."""

    upload_id: str
    owner_id: str
    path: str
    size_bytes: int
    offset: int


@dataclass(frozen=True, slots=True)
class UploadFinish:
    """The end of an upload: the checksum of the whole file."""

    sha256: bytes


@dataclass(frozen=True, slots=True)
class UploadStatus:
    """How much of an upload has arrived."""

    received_bytes: int
    complete: bool


@dataclass(frozen=True, slots=True)
class DownloadRange:
    """Which bytes are wanted; `length` 0 means all that follow, `version` that of an earlier download or empty."""

    offset: int = 0
    length: int = 0
    version: str = ""


@dataclass(frozen=True, slots=True)
class DownloadPart:
    """Some bytes of a file; the first part also tells of the whole."""

    data: bytes
    size_bytes: int = 0
    version: str = ""


class Artifacts:
    """Files of owners of one kind, runs or logged models, and their uploads."""

    def __init__(
        self,
        owners: ArtifactOwners,
        uploads: UploadStore,
        stores: ByteStores,
        clock: Clock,
        new_id: NewId = random_id,
    ):
        self._owners = owners
        self._uploads = uploads
        self._stores = stores
        self._clock = clock
        self._new_id = new_id

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
        _check_header(header)
        home = await self._owners.find(header.owner_id, f"header.{self._owners.field}", to_write=True)
        async with self._stores.opened(home) as folder:
            upload = await self._uploads.begin_upload(_upload_of(header, self._clock()))
            if upload.complete:
                await _check_same_bytes(upload, parts)
                return await _describe(upload, folder)
            artifact, sha256 = await self._store(header, parts, folder)
        await self._uploads.complete_upload(header.owner_id, header.upload_id, sha256=sha256)
        return replace(artifact, path=header.path)

    async def store(self, owner_id: str, path: str, data: AsyncIterable[bytes]) -> Artifact:
        """Stores a file whose size and checksum nobody tells beforehand; nothing is kept of one that breaks off."""
        check_artifact_path("path", path)
        home = await self._home(owner_id, to_write=True)
        async with self._stores.opened(home) as folder:
            # Noted as others are, so that what a crash leaves of it is found and dropped.
            upload = await self._uploads.begin_upload(Upload(self._new_id(), owner_id, path, 0, self._clock()))
            name = self._owners.partial_id(owner_id, upload.upload_id)
            try:
                artifact = await _store_all(data, await folder.store.open_partial(name, folder.of(path)))
            except BaseException:
                await self._discard(owner_id, upload.upload_id, folder)
                raise
        await self._uploads.discard_upload(owner_id, upload.upload_id)
        return replace(artifact, path=path)

    async def _store(
        self, header: UploadHeader, parts: AsyncIterator[bytes | UploadFinish], folder: ArtifactFolder
    ) -> tuple[Artifact, bytes]:
        name = self._owners.partial_id(header.owner_id, header.upload_id)
        partial = await folder.store.open_partial(name, folder.of(header.path))
        try:
            sha256 = await _receive(header, parts, partial)
            return await partial.publish(), sha256
        except (ChecksumMismatch, TooManyBytes):
            await partial.close()
            await self._discard(header.owner_id, header.upload_id, folder)
            raise
        finally:
            await partial.close()

    async def get_upload_status(self, owner_id: str, upload_id: str) -> UploadStatus:
        """How much of an upload has arrived; nothing of an unknown one."""
        _check_upload_id("upload_id", upload_id)
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
        _check_not_negative("offset", wanted.offset)
        _check_not_negative("length", wanted.length)
        async with self.opened(owner_id, path) as file, aclosing(_parts(file, path, wanted)) as parts:
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
                hint = f"{self._owners.kind} {owner_id} has no such file"
                raise NotFound("artifact", path, field="path", hint=hint) from error
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

    async def create_upload_url(self, owner_id: str, path: str) -> NoReturn:
        """Raises FailedPrecondition: none of the server's stores has URLs."""
        check_artifact_path("path", path)
        async with self._stores.opened(await self._home(owner_id, to_write=True)):
            raise _presigned_urls_unsupported("UploadArtifact")

    async def create_download_url(self, owner_id: str, path: str) -> NoReturn:
        """Raises FailedPrecondition: none of the server's stores has URLs."""
        check_artifact_path("path", path)
        async with self._stores.opened(await self._home(owner_id)):
            raise _presigned_urls_unsupported("DownloadArtifact")

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


async def _describe(upload: Upload, folder: ArtifactFolder) -> Artifact:
    """A file uploaded earlier. That it has been deleted since does not undo the upload."""
    try:
        return replace(await folder.store.get_file(folder.of(upload.path)), path=upload.path)
    except NotFound:
        return Artifact(upload.path, False, upload.size_bytes, upload.begin_time_ms)


async def _receive(header: UploadHeader, parts: AsyncIterator[bytes | UploadFinish], partial: PartialFile) -> bytes:
    """Appends what comes until the stream ends; the checksum, which agrees."""
    arrived = partial.size_bytes
    if header.offset != arrived:
        raise OutOfRange(
            f"header.offset: {header.offset}: {arrived} bytes have arrived: go on there",
            reason="OFFSET_MISMATCH",
            metadata={"field": "header.offset", "value": header.offset, "offset": arrived},
        )
    finish: UploadFinish | None = None
    async for part in parts:
        if isinstance(part, UploadFinish):
            finish = part
            continue
        arrived += len(part)
        if arrived > header.size_bytes:
            raise TooManyBytes(arrived, header.size_bytes)
        await partial.append(part)
    if arrived < header.size_bytes or finish is None:
        raise IncompleteUpload(arrived, header.size_bytes)
    _check_sha256(finish)
    received = await partial.sha256()
    if received != finish.sha256:
        raise ChecksumMismatch(header.path, announced=finish.sha256.hex(), received=received.hex())
    return received


async def _store_all(data: AsyncIterable[bytes], partial: PartialFile) -> Artifact:
    try:
        await _append_all(data, partial)
        return await partial.publish()
    finally:
        await partial.close()


async def _append_all(data: AsyncIterable[bytes], partial: PartialFile) -> None:
    async for part in data:
        await partial.append(part)
        if partial.size_bytes > LIMITS.artifact_bytes:
            raise InvalidArgument(
                "data",
                f"{partial.size_bytes} bytes",
                f"at most {LIMITS.artifact_bytes:,} bytes are allowed in one file",
                reason="TOO_MANY_BYTES",
                limit=LIMITS.artifact_bytes,
            )


async def _check_same_bytes(upload: Upload, parts: AsyncIterator[bytes | UploadFinish]) -> None:
    """Whether a stream is that of an upload which is complete; what it brings is not stored again."""
    async for part in parts:
        if isinstance(part, UploadFinish):
            _check_sha256(part)
            if part.sha256 != upload.sha256:
                raise UploadDiffers(upload.upload_id, "checksum")


async def _parts(file: OpenFile, path: str, wanted: DownloadRange) -> AsyncGenerator[DownloadPart, None]:
    if wanted.version and wanted.version != file.version:
        raise Aborted(
            f"version: {wanted.version!r}: {path!r} has been replaced since: download it from the start",
            reason="ARTIFACT_CHANGED",
            metadata={"field": "version", "value": wanted.version, "version": file.version},
        )
    if wanted.offset > file.size_bytes:
        raise OutOfRange(
            f"offset: {wanted.offset}: {path!r} has {file.size_bytes} bytes",
            reason="OFFSET_PAST_END",
            metadata={"field": "offset", "value": wanted.offset, "limit": file.size_bytes},
        )
    end = min(file.size_bytes, wanted.offset + wanted.length) if wanted.length else file.size_bytes
    size_bytes, version = file.size_bytes, file.version
    async with aclosing(read_ahead(file, wanted.offset, end)) as parts:
        async for data in parts:
            yield DownloadPart(data, size_bytes, version)
            size_bytes, version = 0, ""


async def read_ahead(file: OpenFile, position: int, end: int) -> AsyncGenerator[bytes, None]:
    """The bytes up to an end, in at least one part; the next one is read while its predecessor is sent."""

    def start_reading() -> "asyncio.Task[bytes]":
        length = min(DOWNLOAD_PART_BYTES, end - position)
        return asyncio.create_task(file.read(offset=position, length=length))

    reading = start_reading()
    try:
        while True:
            data = await reading
            position += len(data)
            if position >= end:
                break
            reading = start_reading()
            yield data
        yield data
    finally:
        reading.cancel()
        await asyncio.wait([reading])


def _check_header(header: UploadHeader) -> None:
    _check_upload_id("header.upload_id", header.upload_id)
    check_artifact_path("header.path", header.path)
    if not 0 <= header.size_bytes <= LIMITS.artifact_bytes:
        raise InvalidArgument(
            "header.size_bytes",
            header.size_bytes,
            f"must be from 0 to {LIMITS.artifact_bytes:,}",
            limit=LIMITS.artifact_bytes,
        )
    _check_not_negative("header.offset", header.offset)


def _check_sha256(finish: UploadFinish) -> None:
    if len(finish.sha256) != SHA256_BYTES:
        raise InvalidArgument(
            "finish.sha256",
            finish.sha256,
            f"must have {SHA256_BYTES} bytes, not {len(finish.sha256)}",
            limit=SHA256_BYTES,
        )


def _check_upload_id(field: str, upload_id: str) -> None:
    check_required(field, upload_id, LIMITS.upload_id_characters)
    if not _UPLOAD_ID.fullmatch(upload_id):
        raise InvalidArgument(field, upload_id, 'may only have letters, digits, "_" and "-"')


def _check_not_negative(field: str, value: int) -> None:
    if not 0 <= value <= INT64_MAX:
        raise InvalidArgument(field, value, "must be 0 or more", limit=0)


def _name_in(position: Sequence[object] | None) -> str:
    match position:
        case None:
            return ""
        case (str(name),):
            return name
    raise InvalidArgument("page_token", position, "is not a token of a listing", reason="BAD_PAGE_TOKEN")


def _upload_of(header: UploadHeader, now_ms: int) -> Upload:
    return Upload(header.upload_id, header.owner_id, header.path, header.size_bytes, now_ms)


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name


def _presigned_urls_unsupported(instead: str) -> FailedPrecondition:
    return FailedPrecondition(
        f"this server's artifact store has no URLs to reach it directly: use {instead}",
        reason="PRESIGNED_URLS_UNSUPPORTED",
        metadata={"instead": instead},
    )

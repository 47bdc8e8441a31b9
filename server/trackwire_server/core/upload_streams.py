"""One stream of an upload: what it announces, what it brings, and whether that is what was announced."""

import re
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, replace

from trackwire_server.core.artifact_paths import check_artifact_path
from trackwire_server.core.artifact_places import ArtifactFolder
from trackwire_server.core.byte_stores import PartialFile
from trackwire_server.core.checks import check_not_negative, check_required
from trackwire_server.core.entities import Artifact, Upload
from trackwire_server.core.errors import ChecksumMismatch, InvalidArgument, NotFound, OutOfRange
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.uploads import IncompleteUpload, TooManyBytes, UploadDiffers

SHA256_BYTES = 32
_UPLOAD_ID = re.compile(r"[A-Za-z0-9_-]+")


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


def check_header(header: UploadHeader) -> None:
    """Whether an upload may be announced so. Raises InvalidArgument."""
    check_upload_id("header.upload_id", header.upload_id)
    check_artifact_path("header.path", header.path)
    if not 0 <= header.size_bytes <= LIMITS.artifact_bytes:
        raise InvalidArgument(
            "header.size_bytes",
            header.size_bytes,
            f"must be from 0 to {LIMITS.artifact_bytes:,}",
            limit=LIMITS.artifact_bytes,
        )
    check_not_negative("header.offset", header.offset)


def check_upload_id(field: str, upload_id: str) -> None:
    """Whether this can be the id of an upload. Raises InvalidArgument."""
    check_required(field, upload_id, LIMITS.upload_id_characters)
    if not _UPLOAD_ID.fullmatch(upload_id):
        raise InvalidArgument(field, upload_id, 'may only have letters, digits, "_" and "-"')


async def receive(header: UploadHeader, parts: AsyncIterator[bytes | UploadFinish], partial: PartialFile) -> bytes:
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
    check_sha256("finish.sha256", finish.sha256)
    received = await partial.sha256()
    if received != finish.sha256:
        raise ChecksumMismatch(header.path, announced=finish.sha256.hex(), received=received.hex())
    return received


async def append_all(data: AsyncIterable[bytes], partial: PartialFile) -> None:
    """Appends what comes, as many bytes as a file may have. Raises InvalidArgument."""
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


async def check_same_bytes(upload: Upload, parts: AsyncIterator[bytes | UploadFinish]) -> None:
    """Whether a stream is that of an upload which is complete; what it brings is not stored again."""
    async for part in parts:
        if isinstance(part, UploadFinish):
            check_sha256("finish.sha256", part.sha256)
            if part.sha256 != upload.sha256:
                raise UploadDiffers(upload.upload_id, "checksum")


def check_sha256(field: str, sha256: bytes) -> None:
    """Whether this can be a SHA-256. Raises InvalidArgument."""
    if len(sha256) != SHA256_BYTES:
        raise InvalidArgument(field, sha256, f"must have {SHA256_BYTES} bytes, not {len(sha256)}", limit=SHA256_BYTES)


def upload_of(header: UploadHeader, now_ms: int) -> Upload:
    """An upload that begins now, as its header announces it."""
    return Upload(header.upload_id, header.owner_id, header.path, header.size_bytes, now_ms)


async def describe_upload(upload: Upload, folder: ArtifactFolder) -> Artifact:
    """A file uploaded earlier. That it has been deleted since does not undo the upload."""
    try:
        return replace(await folder.store.get_file(folder.of(upload.path)), path=upload.path)
    except NotFound:
        return Artifact(upload.path, False, upload.size_bytes, upload.begin_time_ms)

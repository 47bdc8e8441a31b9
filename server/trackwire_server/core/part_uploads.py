"""Uploads whose bytes go around the server, part by part: the same rows and rules as of those that come through it.

     header                    PUT, to the store            checksums
    ────────► begun, noted ◄──────────────────── URL ──────────────────► whole and visible
                   └──────────── a day after the last URL ───► dropped

Nothing is visible until the server has looked at the run and at all of the parts once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trackwire_server.core.artifact_owners import ArtifactOwners
from trackwire_server.core.artifact_places import ArtifactFolder, ByteStores
from trackwire_server.core.byte_stores import FilePart, PartUrls, PresignedUrl
from trackwire_server.core.checks import check_required
from trackwire_server.core.clock import Clock
from trackwire_server.core.entities import Artifact, Upload
from trackwire_server.core.errors import FailedPrecondition, InvalidArgument
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.stores import UploadStore
from trackwire_server.core.upload_streams import UploadHeader, check_header, check_sha256, describe_upload, upload_of
from trackwire_server.core.uploads import PartsGone, UploadDiffers


@dataclass(frozen=True, slots=True)
class PartUrl:
    """A URL for a part, None where the file is there already, and what the parts gather under."""

    presigned: PresignedUrl | None
    expiry_time_ms: int
    parts_id: str


class PartUploads:
    """Of owners of one kind, runs or logged models."""

    def __init__(self, owners: ArtifactOwners, uploads: UploadStore, stores: ByteStores, clock: Clock):
        self._owners = owners
        self._uploads = uploads
        self._stores = stores
        self._clock = clock

    async def create_url(self, header: UploadHeader, part: FilePart, parts_id: str) -> PartUrl:
        """A URL for a part. Raises FailedPrecondition where the store has none."""
        check_header(header)
        _check_part(header, part)
        home = await self._owners.find(header.owner_id, f"header.{self._owners.field}", to_write=True)
        async with self._stores.opened(home) as folder:
            store = _part_urls_of(folder)
            upload = await self._uploads.begin_upload(upload_of(header, self._clock()))
            expiry_time_ms = self._clock() + LIMITS.url_expiry_seconds * 1_000
            if upload.complete:
                return PartUrl(None, expiry_time_ms, parts_id)
            path = folder.of(header.path)
            parts_id = parts_id or await store.begin_parts(self._name(header), path)
            url = await store.create_part_url(path, parts_id, part, expiry_seconds=LIMITS.url_expiry_seconds)
        return PartUrl(url, expiry_time_ms, parts_id)

    async def complete(self, header: UploadHeader, parts_id: str, crc32s: Sequence[int], sha256: bytes) -> Artifact:
        """Makes a file of the parts."""
        check_header(header)
        check_sha256("sha256", sha256)
        if not 1 <= len(crc32s) <= LIMITS.upload_parts:
            raise InvalidArgument("crc32s", len(crc32s), f"must be 1 to {LIMITS.upload_parts:,} checksums")
        home = await self._owners.find(header.owner_id, f"header.{self._owners.field}", to_write=True)
        upload = await self._begun(header)
        async with self._stores.opened(home) as folder:
            if upload.complete:
                if upload.sha256 != sha256:
                    raise UploadDiffers(upload.upload_id, "checksum")
                return await describe_upload(upload, folder)
            check_required("parts_id", parts_id, LIMITS.parts_id_characters)
            artifact = await _part_urls_of(folder).publish_parts(
                self._name(header), folder.of(header.path), parts_id, crc32s, size_bytes=header.size_bytes
            )
        await self._uploads.complete_upload(header.owner_id, header.upload_id, sha256=sha256)
        return replace(artifact, path=header.path)

    async def _begun(self, header: UploadHeader) -> Upload:
        """The upload, which nobody takes for one that was left from now on."""
        if await self._uploads.get_upload(header.owner_id, header.upload_id) is None:
            raise PartsGone
        return await self._uploads.begin_upload(upload_of(header, self._clock()))

    def _name(self, header: UploadHeader) -> str:
        return self._owners.partial_id(header.owner_id, header.upload_id)


def _check_part(header: UploadHeader, part: FilePart) -> None:
    if not 1 <= part.number <= LIMITS.upload_parts:
        expected = f"must be from 1 to {LIMITS.upload_parts:,}"
        raise InvalidArgument("part_number", part.number, expected, limit=LIMITS.upload_parts)
    rest = header.size_bytes - header.offset
    # Only the last one may be smaller than a store takes.
    least, largest = min(LIMITS.upload_part_bytes_min, max(rest, 1)), min(LIMITS.upload_part_bytes, rest)
    if not least <= part.size_bytes <= largest:
        expected = f"must be from {least:,} to {largest:,} at this offset"
        raise InvalidArgument("part_bytes", part.size_bytes, expected, limit=largest)


def _part_urls_of(folder: ArtifactFolder) -> PartUrls:
    if isinstance(folder.store, PartUrls):
        return folder.store
    raise FailedPrecondition(
        "this server's artifact store has no URLs to reach it directly: use UploadArtifact",
        reason="PRESIGNED_URLS_UNSUPPORTED",
        metadata={"instead": "UploadArtifact"},
    )

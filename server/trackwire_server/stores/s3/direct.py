"""Files whose parts come around the server, which signs each PUT: how their multipart uploads begin and end."""

from collections.abc import Sequence
from contextlib import suppress

from trackwire_server.core.entities import Artifact
from trackwire_server.core.errors import StoreUnavailable, TrackwireError
from trackwire_server.core.uploads import PartsGone, PartsMissing
from trackwire_server.stores.s3.bucket import ArrivedPart, Bucket, ObjectFacts, crc32_of_parts, named_part
from trackwire_server.stores.s3.errors import Absent
from trackwire_server.stores.s3.notes import PartialNotes, noted_uploads
from trackwire_server.stores.s3.partial import Target

# What S3 says where parts are not those that are named, in their checksums too.
_OTHER_PARTS = ("BadDigest", "EntityTooSmall", "InvalidPart", "InvalidPartOrder", "InvalidRequest")


async def begin_parts(bucket: Bucket, key: str, notes: PartialNotes) -> str:
    """Begins a multipart upload, and notes it; its id."""
    upload_id = await notes.begin_noted(key)
    try:
        # A right that only completing needs: better refused before the bytes are sent than after.
        await bucket.arrived_parts(key, upload_id)
    except Absent as error:
        raise PartsGone from error
    return upload_id


async def publish_parts(
    target: Target, notes: PartialNotes, upload_id: str, crc32s: Sequence[int], *, size_bytes: int
) -> Artifact:
    """Makes a file of parts, each with its checksum: the store compares what it has to what is named.

    Again, it says so once more, as far as the store tells a file's checksums.
    """
    await target.check()
    facts: ObjectFacts | None = None
    try:
        await _complete(target, notes, upload_id, crc32s, size_bytes=size_bytes)
    except PartsGone:
        facts = await target.bucket.head(target.key, with_crc32=True)
        if facts is None or (facts.size_bytes, facts.crc32) != (size_bytes, crc32_of_parts(crc32s)):
            raise
    # It is there: nothing that fails now may have its bytes sent again. Notes that stay are found as left by uploads.
    with suppress(TrackwireError):
        facts = facts or await target.bucket.head(target.key)
    with suppress(TrackwireError):
        await notes.discard()
    return Artifact(target.path, False, size_bytes, facts.modification_time_ms if facts else 0)


async def _complete(
    target: Target, notes: PartialNotes, upload_id: str, crc32s: Sequence[int], *, size_bytes: int
) -> None:
    bucket, key = target.bucket, target.key
    # Only what the same upload has begun: a client names the id.
    if (key, upload_id) not in {
        (noted.key, noted.upload_id) for noted in await noted_uploads(bucket, (await notes.left()).objects)
    }:
        raise PartsGone
    try:
        parts = await bucket.arrived_parts(key, upload_id)
        _check_parts(parts, len(crc32s), size_bytes)
        named = [named_part(part.number, part.etag, crc32) for part, crc32 in zip(parts, crc32s, strict=True)]
        await bucket.complete_multipart(key, upload_id, named)
    except Absent as error:
        raise PartsGone from error
    except StoreUnavailable as error:
        if error.metadata.get("code") not in _OTHER_PARTS:
            raise
        raise PartsMissing("other parts", f"{len(crc32s)} parts with these checksums") from error


def _check_parts(parts: Sequence[ArrivedPart], count: int, size_bytes: int) -> None:
    arrived_bytes = sum(part.size_bytes for part in parts)
    if [part.number for part in parts] != list(range(1, count + 1)) or arrived_bytes != size_bytes:
        raise PartsMissing(
            f"{len(parts)} parts with {arrived_bytes:,} bytes", f"{count} parts with {size_bytes:,} bytes"
        )

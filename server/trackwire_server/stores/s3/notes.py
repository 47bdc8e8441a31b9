"""What is noted in the bucket of an upload that is not whole, for whoever goes on with it or discards it.

<folder>/.partial/<partial id>/<random>.upload     names the multipart upload that was begun for it
<folder>/.partial/<partial id>/<random>.rest       what follows its parts and is too short to be one
<folder>/.partial/<partial id>/rest                all bytes of an upload without parts
"""

import json
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from trackwire_server.core.errors import StoreCorrupt, TrackwireError
from trackwire_server.stores.s3.bucket import Bucket, ObjectFacts

PARTIALS = ".partial"
NOTE_VERSION = 1
WHOLE_REST = "rest"
_UPLOAD, _REST = ".upload", ".rest"


@dataclass(frozen=True, slots=True)
class Left:
    """What another process, or an earlier stream, has left of an upload."""

    objects: Sequence[ObjectFacts]
    # Bytes that can be gone on behind: parts, whose bytes can't be read, are of no use to who has not hashed them.
    rest_bytes: int


class PartialNotes:
    """The notes of one upload."""

    def __init__(self, bucket: Bucket, folder: str):
        self._bucket = bucket
        self._folder = folder

    async def left(self) -> Left:
        """What is there."""
        objects = [facts async for page in self._bucket.all_below(self._folder) for facts in page]
        has_parts = any(facts.key.endswith(_UPLOAD) for facts in objects)
        rests = (facts.size_bytes for facts in objects if facts.key == self._folder + WHOLE_REST)
        return Left(objects, 0 if has_parts else next(rests, 0))

    async def note_upload(self, key: str, upload_id: str) -> None:
        """Notes a multipart upload, so that it can be aborted by whoever finds the note."""
        note = {"version": NOTE_VERSION, "key": key, "upload_id": upload_id}
        await self._bucket.put(f"{self._folder}{uuid.uuid4().hex}{_UPLOAD}", json.dumps(note).encode())

    async def begin_noted(self, key: str) -> str:
        """Begins a multipart upload, and notes it; its id."""
        upload_id = await self._bucket.begin_multipart(key)
        try:
            await self.note_upload(key, upload_id)
        except BaseException:
            # Nobody would find it.
            with suppress(TrackwireError):
                await self._bucket.abort_multipart(key, upload_id)
            raise
        return upload_id

    async def keep_rest(self, data: bytes, *, behind_parts: bool) -> str:
        """Keeps bytes that are no part; their name."""
        name = f"{uuid.uuid4().hex}{_REST}" if behind_parts else WHOLE_REST
        await self._bucket.put(self._folder + name, data)
        return name

    async def rest(self, name: str) -> bytes | None:
        """Bytes that were kept; None if they are gone."""
        return await self._bucket.read(self._folder + name)

    async def discard(self) -> None:
        """Aborts what was begun, and removes the notes; nothing is fine."""
        objects = (await self.left()).objects
        for noted in await noted_uploads(self._bucket, objects):
            await self._bucket.abort_multipart(noted.key, noted.upload_id)
        await self._bucket.delete([facts.key for facts in objects])


@dataclass(frozen=True, slots=True)
class NotedUpload:
    """A multipart upload that a note names."""

    key: str
    upload_id: str


async def noted_uploads(bucket: Bucket, objects: Sequence[ObjectFacts]) -> Sequence[NotedUpload]:
    """What those of some objects name that are notes and still there."""
    notes = [await _read_note(bucket, facts.key) for facts in objects if facts.key.endswith(_UPLOAD)]
    return [note for note in notes if note is not None]


async def _read_note(bucket: Bucket, name: str) -> NotedUpload | None:
    data = await bucket.read(name)
    if data is None:
        return None
    try:
        note = json.loads(data)
        return NotedUpload(note["key"], note["upload_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise StoreCorrupt(f"artifact store s3://{bucket.name}: {name!r} is no note of an upload") from error

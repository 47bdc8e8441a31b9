"""ByteStore in a bucket.

<folder>/<path>                       a file; PUT or the completion of a multipart upload make it visible whole, or not
<folder>/.partial/<partial id>/…      notes of an upload that is not whole yet: see notes.py

A file that is shorter than a part is a single PUT when it is published. Any other is a multipart upload to the file's
own place, of which nothing is visible before it is completed: so nothing is copied. Its parts can't be read, so that
only the process that sent them, and has hashed them, goes on behind them; another one begins such an upload anew.

S3 has no locks. Within a process one writer at a time holds an upload. Two servers that take the same one at the same
time each send all of it: whoever completes it first has its bytes there, whole and right, and aborts the other one's.
What is looked for before writing, a folder at the path or a file above it, can come between the look and the writing.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Self

from cachetools import LRUCache

from trackwire_server.core.byte_stores import FilePart, FileUrl, LeftUpload, PresignedUrl
from trackwire_server.core.entities import Artifact
from trackwire_server.core.errors import InvalidArgument, NotFound
from trackwire_server.core.uploads import ArtifactIsFolder, ArtifactNotFolder, UploadInUse
from trackwire_server.stores.s3.bucket import Bucket, ObjectFacts, opened_client
from trackwire_server.stores.s3.direct import begin_parts, publish_parts
from trackwire_server.stores.s3.errors import Absent
from trackwire_server.stores.s3.listing import entries_of
from trackwire_server.stores.s3.notes import PARTIALS, WHOLE_REST, PartialNotes
from trackwire_server.stores.s3.partial import Kept, S3Partial, Target
from trackwire_server.stores.s3.parts import PARTS_OF_ALL_UPLOADS
from trackwire_server.stores.s3.reading import S3File, version_of
from trackwire_server.stores.s3.remains import IN_OWN_STORE, remains_of
from trackwire_server.stores.s3.settings import S3Settings

KEY_BYTES_MAX = 1_024
# Uploads in parts that were cut and may go on; those that are forgotten begin anew.
KEPT_UPLOADS_MAX = 1_024


class UploadsUnderWay:
    """What a process knows of uploads; stores in several folders share it, as ids of uploads are of their owners'."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.kept: LRUCache[str, Kept] = LRUCache(KEPT_UPLOADS_MAX)
        self.turns = asyncio.Semaphore(PARTS_OF_ALL_UPLOADS)


class S3Bytes:
    """Artifact bytes below a prefix of a bucket, with URLs; "" is all of it. Several servers may share it.

    A folder is deleted a thousand files at a time, not at once; where the bucket keeps versions, only from sight.
    """

    def __init__(
        self,
        bucket: Bucket,
        folder: str,
        uploads: UploadsUnderWay,
        *,
        artifacts: re.Pattern[str] = IN_OWN_STORE,
    ):
        """`artifacts` matches the paths that owners' files may have there."""
        self._bucket = bucket
        self._folder = folder
        self._artifacts = artifacts
        self._held, self._kept, self._turns = uploads.held, uploads.kept, uploads.turns

    @classmethod
    @asynccontextmanager
    async def opened(cls, bucket: str, folder: str, settings: S3Settings) -> AsyncIterator[Self]:
        """A store that is reached, closed with the block. Raises StoreUnavailable where the bucket can't be listed."""
        async with opened_client(settings) as client:
            store = cls(Bucket(client, bucket, settings), folder, UploadsUnderWay())
            await store.list_folder("", after="", limit=1)
            yield store

    async def list_folder(self, folder: str, *, after: str, limit: int) -> Sequence[Artifact]:
        """Entries right below a folder, by name."""
        key = self._key(folder)
        hidden = () if folder else (PARTIALS,)
        return await entries_of(self._bucket, f"{key}/" if key else "", hidden=hidden, after=after, limit=limit)

    async def get_file(self, path: str) -> Artifact:
        """A file's size and time."""
        facts = await self._bucket.head(self._key(path))
        if facts is None:
            raise NotFound("artifact", path, field="path")
        return Artifact(path, False, facts.size_bytes, facts.modification_time_ms)

    async def open_file(self, path: str) -> S3File:
        """A file to read from."""
        try:
            return S3File(self._bucket, path, await self._bucket.open(self._key(path)))
        except Absent as error:
            raise NotFound("artifact", path, field="path") from error

    async def delete(self, path: str) -> int:
        """Deletes a file, or a folder with all in it, page by page."""
        key = self._key(path)
        file = await self._bucket.head(key)
        freed = -1 if file is None else await self._delete([file])
        async for objects in self._bucket.all_below(f"{key}/"):
            freed = max(freed, 0) + await self._delete(objects)
        if freed < 0:
            raise NotFound("artifact", path, field="path")
        return freed

    async def _delete(self, objects: Sequence[ObjectFacts]) -> int:
        await self._bucket.delete([facts.key for facts in objects])
        return sum(facts.size_bytes for facts in objects)

    async def open_partial(self, partial_id: str, path: str) -> S3Partial:
        """What has arrived of a file."""
        key = self._key(path)
        if partial_id in self._held:
            raise UploadInUse
        self._held.add(partial_id)
        try:
            target = Target(self._bucket, key, path, partial(self._check_target, path))
            await target.check()
            notes = self._notes(partial_id)
            kept, rest = await self._recall(partial_id, notes)
            let_go = partial(self._let_go, partial_id)
            return S3Partial(target, kept, rest, notes=notes, let_go=let_go, turns=self._turns)
        except BaseException:
            self._held.discard(partial_id)
            raise

    async def _recall(self, partial_id: str, notes: PartialNotes) -> tuple[Kept, bytes]:
        """What is known of an upload, with the bytes that follow its parts."""
        kept = self._kept.get(partial_id)
        if kept is None:
            left = await notes.left()
            kept = Kept(rest_name=WHOLE_REST, rest_bytes=left.rest_bytes, has_notes=bool(left.objects))
        rest = await notes.rest(kept.rest_name) if kept.rest_bytes else b""
        if rest is None or len(rest) != kept.rest_bytes:
            # Another server went on with it, or discarded it: nobody knows any more what follows the parts.
            return Kept(has_notes=True), b""
        return kept, rest

    def _let_go(self, partial_id: str, kept: Kept | None) -> None:
        self._held.discard(partial_id)
        # What has no parts is known to all servers by its notes.
        if kept is not None and kept.arrived.upload_id:
            self._kept[partial_id] = kept
        else:
            self._kept.pop(partial_id, None)

    async def partial_size(self, partial_id: str) -> int:
        """Bytes that have arrived and can be gone on behind; 0 if nothing has."""
        kept = self._kept.get(partial_id)
        return kept.size_bytes if kept is not None else (await self._notes(partial_id).left()).rest_bytes

    async def discard_partial(self, partial_id: str) -> None:
        """Forgets what has arrived, and aborts what was begun."""
        with self._holding(partial_id):
            await self._notes(partial_id).discard()
            self._kept.pop(partial_id, None)

    @contextmanager
    def _holding(self, partial_id: str) -> Iterator[None]:
        if partial_id in self._held:
            raise UploadInUse
        self._held.add(partial_id)
        try:
            yield
        finally:
            self._held.discard(partial_id)

    async def create_upload_url(self, path: str, *, expiry_seconds: int) -> PresignedUrl:
        """A URL for a single PUT."""
        await self._check_target(path)
        return await self._bucket.upload_url(self._key(path), expiry_seconds=expiry_seconds)

    async def create_download_url(self, path: str, *, expiry_seconds: int) -> FileUrl:
        """A URL for a GET."""
        facts = await self._bucket.head(self._key(path))
        if facts is None:
            raise NotFound("artifact", path, field="path")
        url = await self._bucket.download_url(facts.key, expiry_seconds=expiry_seconds)
        return FileUrl(url, version_of(facts.etag), facts.etag, facts.size_bytes)

    async def begin_parts(self, partial_id: str, path: str) -> str:
        """Begins a multipart upload, and notes it. Raises StoreRefuses where its parts can't be looked at."""
        await self._check_target(path)
        return await begin_parts(self._bucket, self._key(path), self._notes(partial_id))

    async def create_part_url(self, path: str, parts_id: str, part: FilePart, *, expiry_seconds: int) -> PresignedUrl:
        """A URL for the PUT of a part."""
        size_bytes, crc32 = part.size_bytes, part.crc32
        return await self._bucket.part_url(
            self._key(path), parts_id, part.number, size_bytes=size_bytes, crc32=crc32, expiry_seconds=expiry_seconds
        )

    async def publish_parts(
        self, partial_id: str, path: str, parts_id: str, crc32s: Sequence[int], *, size_bytes: int
    ) -> Artifact:
        """Completes a multipart upload."""
        with self._holding(partial_id):
            target = Target(self._bucket, self._key(path), path, partial(self._check_target, path))
            artifact = await publish_parts(target, self._notes(partial_id), parts_id, crc32s, size_bytes=size_bytes)
            self._kept.pop(partial_id, None)
        return artifact

    async def left_uploads(self, *, before_ms: int, limit: int) -> Sequence[LeftUpload]:
        """Notes and multipart uploads that nobody has written to since a time; of the latter no size is known."""
        folder = f"{self._folder}/" if self._folder else ""
        return await remains_of(self._bucket, folder, self._artifacts, before_ms=before_ms, limit=limit)

    async def discard_left(self, left: LeftUpload) -> None:
        """Removes one of them."""
        if left.partial_id:
            await self.discard_partial(left.partial_id)
        else:
            await self._bucket.abort_multipart(left.key, left.upload_id)

    def _notes(self, partial_id: str) -> PartialNotes:
        return PartialNotes(self._bucket, f"{self._below(PARTIALS)}/{partial_id}/")

    async def _check_target(self, path: str) -> None:
        """Whether a file can lie at a path. Raises FailedPrecondition."""
        folders = list(_folders_above(path))
        is_folder, *are_files = await _all([self._is_folder(path), *(self._is_file(folder) for folder in folders)])
        for folder, is_file in zip(folders, are_files, strict=True):
            if is_file:
                raise ArtifactNotFolder(folder)
        if is_folder:
            raise ArtifactIsFolder(path)

    async def _is_folder(self, path: str) -> bool:
        return bool((await self._bucket.list_page(f"{self._key(path)}/", limit=1)).objects)

    async def _is_file(self, path: str) -> bool:
        return await self._bucket.head(self._key(path)) is not None

    def _key(self, path: str) -> str:
        if path.partition("/")[0] == PARTIALS:
            raise InvalidArgument("path", path, f"{PARTIALS!r} is the artifact store's own folder")
        key = self._below(path) if path else self._folder
        if (size := len(key.encode())) > KEY_BYTES_MAX:
            expected = (
                f"makes a key of {size:,} bytes with the folders above it, at most {KEY_BYTES_MAX:,} are allowed at S3"
            )
            raise InvalidArgument("path", path, expected, reason="TOO_LONG", limit=KEY_BYTES_MAX)
        return key

    def _below(self, path: str) -> str:
        return f"{self._folder}/{path}" if self._folder else path


def _folders_above(path: str) -> Iterator[str]:
    end = path.find("/")
    while end >= 0:
        yield path[:end]
        end = path.find("/", end + 1)


async def _all(looks: Iterable[Awaitable[bool]]) -> list[bool]:
    """The answers, of all at once; the first failure, once all have ended."""
    answers = await asyncio.gather(*looks, return_exceptions=True)
    return [_answer(answer) for answer in answers]


def _answer(answer: bool | BaseException) -> bool:
    if isinstance(answer, BaseException):
        raise answer
    return answer

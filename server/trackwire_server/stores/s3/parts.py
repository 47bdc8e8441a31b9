"""The parts of a large file, which go up side by side while their bytes are hashed in order."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from trackwire_server.core.errors import StoreUnavailable
from trackwire_server.stores.s3.bucket import Bucket, UploadedPart, crc32_of
from trackwire_server.stores.s3.errors import Absent

MEBIBYTE = 1024 * 1024
PARTS_OF_ONE_UPLOAD = 3
PARTS_OF_ALL_UPLOADS = 16
# From which part on they are how large: 10,000 of them hold the 5 TiB that an object may have. Some stores want parts
# of one size, which those of a file of up to 8.4 GB have.
_PART_BYTES = ((5_000, 1_088 * MEBIBYTE), (1_000, 64 * MEBIBYTE), (0, 8 * MEBIBYTE))


def part_bytes(parts_before: int) -> int:
    """How large the part is that follows so many."""
    return next(size for since, size in _PART_BYTES if parts_before >= since)


@dataclass(slots=True)
class Arrived:
    """What a store has of an upload in parts; the hash is of these bytes, and of no others."""

    upload_id: str = ""
    parts: list[UploadedPart] = field(default_factory=list)
    size_bytes: int = 0
    hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)


@dataclass(frozen=True, slots=True)
class _Hashed:
    data: bytes
    crc32: int
    # Of all bytes up to this part's end.
    hash: "hashlib._Hash"


@dataclass(frozen=True, slots=True)
class _Sent:
    part: UploadedPart
    size_bytes: int
    hash: "hashlib._Hash"


class PartUploads:
    """Sends parts; a task for each, never cancelled, so that what the store has is known when they have ended.

    `begin` gives the upload's id, once it is noted where whoever discards it finds it. All uploads share `turns`.
    """

    def __init__(
        self,
        bucket: Bucket,
        key: str,
        *,
        arrived: Arrived,
        begin: Callable[[], Awaitable[str]],
        turns: asyncio.Semaphore,
    ):
        self._bucket = bucket
        self._key = key
        self._arrived = arrived
        self._begin = begin
        self._turns = turns
        self._hash = arrived.hash.copy()
        self._hashing: asyncio.Task[_Hashed] | None = None
        self._begin_lock = asyncio.Lock()
        self._sending: list[asyncio.Task[_Sent]] = []
        self._aborted = False

    @property
    def count(self) -> int:
        """Parts that have arrived or were handed over."""
        return len(self._arrived.parts) + len(self._sending)

    async def add(self, chunks: Sequence[bytes]) -> None:
        """Hands a part over; waits while too many are on their way. Raises what became of those before."""
        while len(under_way := [task for task in self._sending if not task.done()]) >= PARTS_OF_ONE_UPLOAD:
            await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        self.raise_failure()
        self._hashing = asyncio.create_task(self._hash_behind(self._hashing, chunks))
        self._sending.append(asyncio.create_task(self._send(self.count + 1, self._hashing)))

    def raise_failure(self) -> None:
        """Raises what became of a part that did not arrive, as far as that is known."""
        for task in self._sending:
            if task.done():
                task.result()

    async def settled(self) -> Arrived:
        """What has arrived without a gap, once no part is on its way."""
        if self._sending:
            await asyncio.wait(self._sending)
        while self._sending and self._sending[0].exception() is None:
            sent = self._sending.pop(0).result()
            self._arrived.parts.append(sent.part)
            self._arrived.size_bytes += sent.size_bytes
            self._arrived.hash = sent.hash
        for task in self._sending:
            # To ask for a failure is to say that it is known.
            task.exception()
        return Arrived() if self._aborted else self._arrived

    async def complete(self) -> None:
        """Makes what has arrived visible."""
        try:
            await self._bucket.complete_multipart(self._key, self._arrived.upload_id, self._arrived.parts)
        except Absent as error:
            self._aborted = True
            raise _upload_aborted(self._bucket.name) from error

    async def digest(self, rest: Sequence[bytes]) -> bytes:
        """The SHA-256 of all parts, and of what follows them."""
        if self._hashing is not None:
            await asyncio.wait([self._hashing])
        return await asyncio.to_thread(_digest, self._hash.copy(), list(rest))

    async def _hash_behind(self, before: "asyncio.Task[_Hashed] | None", chunks: Sequence[bytes]) -> _Hashed:
        if before is not None:
            await asyncio.wait([before])
        return await asyncio.to_thread(_hashed, self._hash, chunks)

    async def _send(self, number: int, hashing: "asyncio.Task[_Hashed]") -> _Sent:
        hashed = await hashing
        async with self._turns:
            async with self._begin_lock:
                if not self._arrived.upload_id:
                    self._arrived.upload_id = await self._begin()
            upload_id = self._arrived.upload_id
            try:
                part = await self._bucket.put_part(self._key, upload_id, number, hashed.data, hashed.crc32)
            except Absent as error:
                self._aborted = True
                raise _upload_aborted(self._bucket.name) from error
        return _Sent(part, len(hashed.data), hashed.hash)


def _upload_aborted(bucket: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"artifact store s3://{bucket}: the multipart upload was aborted by somebody else, or by a lifecycle rule of"
        " the bucket: send the file again"
    )


def _hashed(whole: "hashlib._Hash", chunks: Sequence[bytes]) -> _Hashed:
    data = b"".join(chunks)
    whole.update(data)
    return _Hashed(data, crc32_of(data), whole.copy())


def _digest(whole: "hashlib._Hash", rest: Sequence[bytes]) -> bytes:
    for data in rest:
        whole.update(data)
    return whole.digest()

"""An upload's bytes while they arrive: of a small file all in memory, of a larger one as parts that go to its place."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from trackwire_server.core.entities import Artifact
from trackwire_server.core.errors import TrackwireError
from trackwire_server.stores.s3.bucket import Bucket
from trackwire_server.stores.s3.notes import PartialNotes
from trackwire_server.stores.s3.parts import Arrived, PartUploads, part_bytes


@dataclass(frozen=True, slots=True)
class Target:
    """Where a file is to be; `check` raises where it can't."""

    bucket: Bucket
    key: str
    path: str
    check: Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Kept:
    """What is known of an upload between two of its streams."""

    arrived: Arrived = field(default_factory=Arrived)
    # What follows the parts: the name of its note, and how much it is.
    rest_name: str = ""
    rest_bytes: int = 0
    # Whether something lies in the notes.
    has_notes: bool = False

    @property
    def size_bytes(self) -> int:
        """Bytes that another stream can go on behind."""
        return self.arrived.size_bytes + self.rest_bytes


class S3Partial:
    """A PartialFile. A part goes up while the next one gathers, and all of them are visible once there are no more.

    At its end, `let_go` is told what is kept, None of what was published.
    """

    def __init__(
        self,
        target: Target,
        kept: Kept,
        rest: bytes,
        notes: PartialNotes,
        *,
        let_go: Callable[[Kept | None], None],
        turns: asyncio.Semaphore,
    ):
        self._target = target
        self._kept = kept
        self._notes = notes
        self._let_go = let_go
        self._parts = PartUploads(target.bucket, target.key, arrived=kept.arrived, begin=self._begin, turns=turns)
        self._gathered = [rest] if rest else []
        self._gathered_bytes = len(rest)
        self._size_bytes = kept.size_bytes
        self._published = False
        self._closing: asyncio.Task[None] | None = None

    @property
    def size_bytes(self) -> int:
        """Bytes that were there or have been appended."""
        return self._size_bytes

    async def append(self, data: bytes) -> None:
        """Hands bytes over; waits while too many parts are on their way."""
        self._size_bytes += len(data)
        self._gathered.append(data)
        self._gathered_bytes += len(data)
        while self._gathered_bytes >= (wanted := part_bytes(self._parts.count)):
            await self._parts.add(self._take(wanted))

    async def sha256(self) -> bytes:
        """The SHA-256 of all the bytes."""
        return await self._parts.digest(self._gathered)

    async def publish(self) -> Artifact:
        """Makes the bytes visible, once all of them are there. What is published is described as it is there then."""
        await self._target.check()
        if self._parts.count:
            await self._complete()
        else:
            await self._target.bucket.put(self._target.key, b"".join(self._gathered), await self.sha256())
        facts = await self._target.bucket.head(self._target.key)
        if self._kept.has_notes:
            # While the upload isn't known to be done: what fails here is found by the next stream, or when it expires.
            await self._notes.discard()
        self._published = True
        return Artifact(self._target.path, False, self._size_bytes, facts.modification_time_ms if facts else 0)

    async def _complete(self) -> None:
        if self._gathered:
            await self._parts.add(self._take(self._gathered_bytes))
        await self._parts.settled()
        self._parts.raise_failure()
        await self._parts.complete()

    async def close(self) -> None:
        """Keeps what has arrived, and lets go. In an outage of the store, that is less than was appended."""
        if self._closing is None:
            # Nothing is awaited before it has begun: a call may be cancelled a second time while it cleans up.
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        kept: Kept | None = None
        try:
            arrived = await self._parts.settled()
            if not self._published:
                kept = await self._keep(arrived)
        finally:
            self._let_go(kept)

    async def _keep(self, arrived: Arrived) -> Kept:
        is_whole = arrived.size_bytes + self._gathered_bytes == self._size_bytes
        kept = Kept(arrived, has_notes=self._kept.has_notes)
        if is_whole and self._gathered:
            with suppress(TrackwireError):
                rest = b"".join(self._gathered)
                kept.rest_name = await self._notes.keep_rest(rest, behind_parts=bool(arrived.parts))
                kept.rest_bytes, kept.has_notes = len(rest), True
        return kept

    async def _begin(self) -> str:
        self._kept.has_notes = True
        return await self._notes.begin_noted(self._target.key)

    def _take(self, wanted: int) -> list[bytes]:
        """Takes so many of the bytes that have gathered."""
        taken: list[bytes] = []
        while wanted:
            data = self._gathered[0]
            if len(data) > wanted:
                self._gathered[0], data = data[wanted:], data[:wanted]
            else:
                del self._gathered[0]
            taken.append(data)
            wanted -= len(data)
            self._gathered_bytes -= len(data)
        return taken

"""A file's bytes: one request as long as they are read in order, another one from where the reader goes."""

from contextlib import suppress

from trackwire_server.core.entities import Artifact
from trackwire_server.core.errors import StoreUnavailable, TrackwireError
from trackwire_server.stores.s3.bucket import Bucket, OpenedObject
from trackwire_server.stores.s3.errors import Absent, Replaced, errors_translated, replaced_meanwhile

# Reading on is sooner than another request.
SKIPPED_BYTES_MAX = 256 * 1024


def version_of(etag: str) -> str:
    """What a file's version is called whose object has this ETag."""
    return etag.strip('"')


class S3File:
    """An OpenFile on an object, of which nothing but its own bytes are given.

    What was asked for in order comes whatever becomes of the path. Other reads, and those after a connection broke, are
    Aborted (ARTIFACT_CHANGED) once another object is at the path, or none.
    """

    def __init__(self, bucket: Bucket, path: str, opened: OpenedObject):
        self._bucket = bucket
        self._path = path
        self._opened: OpenedObject | None = opened
        self._facts = opened.facts
        self._etag = opened.facts.etag
        self._position = 0

    @property
    def artifact(self) -> Artifact:
        """What a listing says of it."""
        return Artifact(self._path, False, self._facts.size_bytes, self._facts.modification_time_ms)

    @property
    def size_bytes(self) -> int:
        """Bytes of the whole file."""
        return self._facts.size_bytes

    @property
    def version(self) -> str:
        """By the store's ETag, which is of the bytes."""
        return version_of(self._etag)

    async def read(self, *, offset: int, length: int) -> bytes:
        """Bytes from an offset on. A connection that breaks is made again, unless it breaks without a byte."""
        wanted = min(length, self.size_bytes - offset)
        if wanted <= 0:
            return b""
        parts: list[bytes] = []
        while wanted:
            before = wanted
            try:
                await self._go_to(offset)
                while wanted:
                    parts.append(await self._next(wanted))
                    offset, wanted = offset + len(parts[-1]), wanted - len(parts[-1])
            except StoreUnavailable:
                if wanted == before:
                    raise
        return b"".join(parts)

    async def _go_to(self, offset: int) -> None:
        if self._opened is not None and 0 <= offset - self._position <= SKIPPED_BYTES_MAX:
            while self._position < offset:
                await self._next(offset - self._position)
            return
        self._let_go()
        try:
            self._opened = await self._bucket.open(self._facts.key, offset=offset, etag=self._etag)
        except (Absent, Replaced) as error:
            raise replaced_meanwhile(self._path) from error
        self._position = offset

    async def _next(self, length: int) -> bytes:
        """The next bytes, at least one."""
        assert self._opened is not None
        try:
            with errors_translated(self._bucket.name, "GetObject"):
                data: bytes = await self._opened.body.read(length)
                if not data:
                    raise StoreUnavailable(f"artifact store s3://{self._bucket.name}: {self._path!r} broke off")
                self._position += len(data)
                if self._position == self.size_bytes:
                    # Only at the end, which has to be seen, a checksum is compared.
                    await self._opened.body.read(1)
        except BaseException:
            self._let_go()
            raise
        return data

    async def close(self) -> None:
        """Lets go."""
        self._let_go()

    def _let_go(self) -> None:
        if self._opened is not None:
            with suppress(TrackwireError):
                self._opened.body.close()
        self._opened = None

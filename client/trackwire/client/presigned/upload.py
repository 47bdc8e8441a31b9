"""A file's parts on their way to an artifact store. Each is read twice: for the checksum that its URL is made for, and
for that of the whole file; then to be sent.
"""

import hashlib
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from trackwire.client.presigned.store_calls import StoreConnection
from trackwire.client.sources import Source
from trackwire.v1.artifacts_pb2 import CreateArtifactPartUrlResponse

# A part is sent again whole where its connection breaks; each costs a call for its URL.
PART_BYTES_MIN = 16 * 1024 * 1024
PART_BYTES_MAX = 5 * 1024**3
PARTS_MAX = 1_000
_MEBIBYTE = 1024 * 1024


class SourceFailure(Exception):
    """The source could not be read; `cause` is why. Unlike an OSError, no failure of a connection."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class SourceChanged(Exception):
    """The source has fewer bytes than it had."""


def part_bytes(size_bytes: int) -> int:
    """How large the parts of a file are; 0 where it has too many bytes to go around the server."""
    wanted = -(-size_bytes // PARTS_MAX)
    rounded = max(PART_BYTES_MIN, -(-wanted // _MEBIBYTE) * _MEBIBYTE)
    return rounded if rounded <= PART_BYTES_MAX else 0


class PartSender:
    """Looks at parts in their order, each while the one before is sent, and sends them over one connection."""

    def __init__(self, source: Source, size_bytes: int) -> None:
        self._source = source
        self._size_bytes = size_bytes
        self._part_bytes = part_bytes(size_bytes)
        self._hash = hashlib.sha256()
        self._threads = ThreadPoolExecutor(1, "upload")
        self._connection = StoreConnection()
        self._closed = False
        self.crc32s: list[int] = []
        self._looking: Future[int] = self._threads.submit(self._look, 0)

    @property
    def count(self) -> int:
        """How many parts there are."""
        return -(-self._size_bytes // self._part_bytes)

    @property
    def sha256(self) -> bytes:
        """Of all parts, once they were looked at."""
        return self._hash.digest()

    def offset_of(self, index: int) -> int:
        """Where a part begins."""
        return index * self._part_bytes

    def bytes_of(self, index: int) -> int:
        """How large a part is."""
        return min(self._part_bytes, self._size_bytes - self.offset_of(index))

    def crc32_of(self, index: int) -> int:
        """A part's checksum; those before were asked for. Raises SourceFailure, SourceChanged."""
        if index == len(self.crc32s):
            self.crc32s.append(self._looking.result())
            if index + 1 < self.count:
                self._looking = self._threads.submit(self._look, index + 1)
        return self.crc32s[index]

    def send(self, index: int, url: CreateArtifactPartUrlResponse) -> None:
        """Sends a part. Raises StoreFailure, SourceFailure, SourceChanged; a later call makes another connection."""
        try:
            self._connection.put(url.url, self._bytes(index), self.bytes_of(index), url.headers)
        except BaseException:
            self._connection.close()
            if not self._closed:
                self._connection = StoreConnection()
            raise

    def interrupt(self) -> None:
        """Has `send` end soon, from another thread."""
        self._closed = True
        self._connection.interrupt()

    def close(self) -> None:
        """Lets go; waits for what is looked at."""
        self._closed = True
        self._threads.shutdown(cancel_futures=True)
        self._connection.close()

    def _look(self, index: int) -> int:
        crc32 = 0
        for data in self._bytes(index):
            crc32 = zlib.crc32(data, crc32)
            self._hash.update(data)
        return crc32

    def _bytes(self, index: int) -> Iterator[bytes]:
        left = self.bytes_of(index)
        try:
            for part in self._source.parts(self.offset_of(index)):
                data = part[:left]
                left -= len(data)
                yield data
                if not left or self._closed:
                    break
        except OSError as error:
            raise SourceFailure(error) from error
        if left:
            raise SourceChanged

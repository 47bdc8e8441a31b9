"""A file's bytes from an artifact store to a sink: one thread reads while another writes."""

import http.client
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO

from trackwire.client.presigned.store_calls import StoreConnection, failures_of
from trackwire.client.presigned.urls import StoreFailure
from trackwire.errors import DeadlineExceededError
from trackwire.v1.artifacts_pb2 import CreateArtifactDownloadUrlResponse

# Larger ones leave the processor's caches.
BUFFER_BYTES = 1024 * 1024
# What is in the sink already is read once more where it is no more than this part of the file: a store may have to copy
# what it gives a range of. Measured with moto's: 1,150 MB/s of a whole file, 700 of a range.
_READ_AGAIN_MAX = 1 / 8


class DirectDownload:
    """One connection to a store. `written` bytes are in the sink, whatever `run` raises: StoreFailure, or what the
    sink does.
    """

    def __init__(
        self,
        url: CreateArtifactDownloadUrlResponse,
        sink: BinaryIO,
        *,
        offset: int,
        end: int,
        timeout_seconds: float | None,
    ) -> None:
        self._url = url
        self._sink = sink
        is_whole = end == url.size_bytes and offset <= end * _READ_AGAIN_MAX
        self._skipped = offset if is_whole else 0
        self._range = "" if is_whole else f"{offset}-{end - 1}"
        self._length = end if is_whole else end - offset
        self._timeout_seconds = timeout_seconds
        self._ends_at = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        self._connection = StoreConnection()
        self.written = 0

    def run(self) -> None:
        """Until all bytes are written."""
        try:
            answer = self._connection.get(self._url.url, byte_range=self._range, etag=self._url.etag)
            self._check(answer)
            with ThreadPoolExecutor(1, "download") as writer:
                self._copy(answer, writer)
        finally:
            self._connection.close()

    def interrupt(self) -> None:
        """Has `run` end soon, from another thread."""
        self._connection.interrupt()

    def _check(self, answer: http.client.HTTPResponse) -> None:
        """Whether these are the bytes that were asked for. Raises StoreFailure."""
        given_range = f"bytes {self._range}/{self._url.size_bytes}" if self._range else None
        wanted = (given_range, str(self._length), self._url.etag)
        given = tuple(answer.headers.get(name) for name in ("Content-Range", "Content-Length", "ETag"))
        if given != wanted:
            raise StoreFailure(self._url.url, f"answers with other bytes than those asked for: {given}, not {wanted}")

    def _copy(self, answer: http.client.HTTPResponse, writer: ThreadPoolExecutor) -> None:
        free, filled = memoryview(bytearray(BUFFER_BYTES)), memoryview(bytearray(BUFFER_BYTES))
        writing: Future[None] | None = None
        left = self._length
        try:
            while left:
                with failures_of(self._url.url):
                    count = answer.readinto(free[:left])
                if not count:
                    raise StoreFailure(self._url.url, f"broke off {left} bytes before the end")
                left -= count
                if writing is not None:
                    writing.result()
                self._check_deadline()
                writing = writer.submit(self._write, free[:count])
                free, filled = filled, free
        finally:
            if writing is not None:
                writing.result()

    def _write(self, data: memoryview) -> None:
        new = data[self._skipped :]
        self._skipped -= len(data) - len(new)
        self._sink.write(new)
        self.written += len(new)

    def _check_deadline(self) -> None:
        if self._ends_at is not None and time.monotonic() >= self._ends_at:
            raise DeadlineExceededError(f"the download took longer than {self._timeout_seconds:g} s")

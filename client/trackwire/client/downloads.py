"""Downloads that go on where a connection broke off: through the server, or around it where that is sooner."""

import io
from contextlib import aclosing
from typing import BinaryIO

from trackwire.client.presigned.places import AROUND_BYTES_MIN
from trackwire.client.presigned.urls import StoreFailure
from trackwire.client.retries import Retries, broke_off
from trackwire.client.transport import Transport
from trackwire.errors import AbortedError, InvalidArgumentError, TrackwireError, UnavailableError
from trackwire.v1.artifacts_pb2 import (
    CreateArtifactDownloadUrlRequest,
    CreateArtifactDownloadUrlResponse,
    DownloadArtifactRequest,
    DownloadArtifactResponse,
)

# A store's own words for another file than the one that was meant, or none: any HTTP server may answer 404.
_GONE = ("NoSuchKey", "PreconditionFailed")


async def read_artifact(transport: Transport, request: DownloadArtifactRequest) -> bytes:
    """The bytes of a file, or of a range of it."""
    sink = io.BytesIO()
    await download(transport, request, sink)
    return sink.getvalue()


async def download(transport: Transport, request: DownloadArtifactRequest, sink: BinaryIO) -> int:
    """Writes a file, or a range of it, to the start of a sink; the bytes written.

    If the file is replaced while the connection is broken, it is downloaded anew.
    """
    if request.offset < 0 or request.length < 0:
        raise InvalidArgumentError(f"offset {request.offset}, length {request.length}: must be 0 or more")
    return await Download(transport, request, sink).run()


class Download:
    """A file, or a range of it, on its way to a sink, over as many connections as it takes.

    It begins as a stream of the server's, which tells which file it is, and how large. Where the rest may come around
    the server, the stream is as short as what is not worth it: so small files cost nothing more, and none is cut.
    """

    def __init__(self, transport: Transport, request: DownloadArtifactRequest, sink: BinaryIO) -> None:
        self._transport = transport
        self._request = request
        self._sink = sink
        self._written = 0
        self._version = ""
        # Where what is wanted ends, once that is known.
        self._end: int | None = None
        # Whether no store has failed yet to give a byte of this file.
        self._may_go_around = True

    async def run(self) -> int:
        """Until all is there; the bytes written."""
        retries = Retries()
        while self._position != self._end:
            try:
                await self._go_on()
                continue
            except AbortedError as error:
                if error.reason != "ARTIFACT_CHANGED":
                    raise
                wait_seconds = retries.wait_seconds(error, 0)
                await self._transport.work(_empty, self._sink)
                self._written, self._version, self._end = 0, "", None
            except TrackwireError as error:
                if not broke_off(error):
                    raise
                wait_seconds = retries.wait_seconds(error, self._written)
            await self._transport.sleep(wait_seconds)
        return self._written

    async def _go_on(self) -> None:
        url = None if self._end is None else await self._url_of_rest(self._end - self._position)
        if url is None:
            await self._stream()
        else:
            await self._go_around(url)

    async def _stream(self) -> None:
        """Takes what the server streams: the rest, or as much as tells whether it may come around the server."""
        rest = DownloadArtifactRequest()
        rest.CopyFrom(self._request)
        rest.offset, rest.version = self._position, self._version
        rest.length = self._request.length and self._request.length - self._written
        is_first = self._end is None and self._is_worth_asking(AROUND_BYTES_MIN)
        if is_first and not 0 < rest.length < AROUND_BYTES_MIN:
            rest.length = AROUND_BYTES_MIN
        timeout_seconds = self._transport.deadlines.stream_seconds
        parts = self._transport.stream(rest, DownloadArtifactResponse.FromString, timeout_seconds=timeout_seconds)
        async with aclosing(parts):
            async for part in parts:
                if self._end is None:
                    self._learn(part)
                data = part.data  # Each look at the field copies its bytes.
                await self._transport.work(self._sink.write, data)
                self._written += len(data)

    def _learn(self, part: DownloadArtifactResponse) -> None:
        self._version, self._end = part.version, part.size_bytes
        if self._request.length:
            self._end = min(self._end, self._request.offset + self._request.length)

    async def _url_of_rest(self, rest_bytes: int) -> CreateArtifactDownloadUrlResponse | None:
        """A URL for the file that is downloaded; None where there is none, or no use in it."""
        places, owner_id = self._transport.places, self._owner_id
        if not self._is_worth_asking(rest_bytes):
            return None
        request = CreateArtifactDownloadUrlRequest(path=self._request.path)
        if self._request.model_id:
            request.model_id = owner_id
        else:
            request.run_id = owner_id
        try:
            url = await self._transport.call(request, CreateArtifactDownloadUrlResponse)
        except TrackwireError as error:
            places.note_refusal(owner_id, error)
            return None
        is_same = url.version == self._version
        return url if is_same and places.is_reachable(owner_id, url.url) else None

    def _is_worth_asking(self, size_bytes: int) -> bool:
        return self._may_go_around and self._transport.places.is_worth_asking(self._owner_id, size_bytes)

    async def _go_around(self, url: CreateArtifactDownloadUrlResponse) -> None:
        # HTTP and TLS take longer to load than most calls.
        from trackwire.client.presigned.download import DirectDownload

        assert self._end is not None
        seconds = self._transport.deadlines.stream_seconds
        direct = DirectDownload(url, self._sink, offset=self._position, end=self._end, timeout_seconds=seconds)
        try:
            await self._transport.work(direct.run, on_cancel=direct.interrupt)
        except StoreFailure as failure:
            if failure.code in _GONE:
                raise AbortedError(str(failure), reason="ARTIFACT_CHANGED") from None
            if not direct.written:
                self._may_go_around = False
                self._transport.places.note_failure(self._owner_id, url.url, failure)
            raise UnavailableError(str(failure)) from None
        finally:
            self._written += direct.written

    @property
    def _position(self) -> int:
        return self._request.offset + self._written

    @property
    def _owner_id(self) -> str:
        return self._request.model_id or self._request.run_id


def _empty(sink: BinaryIO) -> None:
    sink.seek(0)
    sink.truncate()

"""Uploads around the server: in parts, by URLs that it signs, until it makes a file of them."""

import time

from trackwire.client.presigned.upload import PartSender, SourceChanged, SourceFailure, part_bytes
from trackwire.client.presigned.urls import StoreFailure
from trackwire.client.retries import Retries, broke_off
from trackwire.client.sources import Source
from trackwire.client.transport import Transport
from trackwire.errors import DeadlineExceededError, TrackwireError, UnavailableError
from trackwire.v1.artifacts_pb2 import (
    Artifact,
    CompleteArtifactUploadRequest,
    CompleteArtifactUploadResponse,
    CreateArtifactPartUrlRequest,
    CreateArtifactPartUrlResponse,
    UploadHeader,
)

# What these parts have come to; through the server the same upload begins anew.
_PARTS_ARE_LOST = ("PARTS_GONE", "PARTS_MISSING")
_NO_SUCH_UPLOAD = 404


class _GivesUp(Exception):
    """The way around the server leads nowhere."""


async def upload_around(transport: Transport, source: Source, header: UploadHeader, sha256: bytes) -> Artifact | None:
    """Stores a file around the server; None where it has to go through it. Raises what the server says of the file.

    A file that no longer has the `sha256` that it must have goes through the server, too, which refuses it.
    """
    if not part_bytes(header.size_bytes):
        return None
    sender = PartSender(source, header.size_bytes)
    try:
        return await _PartUpload(transport, sender, header, sha256).run()
    except SourceFailure as failure:
        raise failure.cause from None
    except (SourceChanged, _GivesUp):
        return None
    finally:
        sender.interrupt()
        await transport.work(sender.close)


class _PartUpload:
    """The parts of one file, one after the other. Raises _GivesUp, and what reading the source raises."""

    def __init__(self, transport: Transport, sender: PartSender, header: UploadHeader, sha256: bytes) -> None:
        self._transport = transport
        self._sender = sender
        self._header = header
        self._sha256 = sha256
        self._parts_id = ""
        self._stored = 0
        self._is_done = False
        self._of_server, self._of_store = Retries(), Retries()
        seconds = transport.deadlines.stream_seconds
        self._ends_at = None if seconds is None else time.monotonic() + seconds

    async def run(self) -> Artifact:
        """Until the server has made a file of them."""
        for index in range(self._sender.count):
            crc32 = await self._transport.work(self._sender.crc32_of, index, on_cancel=self._sender.interrupt)
            # An upload that is done already is looked at to its end, for the checksum that it must have.
            while not self._is_done and self._stored == index:
                await self._try_to_store(index, crc32)
        if self._sha256 and self._sender.sha256 != self._sha256:
            raise _GivesUp
        while True:
            self._check_deadline()
            try:
                return await self._complete()
            except TrackwireError as error:
                if not _may_be_completing(error):
                    raise
                wait_seconds = self._of_server.wait_seconds(error, self._stored)
            await self._transport.sleep(wait_seconds)

    async def _try_to_store(self, index: int, crc32: int) -> None:
        self._check_deadline()
        try:
            url = await self._url(index, crc32)
            self._parts_id, self._is_done = url.parts_id, url.complete
            if not self._is_done:
                await self._send(index, url)
                self._stored += 1
            return
        except TrackwireError as error:
            if not broke_off(error):
                raise
            wait_seconds = self._of_server.wait_seconds(error, self._stored)
        except StoreFailure as failure:
            wait_seconds = self._wait_for_store(failure)
        await self._transport.sleep(wait_seconds)

    async def _url(self, index: int, crc32: int) -> CreateArtifactPartUrlResponse:
        request = CreateArtifactPartUrlRequest(
            header=self._header,
            part_number=index + 1,
            part_bytes=self._sender.bytes_of(index),
            crc32=crc32,
            parts_id=self._parts_id,
        )
        request.header.offset = self._sender.offset_of(index)
        try:
            url = await self._transport.call(request, CreateArtifactPartUrlResponse)
        except TrackwireError as error:
            self._give_up_after(error)
            raise
        if not url.complete and not self._transport.places.is_reachable(self._owner_id, url.url):
            raise _GivesUp
        return url

    async def _send(self, index: int, url: CreateArtifactPartUrlResponse) -> None:
        try:
            await self._transport.work(self._sender.send, index, url, on_cancel=self._sender.interrupt)
        except StoreFailure as failure:
            if not self._stored:
                self._transport.places.note_failure(self._owner_id, url.url, failure)
                raise _GivesUp from None
            if failure.status == _NO_SUCH_UPLOAD:
                raise _GivesUp from None
            raise

    def _wait_for_store(self, failure: StoreFailure) -> float:
        try:
            return self._of_store.wait_seconds(UnavailableError(str(failure)), self._stored)
        except UnavailableError:
            raise _GivesUp from None

    async def _complete(self) -> Artifact:
        request = CompleteArtifactUploadRequest(
            header=self._header, parts_id=self._parts_id, crc32s=self._sender.crc32s, sha256=self._sender.sha256
        )
        try:
            # A store may take minutes to make one of many parts.
            answer = await self._transport.call(request, CompleteArtifactUploadResponse)
        except TrackwireError as error:
            self._give_up_after(error)
            raise
        return answer.artifact

    def _check_deadline(self) -> None:
        if self._ends_at is not None and time.monotonic() >= self._ends_at:
            raise DeadlineExceededError(f"the upload took longer than {self._transport.deadlines.stream_seconds:g} s")

    def _give_up_after(self, error: TrackwireError) -> None:
        """Raises _GivesUp where the server itself does not go this way."""
        if self._transport.places.note_refusal(self._owner_id, error) or error.reason in _PARTS_ARE_LOST:
            raise _GivesUp from None

    @property
    def _owner_id(self) -> str:
        return self._header.model_id or self._header.run_id


def _may_be_completing(error: TrackwireError) -> bool:
    """Whether an upload may be complete soon, though the call that completes it has failed."""
    return broke_off(error) or isinstance(error, DeadlineExceededError) or error.reason == "UPLOAD_IN_USE"

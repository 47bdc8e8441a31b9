"""Uploads that go on where a connection broke off."""

import hashlib
import uuid
from collections.abc import Generator
from typing import TypedDict, Unpack

from trackwire.client.retries import Retries, broke_off
from trackwire.client.sources import Source
from trackwire.client.transport import Transport
from trackwire.errors import AbortedError, OutOfRangeError, TrackwireError
from trackwire.v1.artifacts_pb2 import (
    Artifact,
    GetUploadStatusRequest,
    GetUploadStatusResponse,
    UploadArtifactRequest,
    UploadArtifactResponse,
    UploadFinish,
    UploadHeader,
)


class Upload:
    """An upload over as many streams as it takes. Each byte is hashed once, when it is first read, unless the hash that
    the file must have is known.

    gRPC reads a stream in a thread of its own, where a failure to read the source would be lost: it is kept here, and
    the stream ends without its finish.
    """

    def __init__(self, header: UploadHeader, source: Source, sha256: bytes = b"") -> None:
        self.header = header
        self.failure: OSError | None = None
        self._source = source
        self._sha256 = sha256
        self._hash = hashlib.sha256()
        self._hashed_bytes = 0

    def stream(self) -> Generator[UploadArtifactRequest, None, None]:
        """The messages from the header's offset on."""
        position = self.header.offset
        yield UploadArtifactRequest(header=self.header)
        try:
            self._hash_up_to(position)
            for part in self._source.parts(position):
                # A file that has grown since is sent as it was announced.
                data = part[: self.header.size_bytes - position]
                self._add_to_hash(position, data)
                position += len(data)
                if not data:
                    break
                yield UploadArtifactRequest(data=data)
        except OSError as error:
            self.failure = error
            return
        yield UploadArtifactRequest(finish=UploadFinish(sha256=self._sha256 or self._hash.digest()))

    def _hash_up_to(self, position: int) -> None:
        if self._sha256 or self._hashed_bytes >= position:
            return
        for part in self._source.parts(self._hashed_bytes):
            self._add_to_hash(self._hashed_bytes, part[: position - self._hashed_bytes])
            if self._hashed_bytes == position:
                return

    def _add_to_hash(self, position: int, data: bytes) -> None:
        if self._sha256:
            return
        new = memoryview(data)[self._hashed_bytes - position :]
        self._hash.update(new)
        self._hashed_bytes += len(new)


class Owner(TypedDict, total=False):
    """Whose files: one of the two."""

    run_id: str
    model_id: str


async def upload(
    transport: Transport,
    source: Source,
    *,
    path: str,
    upload_id: str | None = None,
    sha256: bytes = b"",
    **owner: Unpack[Owner],
) -> Artifact:
    """Stores a file; an `upload_id` of the caller's goes on with an upload that was broken off earlier.

    With a `sha256` a file that is no longer what it was is refused: AbortedError (CHECKSUM_MISMATCH).
    """
    size_bytes = await transport.work(source.size_bytes)
    header = UploadHeader(upload_id=upload_id or uuid.uuid4().hex, path=path, size_bytes=size_bytes, **owner)
    goes_around = transport.places.is_worth_asking(header.model_id or header.run_id, size_bytes)
    transfer = Upload(header, source, sha256)
    retries = Retries()
    ask_first = upload_id is not None
    while True:
        try:
            if ask_first:
                header.offset = await _arrived(transport, header.upload_id, owner)
            if goes_around and not header.offset:
                goes_around = False
                if (artifact := await _upload_around(transport, source, header, sha256)) is not None:
                    return artifact
            return await _send(transport, transfer)
        except TrackwireError as error:
            if not may_resume(error):
                raise
            ask_first = True
            wait_seconds = retries.wait_seconds(error, header.offset)
        await transport.sleep(wait_seconds)


async def _upload_around(transport: Transport, source: Source, header: UploadHeader, sha256: bytes) -> Artifact | None:
    # HTTP and TLS take longer to load than most calls.
    from trackwire.client.part_uploads import upload_around

    return await upload_around(transport, source, header, sha256)


async def _arrived(transport: Transport, upload_id: str, owner: Owner) -> int:
    request = GetUploadStatusRequest(upload_id=upload_id, **owner)
    status = await transport.call(request, GetUploadStatusResponse)
    return status.received_bytes


async def _send(transport: Transport, transfer: Upload) -> Artifact:
    try:
        answer = await transport.send_stream(UploadArtifactRequest, transfer.stream(), UploadArtifactResponse)
    except TrackwireError:
        if transfer.failure is not None:
            raise transfer.failure from None
        raise
    return answer.artifact


def may_resume(error: TrackwireError) -> bool:
    """Whether an upload can go on where it broke off."""
    # The server may notice later than we do that a connection broke: until then the upload is in use, and grows.
    return (
        broke_off(error)
        or (isinstance(error, AbortedError) and error.reason == "UPLOAD_IN_USE")
        or (isinstance(error, OutOfRangeError) and error.reason == "OFFSET_MISMATCH")
    )

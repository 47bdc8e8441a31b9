"""How a file's bytes go out: which are wanted, and in what parts."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from trackwire_server.core.byte_stores import OpenFile
from trackwire_server.core.checks import check_not_negative
from trackwire_server.core.errors import Aborted, OutOfRange

DOWNLOAD_PART_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class DownloadRange:
    """Which bytes are wanted; `length` 0 means all that follow, `version` that of an earlier download or empty."""

    offset: int = 0
    length: int = 0
    version: str = ""


@dataclass(frozen=True, slots=True)
class DownloadPart:
    """Some bytes of a file; the first part also tells of the whole."""

    data: bytes
    size_bytes: int = 0
    version: str = ""


def check_range(wanted: DownloadRange) -> None:
    """Whether there can be such a range. Raises InvalidArgument."""
    check_not_negative("offset", wanted.offset)
    check_not_negative("length", wanted.length)


async def parts_of(file: OpenFile, path: str, wanted: DownloadRange) -> AsyncGenerator[DownloadPart, None]:
    """The bytes that are wanted, in at least one part. Raises Aborted where the file was replaced, OutOfRange."""
    if wanted.version and wanted.version != file.version:
        raise Aborted(
            f"version: {wanted.version!r}: {path!r} has been replaced since: download it from the start",
            reason="ARTIFACT_CHANGED",
            metadata={"field": "version", "value": wanted.version, "version": file.version},
        )
    if wanted.offset > file.size_bytes:
        raise OutOfRange(
            f"offset: {wanted.offset}: {path!r} has {file.size_bytes} bytes",
            reason="OFFSET_PAST_END",
            metadata={"field": "offset", "value": wanted.offset, "limit": file.size_bytes},
        )
    end = min(file.size_bytes, wanted.offset + wanted.length) if wanted.length else file.size_bytes
    size_bytes, version = file.size_bytes, file.version
    async with aclosing(read_ahead(file, wanted.offset, end)) as parts:
        async for data in parts:
            yield DownloadPart(data, size_bytes, version)
            size_bytes, version = 0, ""


async def read_ahead(file: OpenFile, position: int, end: int) -> AsyncGenerator[bytes, None]:
    """The bytes up to an end, in at least one part; the next one is read while its predecessor is sent."""

    def start_reading() -> "asyncio.Task[bytes]":
        length = min(DOWNLOAD_PART_BYTES, end - position)
        return asyncio.create_task(file.read(offset=position, length=length))

    reading = start_reading()
    try:
        while True:
            data = await reading
            position += len(data)
            if position >= end:
                break
            reading = start_reading()
            yield data
        yield data
    finally:
        reading.cancel()
        await asyncio.wait([reading])

"""What core asks of a store of artifacts' bytes.

All methods may raise StoreUnavailable, StorageFull and StoreCorrupt; what else they raise stands in their docstrings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from trackwire_server.core.entities import Artifact


class PartialFile(Protocol):
    """The bytes of an upload that have arrived, and where they will be visible. One writer at a time holds it."""

    @property
    def size_bytes(self) -> int:
        """Bytes that were there or have been appended."""

    async def append(self, data: bytes) -> None:
        """Adds bytes at the end. May return before they are written: a failure then shows in the next call."""

    async def sha256(self) -> bytes:
        """The SHA-256 of all the bytes."""

    async def publish(self) -> Artifact:
        """Makes the bytes durable and visible at once, in place of a file that is there.

        Raises FailedPrecondition as open_partial does; the bytes are kept then.
        """

    async def close(self) -> None:
        """Keeps what was appended, if not published, and lets go."""


class OpenFile(Protocol):
    """A file as it is now: whatever becomes of its path, its bytes can be read in order until it is closed.

    Bytes that are read otherwise are its own, too, or Aborted (ARTIFACT_CHANGED) where the store has them no more.
    """

    @property
    def size_bytes(self) -> int:
        """Bytes of the whole file."""

    @property
    def version(self) -> str:
        """Differs from that of the file which replaces this one at its path."""

    async def read(self, *, offset: int, length: int) -> bytes:
        """Bytes from an offset on; fewer than `length` only at the end."""

    async def close(self) -> None:
        """Lets go."""


@dataclass(frozen=True, slots=True)
class LeftUpload:
    """What an upload has left at `uri`: by its partial id, "" where nothing tells of it but the store's own `upload_id`
    and `key`.
    """

    uri: str
    size_bytes: int
    partial_id: str = ""
    key: str = ""
    upload_id: str = ""


@runtime_checkable
class UploadRemains(Protocol):
    """What a ByteStore also has if uploads can leave something behind that core does not know of."""

    async def left_uploads(self, *, before_ms: int, limit: int) -> Sequence[LeftUpload]:
        """What nobody has written to since a time, uploads under way that last so long included."""

    async def discard_left(self, left: LeftUpload) -> None:
        """Removes it; nothing is fine. Raises Aborted (UPLOAD_IN_USE) if a writer holds it."""


@dataclass(frozen=True, slots=True)
class PresignedUrl:
    """A URL for one call by whoever has it, and the headers that the call must have."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FilePart:
    """A part of a file that comes around the server."""

    number: int
    size_bytes: int
    crc32: int


@runtime_checkable
class PartUrls(Protocol):
    """What a ByteStore also has if the parts of a file can come around the server. `parts_id` is the store's own."""

    async def begin_parts(self, partial_id: str, path: str) -> str:
        """Begins an upload in parts, which discard_partial forgets; its `parts_id`. Raises as open_partial does."""

    async def create_part_url(self, path: str, parts_id: str, part: FilePart, *, expiry_seconds: int) -> PresignedUrl:
        """For an HTTP PUT of a part, of which the store compares size and checksum."""

    async def publish_parts(
        self, partial_id: str, path: str, parts_id: str, crc32s: Sequence[int], *, size_bytes: int
    ) -> Artifact:
        """Makes a file of the parts, visible at once and whole. Forgets all else that has arrived of it.

        Raises Aborted (UPLOAD_IN_USE, PARTS_GONE), FailedPrecondition (PARTS_MISSING) and as open_partial does.
        """


@dataclass(frozen=True, slots=True)
class FileUrl:
    """A URL for a GET, and which file it gave when it was made: its OpenFile's version, and its entity tag in HTTP."""

    url: str
    version: str
    etag: str
    size_bytes: int


@runtime_checkable
class ByteUrls(Protocol):
    """What a ByteStore also has if clients can reach it: URLs by which bytes go around the server."""

    async def create_upload_url(self, path: str, *, expiry_seconds: int) -> PresignedUrl:
        """For an HTTP PUT of a file. Raises as open_partial does."""

    async def create_download_url(self, path: str, *, expiry_seconds: int) -> FileUrl:
        """For an HTTP GET of a file. Raises NotFound."""


class ByteStore(Protocol):
    """Artifact bytes by path. Paths are clean: relative, with "/" between their parts. No link is ever followed.

    All methods raise InvalidArgument for a path that the store keeps for itself, and where writing meets a link. There
    are no empty folders: a folder comes with its first file and goes with its last one.
    """

    async def list_folder(self, folder: str, *, after: str, limit: int) -> Sequence[Artifact]:
        """Entries right below a folder whose names follow `after`, by name (their `path`); nothing if no folder."""

    async def get_file(self, path: str) -> Artifact:
        """A file's size and time. Raises NotFound."""

    async def open_file(self, path: str) -> OpenFile:
        """A file to read from. Raises NotFound."""

    async def delete(self, path: str) -> int:
        """Deletes a file, or a folder with all in it, at once; the bytes freed. Raises NotFound."""

    async def open_partial(self, partial_id: str, path: str) -> PartialFile:
        """What has arrived of a file that is to be visible at `path`; empty if nothing has.

        Raises Aborted (UPLOAD_IN_USE) if another writer holds it, and FailedPrecondition (ARTIFACT_IS_FOLDER,
        ARTIFACT_NOT_FOLDER) if a folder is at the path or a file is above it.
        """

    async def partial_size(self, partial_id: str) -> int:
        """Bytes that have arrived; 0 if nothing has."""

    async def discard_partial(self, partial_id: str) -> None:
        """Forgets what has arrived; nothing is fine. Raises Aborted (UPLOAD_IN_USE) if a writer holds it."""

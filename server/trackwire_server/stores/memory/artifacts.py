"""Artifact bytes and uploads in memory."""

import hashlib
import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from trackwire_server.core.clock import Clock
from trackwire_server.core.entities import Artifact, Upload
from trackwire_server.core.errors import NotFound
from trackwire_server.core.uploads import ArtifactIsFolder, ArtifactNotFolder, UploadInUse, check_same_header
from trackwire_server.stores.memory.state import MemoryState


@dataclass(slots=True)
class _Partial:
    data: bytearray
    held: bool = False


class MemoryBytes:
    """A ByteStore in a dictionary."""

    def __init__(self, clock: Clock):
        self._clock = clock
        self._files: dict[str, MemoryFile] = {}
        self._partials: dict[str, _Partial] = {}
        self._last_version = 0

    async def list_folder(self, folder: str, *, after: str, limit: int) -> Sequence[Artifact]:
        """Entries right below a folder, by name."""
        prefix = f"{folder}/" if folder else ""
        entries = {}
        for path, file in self._files.items():
            if path.startswith(prefix):
                name, slash, _ = path[len(prefix) :].partition("/")
                entries[name] = Artifact(name, is_dir=True) if slash else replace(file.artifact, path=name)
        return [entries[name] for name in heapq.nsmallest(limit, (name for name in entries if name > after))]

    async def get_file(self, path: str) -> Artifact:
        """A file's size and time."""
        return (await self.open_file(path)).artifact

    async def open_file(self, path: str) -> "MemoryFile":
        """A file to read from."""
        if path not in self._files:
            raise NotFound("artifact", path, field="path")
        return self._files[path]

    async def delete(self, path: str) -> int:
        """Deletes a file, or a folder with all in it."""
        below = [file for file in self._files if file == path or file.startswith(f"{path}/")]
        if not below:
            raise NotFound("artifact", path, field="path")
        return sum(self._files.pop(file).size_bytes for file in below)

    async def open_partial(self, partial_id: str, path: str) -> "MemoryPartial":
        """What has arrived of a file."""
        self.check_target(path)
        partial = self._partials.setdefault(partial_id, _Partial(bytearray()))
        if partial.held:
            raise UploadInUse
        partial.held = True
        return MemoryPartial(self, partial_id, partial, path)

    async def partial_size(self, partial_id: str) -> int:
        """Bytes that have arrived."""
        partial = self._partials.get(partial_id)
        return len(partial.data) if partial else 0

    async def discard_partial(self, partial_id: str) -> None:
        """Forgets what has arrived."""
        partial = self._partials.get(partial_id)
        if partial is not None and partial.held:
            raise UploadInUse
        self._partials.pop(partial_id, None)

    def check_target(self, path: str) -> None:
        """Whether a file can lie at a path."""
        for folder in _folders_above(path):
            if folder in self._files:
                raise ArtifactNotFolder(folder)
        if any(file.startswith(f"{path}/") for file in self._files):
            raise ArtifactIsFolder(path)

    def publish(self, partial_id: str, path: str) -> Artifact:
        """Puts the bytes of an upload in their place."""
        self.check_target(path)
        data = bytes(self._partials.pop(partial_id).data)
        self._last_version += 1
        artifact = Artifact(path, False, len(data), self._clock())
        self._files[path] = MemoryFile(artifact, data, str(self._last_version))
        return artifact


class MemoryPartial:
    """A PartialFile in memory."""

    def __init__(self, store: MemoryBytes, partial_id: str, partial: _Partial, path: str):
        self._store = store
        self._partial_id = partial_id
        self._partial = partial
        self._path = path

    @property
    def size_bytes(self) -> int:
        """Bytes that were there or have been appended."""
        return len(self._partial.data)

    async def append(self, data: bytes) -> None:
        """Adds bytes at the end."""
        self._partial.data += data

    async def sha256(self) -> bytes:
        """The SHA-256 of all the bytes."""
        return hashlib.sha256(self._partial.data).digest()

    async def publish(self) -> Artifact:
        """Makes the bytes visible."""
        return self._store.publish(self._partial_id, self._path)

    async def close(self) -> None:
        """Lets go."""
        self._partial.held = False


@dataclass(frozen=True, slots=True)
class MemoryFile:
    """An OpenFile in memory: never changed, only replaced."""

    artifact: Artifact
    data: bytes
    version: str

    @property
    def size_bytes(self) -> int:
        """Bytes of the whole file."""
        return len(self.data)

    async def read(self, *, offset: int, length: int) -> bytes:
        """Bytes from an offset on."""
        return self.data[offset : offset + length]

    async def close(self) -> None:
        """Nothing to let go of."""


class MemoryUploads:
    """An UploadStore in a dictionary: of runs, or of what `active` finds. Raises what that raises."""

    def __init__(self, state: MemoryState, active: Callable[[str], object] | None = None):
        self._active = active or state.active_run
        self._uploads: dict[tuple[str, str], Upload] = {}

    async def begin_upload(self, upload: Upload) -> Upload:
        """Stores an upload, or gives the one with this id."""
        self._active(upload.owner_id)
        known = self._uploads.get((upload.owner_id, upload.upload_id), upload)
        check_same_header(known, upload)
        begun = replace(known, begin_time_ms=upload.begin_time_ms)
        self._uploads[upload.owner_id, upload.upload_id] = begun
        return begun

    async def get_upload(self, owner_id: str, upload_id: str) -> Upload | None:
        """The upload, or None."""
        return self._uploads.get((owner_id, upload_id))

    async def complete_upload(self, owner_id: str, upload_id: str, *, sha256: bytes) -> None:
        """Notes that the file is whole and visible."""
        if upload := self._uploads.get((owner_id, upload_id)):
            self._uploads[owner_id, upload_id] = replace(upload, sha256=sha256, complete=True)

    async def discard_upload(self, owner_id: str, upload_id: str) -> None:
        """Forgets an upload."""
        self._uploads.pop((owner_id, upload_id), None)

    def forget(self, owner_id: str) -> None:
        """Forgets all uploads of an owner that was removed for good."""
        self._uploads = {key: upload for key, upload in self._uploads.items() if key[0] != owner_id}

    async def expired_uploads(self, *, before_ms: int, limit: int) -> Sequence[Upload]:
        """Uploads whose latest stream began before this time, oldest first."""
        expired = (upload for upload in self._uploads.values() if upload.begin_time_ms < before_ms)
        return heapq.nsmallest(limit, expired, key=lambda upload: upload.begin_time_ms)

    async def unfinished_uploads(self) -> Sequence[Upload]:
        """All that are not whole."""
        return [upload for upload in self._uploads.values() if not upload.complete]


def _folders_above(path: str) -> Iterator[str]:
    end = path.find("/")
    while end >= 0:
        yield path[:end]
        end = path.find("/", end + 1)

"""ByteStore on a folder.

<folder>/.partial/<partial id>     an upload that is not whole yet; locked (flock) while a stream writes to it
<folder>/.partial/deleted-<id>     what is being deleted, out of sight at once
<folder>/<path>                    a file, there whole or not at all: fsync, rename, fsync of its folder
"""

import heapq
import math
import os
import stat
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Self

from trackwire_server.core.byte_stores import LeftUpload
from trackwire_server.core.entities import Artifact
from trackwire_server.core.errors import InvalidArgument, NotFound, StoreCorrupt
from trackwire_server.stores.files.folders import (
    NOT_THERE,
    check_target,
    entry_mode,
    open_folder,
    open_regular_file,
    prune_empty_folders,
)
from trackwire_server.stores.files.lane import Lane, in_thread, open_in_thread
from trackwire_server.stores.files.partial import FilePartial, open_locked
from trackwire_server.stores.files.tree import DELETED_PREFIX, PARTIALS, Tree, left_in, remove

PUBLISH_ATTEMPTS = 10
# The kernel reads ahead too little by itself: measured on 1 GiB that was not cached, 2,100 MB/s instead of 900.
READ_AHEAD_BYTES = 4 * 1024 * 1024
# Nobody's deletion takes so long: what is left of one that began before was broken off.
DELETION_SECONDS_MAX = 3_600


class FileBytes:
    """Artifact bytes below a folder, which is made when something is written. Several servers may share it.

    The server's own is kept open by its descriptors. Any other is opened by each call anew, in the call's thread: there
    may be many, and somebody may want to unmount one, or to delete it and make it again.
    """

    def __init__(self, folder: Path, kept: Tree | None = None):
        self._folder = folder
        self._kept = kept

    @classmethod
    async def open(cls, folder: Path) -> Self:
        """Keeps the folder open. Makes it if it is missing, and ends deletions that a crash broke off."""
        return cls(folder, await in_thread(_open_to_keep, folder))

    async def close(self) -> None:
        """Lets go of a folder that was kept open; nothing may be under way."""
        if self._kept is not None:
            await in_thread(self._kept.close)

    @contextmanager
    def _tree(self, *, create: bool = False) -> Iterator[Tree]:
        if self._kept is not None:
            yield self._kept
            return
        tree = Tree.open(self._folder, create=create)
        try:
            yield tree
        finally:
            tree.close()

    async def list_folder(self, folder: str, *, after: str, limit: int) -> Sequence[Artifact]:
        """Entries right below a folder, by name; links, devices and names that are not UTF-8 are left out."""
        return await in_thread(self._list_folder, _parts(folder), after, limit)

    def _list_folder(self, parts: Sequence[str], after: str, limit: int) -> Sequence[Artifact]:
        try:
            with self._tree() as tree, open_folder(tree.root, parts) as folder, os.scandir(folder) as entries:
                names = (entry.name for entry in entries if entry.name > after and _is_shown(entry))
                first = heapq.nsmallest(limit, (name for name in names if parts or name != PARTIALS))
                found = [_stat(folder, name) for name in first]
        except NOT_THERE:
            return []
        return [entry for entry in found if entry is not None]

    async def get_file(self, path: str) -> Artifact:
        """A file's size and time."""
        file = await self.open_file(path)
        try:
            return file.artifact
        finally:
            await file.close()

    async def open_file(self, path: str) -> "OpenedFile":
        """A file to read from."""
        return await open_in_thread(partial(self._open_file, path), OpenedFile.close_now)

    def _open_file(self, path: str) -> "OpenedFile":
        parts = _parts(path)
        try:
            with self._tree() as tree:
                return OpenedFile(path, open_regular_file(tree.root, parts))
        except NOT_THERE as error:
            raise NotFound("artifact", path, field="path") from error

    async def delete(self, path: str) -> int:
        """Deletes a file, or a folder with all in it."""
        return await in_thread(self._delete, path)

    def _delete(self, path: str) -> int:
        parts = _parts(path)
        hidden = f"{DELETED_PREFIX}{uuid.uuid4().hex}"
        try:
            with self._tree() as tree:
                with open_folder(tree.root, parts[:-1]) as folder:
                    mode = entry_mode(folder, parts[-1])
                    if mode is None or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                        raise NotFound("artifact", path, field="path")
                    os.rename(parts[-1], hidden, src_dir_fd=folder, dst_dir_fd=tree.partials(create=True))
                    os.fsync(folder)
                prune_empty_folders(tree.root, parts[:-1])
                if self._kept is None:
                    tree.end_deletions(begun_before=time.time() - DELETION_SECONDS_MAX)
                return remove(tree.partials(), hidden)
        except NOT_THERE as error:
            raise NotFound("artifact", path, field="path") from error

    async def open_partial(self, partial_id: str, path: str) -> FilePartial:
        """What has arrived of a file."""
        return await open_in_thread(partial(self._open_partial, partial_id, path), FilePartial.close_now)

    def _open_partial(self, partial_id: str, path: str) -> FilePartial:
        parts = _parts(path)
        with self._tree(create=True) as tree:
            check_target(tree.root, parts)
            file = open_locked(tree.partials(create=True), partial_id)
        return FilePartial(file, partial(self._publish, partial_id, path))

    def _publish(self, partial_id: str, path: str, file: int) -> Artifact:
        os.fsync(file)
        with self._tree(create=True) as tree:
            _move_into_place(tree, partial_id, _parts(path))
        return _artifact(path, os.fstat(file))

    async def partial_size(self, partial_id: str) -> int:
        """Bytes that have arrived; 0 if nothing has."""
        return await in_thread(self._partial_size, partial_id)

    def _partial_size(self, partial_id: str) -> int:
        try:
            with self._tree() as tree:
                return os.stat(partial_id, dir_fd=tree.partials(), follow_symlinks=False).st_size
        except NOT_THERE:
            return 0

    async def discard_partial(self, partial_id: str) -> None:
        """Forgets what has arrived."""
        await in_thread(self._discard_partial, partial_id)

    def _discard_partial(self, partial_id: str) -> None:
        with suppress(*NOT_THERE), self._tree() as tree:
            file = open_locked(tree.partials(), partial_id)
            try:
                os.unlink(partial_id, dir_fd=tree.partials())
            finally:
                os.close(file)

    async def left_uploads(self, *, before_ms: int, limit: int) -> Sequence[LeftUpload]:
        """Partial files that nobody has written to since a time."""
        return await in_thread(self._left_uploads, before_ms, limit)

    def _left_uploads(self, before_ms: int, limit: int) -> Sequence[LeftUpload]:
        try:
            with self._tree() as tree:
                left = left_in(tree.partials(), before=before_ms / 1_000)
        except NOT_THERE:
            return []
        uri = (self._folder / PARTIALS).absolute().as_uri()
        return [LeftUpload(f"{uri}/{name}", size_bytes, name) for name, size_bytes in islice(left, limit)]

    async def discard_left(self, left: LeftUpload) -> None:
        """Removes one of them."""
        await self.discard_partial(left.partial_id)


class OpenedFile:
    """An OpenFile on a descriptor: its bytes stay there when the path is deleted or replaced."""

    def __init__(self, path: str, file: int):
        self._path = path
        self._file = file
        self._status = os.fstat(file)
        self._lane = Lane()

    @property
    def artifact(self) -> Artifact:
        """What a listing says of it."""
        return _artifact(self._path, self._status)

    @property
    def size_bytes(self) -> int:
        """Bytes of the whole file."""
        return self._status.st_size

    @property
    def version(self) -> str:
        """By inode, time and size."""
        return f"{self._status.st_ino:x}-{self._status.st_mtime_ns:x}-{self._status.st_size:x}"

    async def read(self, *, offset: int, length: int) -> bytes:
        """Bytes from an offset on."""
        return await self._lane.run(partial(self._read, offset, length))

    def _read(self, offset: int, length: int) -> bytes:
        data = os.pread(self._file, length, offset)
        if not data and length and offset < self.size_bytes:
            raise StoreCorrupt(f"artifact {self._path!r} ends at {offset} of its {self.size_bytes} bytes")
        if hasattr(os, "posix_fadvise"):  # macOS has none.
            os.posix_fadvise(self._file, offset + length, READ_AHEAD_BYTES, os.POSIX_FADV_WILLNEED)
        return data

    async def close(self) -> None:
        """Lets go."""
        await self._lane.run(self.close_now)

    def close_now(self) -> None:
        """Lets go of a file that nothing has been read from."""
        os.close(self._file)


def _parts(path: str) -> list[str]:
    parts = path.split("/") if path else []
    if parts and parts[0] == PARTIALS:
        raise InvalidArgument("path", path, f"{PARTIALS!r} is the artifact store's own folder")
    return parts


def _is_shown(entry: "os.DirEntry[str]") -> bool:
    try:
        entry.name.encode()
    except UnicodeEncodeError:
        return False
    return entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)


def _stat(folder: int, name: str) -> Artifact | None:
    with suppress(FileNotFoundError):
        return _artifact(name, os.stat(name, dir_fd=folder, follow_symlinks=False))
    return None


def _artifact(path: str, status: os.stat_result) -> Artifact:
    if stat.S_ISDIR(status.st_mode):
        return Artifact(path, is_dir=True)
    return Artifact(path, False, status.st_size, status.st_mtime_ns // 1_000_000)


def _open_to_keep(folder: Path) -> Tree:
    tree = Tree.open(folder, create=True)
    try:
        tree.partials(create=True)
        tree.end_deletions(begun_before=math.inf)
    except BaseException:
        tree.close()
        raise
    return tree


def _move_into_place(tree: Tree, partial_id: str, parts: Sequence[str]) -> None:
    for attempt in range(PUBLISH_ATTEMPTS):
        check_target(tree.root, parts)
        try:
            with open_folder(tree.root, parts[:-1], create=True) as folder:
                os.rename(partial_id, parts[-1], src_dir_fd=tree.partials(), dst_dir_fd=folder)
                os.fsync(folder)
        except (FileNotFoundError, IsADirectoryError):
            # Another call pruned the folder in this moment, or made one at the path: look again.
            if attempt == PUBLISH_ATTEMPTS - 1:
                raise
        except OSError:
            prune_empty_folders(tree.root, parts[:-1])
            raise
        else:
            return

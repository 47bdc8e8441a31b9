"""A store's folder by descriptors: whatever becomes of its path meanwhile, they mean the same folder."""

import os
import shutil
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from trackwire_server.core.artifact_paths import is_partial_id
from trackwire_server.stores.files.folders import entry_mode

PARTIALS = ".partial"
DELETED_PREFIX = "deleted-"
_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Tree:
    """A folder, and the one in it for partial files, which is opened when it is first needed."""

    def __init__(self, root: int):
        self.root = root
        self._partials: int | None = None

    @classmethod
    def open(cls, folder: Path, *, create: bool = False) -> Self:
        """Raises NOT_THERE, unless the folder is made."""
        if create:
            folder.mkdir(parents=True, exist_ok=True)
        return cls(os.open(folder, _FLAGS))

    def partials(self, *, create: bool = False) -> int:
        """The folder for partial files. Raises NOT_THERE, unless it is made."""
        if self._partials is None:
            if create:
                with suppress(FileExistsError):
                    os.mkdir(PARTIALS, dir_fd=self.root)
            self._partials = os.open(PARTIALS, _FLAGS | os.O_NOFOLLOW, dir_fd=self.root)
        return self._partials

    def end_deletions(self, *, begun_before: float) -> None:
        """Deletes what a crash left of deletions that began before a time."""
        partials = self.partials()
        for name in os.listdir(partials):  # noqa: PTH208  # by descriptor, not by path
            with suppress(FileNotFoundError):
                # A rename is a change: it is what began the deletion.
                is_left = name.startswith(DELETED_PREFIX) and os.lstat(name, dir_fd=partials).st_ctime < begun_before
                if is_left:
                    remove(partials, name)

    def close(self) -> None:
        """Lets go."""
        if self._partials is not None:
            os.close(self._partials)
        os.close(self.root)


def remove(folder: int, name: str) -> int:
    """Deletes an entry with all in it; the bytes freed. Another server may be at it, too."""
    mode = entry_mode(folder, name)
    if mode is None:
        return 0
    if not stat.S_ISDIR(mode):
        size_bytes = _size(folder, name)
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
        return size_bytes
    tree = os.fwalk(name, dir_fd=folder, follow_symlinks=False)
    size_bytes = sum(_size(at, file) for _, _, files, at in tree for file in files)
    while entry_mode(folder, name) is not None:
        with suppress(FileNotFoundError):  # The other one was first: what it has left goes now.
            shutil.rmtree(name, dir_fd=folder)
    return size_bytes


def left_in(partials: int, *, before: float) -> Sequence[tuple[str, int]]:
    """Partial files that were last written to before a time, with their sizes."""
    found: list[tuple[str, int]] = []
    for name in sorted(os.listdir(partials)):
        with suppress(FileNotFoundError):
            status = os.lstat(name, dir_fd=partials)
            if is_partial_id(name) and stat.S_ISREG(status.st_mode) and status.st_mtime < before:
                found.append((name, status.st_size))
    return found


def _size(folder: int, name: str) -> int:
    with suppress(FileNotFoundError):
        return os.lstat(name, dir_fd=folder).st_size
    return 0

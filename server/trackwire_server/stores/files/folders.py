"""Walking a tree without ever leaving it: each part of a path is opened below the one before, no link is followed."""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from trackwire_server.core.errors import InvalidArgument, StorageFull, StoreUnavailable
from trackwire_server.core.uploads import ArtifactIsFolder, ArtifactNotFolder

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# What opening the next part of a path says where that is a file, a link, or not there.
NOT_THERE = (FileNotFoundError, NotADirectoryError)


@contextmanager
def errors_translated() -> Iterator[None]:
    """Turns what the file system says into the domain's words; the only place that does."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull("artifact store") from error
        raise StoreUnavailable(f"artifact store: {error}") from error


@contextmanager
def open_folder(root: int, parts: Sequence[str], *, create: bool = False) -> Iterator[int]:
    """The folder at a path below another one. Raises NOT_THERE; where it creates, as check_target."""
    folder = os.dup(root)
    try:
        for number, part in enumerate(parts):
            if create:
                _make_folder(folder, part)
            try:
                below = os.open(part, _FOLDER_FLAGS, dir_fd=folder)
            except OSError as error:
                # A link is ENOTDIR on Linux and ELOOP elsewhere.
                if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                    raise
                if create:
                    raise _not_a_folder(folder, parts[: number + 1]) from error
                raise NotADirectoryError(error.errno, "is not a folder", part) from error
            os.close(folder)
            folder = below
        yield folder
    finally:
        os.close(folder)


def _make_folder(parent: int, name: str) -> None:
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=parent)
        os.fsync(parent)


def check_target(root: int, parts: Sequence[str]) -> None:
    """Whether a file can lie at a path. Raises FailedPrecondition, and InvalidArgument where it meets a link."""
    for depth in range(len(parts)):
        try:
            with open_folder(root, parts[:depth]) as folder:
                mode = entry_mode(folder, parts[depth])
        except NOT_THERE:
            return
        if mode is None:
            return
        is_last = depth == len(parts) - 1
        if stat.S_ISLNK(mode) or (not is_last and not stat.S_ISDIR(mode)):
            with open_folder(root, parts[:depth]) as folder:
                raise _not_a_folder(folder, parts[: depth + 1])
        if is_last and not stat.S_ISREG(mode):
            raise ArtifactIsFolder(_shown(parts))


def _not_a_folder(folder: int, parts: Sequence[str]) -> Exception:
    mode = entry_mode(folder, parts[-1])
    if mode is not None and stat.S_ISLNK(mode):
        return InvalidArgument(
            "path", _shown(parts), "is a symbolic link in the artifact store, and links are not followed"
        )
    return ArtifactNotFolder(_shown(parts))


def entry_mode(folder: int, name: str) -> int | None:
    """What kind of entry a name is, links not followed; None if there is none."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return None


def open_regular_file(root: int, parts: Sequence[str]) -> int:
    """A file's descriptor, to read from. Raises NOT_THERE, also for a link, a folder or a device."""
    with open_folder(root, parts[:-1]) as folder:
        try:
            # Without O_NONBLOCK, a named pipe would wait for its writer.
            file = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO):
                raise FileNotFoundError(error.errno, "is not a file", parts[-1]) from error
            raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise FileNotFoundError(errno.ENOENT, "is not a file", parts[-1])
    return file


def prune_empty_folders(root: int, parts: Sequence[str]) -> None:
    """Removes a folder that has become empty, and those above it that have become so."""
    for depth in range(len(parts), 0, -1):
        try:
            with open_folder(root, parts[: depth - 1]) as folder:
                os.rmdir(parts[depth - 1], dir_fd=folder)
        except FileNotFoundError:
            continue
        except OSError:
            return


def _shown(parts: Sequence[str]) -> str:
    return "/".join(parts)

"""Files and folders of this machine, as artifacts are made of them."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from trackwire.errors import InvalidArgumentError

LocalPath = str | os.PathLike[str]

# What a training or a server keeps where it is started.
_OWN_FOLDER = ".trackwire"
_KINDS = {
    stat.S_IFBLK: "a block device",
    stat.S_IFCHR: "a character device",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}


def files_below(
    folder: Path, *, spool: Path | None = None, on_error: Callable[[OSError], object] | None = None
) -> Iterator[Path]:
    """All that is no folder below a folder, in the order of the paths. Links to folders are left out.

    So are folders called .trackwire and the spool, which grow with what is logged, and a folder that can't be listed,
    which `on_error` is told.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"local_path: {str(folder)!r} is not a folder")
    apart = None if spool is None else spool.resolve()
    found = []
    for parent, folders, names in os.walk(folder, onerror=on_error):
        found += [Path(parent) / name for name in names]
        resolved = Path(parent).resolve()
        folders[:] = [name for name in folders if name != _OWN_FOLDER and resolved / name != apart]
    yield from sorted(found)


def open_file(path: Path) -> BinaryIO:
    """Opens a file to read. InvalidArgumentError for what is none: a pipe waits for who writes, a device never ends."""
    # Before it is opened as well: a device may do something then.
    _require_file(path, path.stat())
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        _require_file(path, os.fstat(fd))
        return os.fdopen(fd, "rb")
    except BaseException:
        os.close(fd)
        raise


def as_artifact_path(local: str) -> str:
    """A local name as an artifact's. InvalidArgumentError where it is not UTF-8, which an artifact's path is."""
    try:
        local.encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError(
            f"local_path: {os.fsencode(local)!r}: its name is not UTF-8: give an artifact_path",
            metadata={"field": "local_path"},
        ) from None
    return local


def _require_file(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        raise InvalidArgumentError(
            f"local_path: {str(path)!r}: must be a file, not {kind}", metadata={"field": "local_path"}
        )

"""Files and folders of this machine, as artifacts are made of them."""

import os
from collections.abc import Iterator
from pathlib import Path

from trackwire.errors import InvalidArgumentError

LocalPath = str | os.PathLike[str]


def files_below(folder: Path) -> Iterator[Path]:
    """All files below a folder, in the order of their paths. Links to folders are left out."""
    if not folder.is_dir():
        raise NotADirectoryError(f"local_path: {str(folder)!r} is not a folder")
    yield from sorted(Path(parent) / name for parent, _, names in os.walk(folder) for name in names)


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

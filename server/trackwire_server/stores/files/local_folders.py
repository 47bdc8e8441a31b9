"""Runs and logged models whose artifacts lie in a folder that somebody named, outside of the server's own store."""

import errno
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from trackwire_server.core.artifact_paths import ArtifactHome, artifacts_elsewhere, short_parts
from trackwire_server.core.artifact_places import ArtifactFolder, Opener, local_folder
from trackwire_server.core.errors import StoreUnavailable
from trackwire_server.stores.files.lane import in_thread
from trackwire_server.stores.files.store import FileBytes

# What isn't the server's to read or write doesn't become so by waiting.
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG)


def local_folders(guarded: Sequence[Path]) -> Opener:
    """Opens folders in the file system, but for those with something of the server's own in or above them.

    A store's root is the experiment's location, so that uploads under way lie in no owner's folder.
    It raises FailedPrecondition where the server can't, or must not, read and write; so does what is done there.
    """

    @asynccontextmanager
    async def opened(home: ArtifactHome) -> AsyncIterator[ArtifactFolder]:
        folder = local_folder(home.uri)
        # A location of "/" would have the uploads under way lie there.
        if folder is None or len(folder.parts) <= 1 + home.depth:
            raise artifacts_elsewhere(home)
        with _forbidden_for_good(home):
            if await in_thread(_touches, folder, home.depth, guarded):
                raise artifacts_elsewhere(home, "where something of the server's own lies")
            path = short_parts("/".join(folder.parts[-home.depth :]))
            yield ArtifactFolder(FileBytes(folder.parents[home.depth - 1]), path)

    return opened


def _touches(folder: Path, depth: int, guarded: Sequence[Path]) -> bool:
    # Links above an owner's folder are followed, none is from there on. Unlike Path.resolve, realpath survives loops.
    real = Path(os.path.realpath(folder.parents[depth - 1]), *folder.parts[-depth:])
    own = [os.path.realpath(each) for each in guarded]
    return any(real.is_relative_to(each) or Path(each).is_relative_to(real) for each in own)


@contextmanager
def _forbidden_for_good(home: ArtifactHome) -> Iterator[None]:
    """What the operating system forbids is no outage: whoever waited for its end would wait for ever."""
    try:
        yield
    except StoreUnavailable as error:
        cause = error.__cause__
        if not isinstance(cause, OSError) or cause.errno not in _FORBIDDEN:
            raise
        raise artifacts_elsewhere(home, f"which the server can't use ({os.strerror(cause.errno)})") from error

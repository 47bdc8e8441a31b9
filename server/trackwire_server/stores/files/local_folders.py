"""Runs whose artifacts lie in a folder that somebody named, outside of the server's own artifact store."""

import errno
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from trackwire_server.core.artifact_paths import artifacts_elsewhere, short_parts
from trackwire_server.core.artifact_places import ArtifactFolder, Opener, local_folder
from trackwire_server.core.entities import Run
from trackwire_server.core.errors import StoreUnavailable
from trackwire_server.stores.files.lane import in_thread
from trackwire_server.stores.files.store import FileBytes

# <location>/<run>/artifacts: a store's root is the location, so that uploads under way lie in no run's folder.
_RUN_PARTS = 2
# What isn't the server's to read or write doesn't become so by waiting.
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG)


def local_folders(guarded: Sequence[Path]) -> Opener:
    """Opens the folders of runs in the file system, but for those with something of the server's own in or above them.

    It raises FailedPrecondition where the server can't, or must not, read and write; so does what is done there.
    """

    @asynccontextmanager
    async def opened(run: Run) -> AsyncIterator[ArtifactFolder]:
        folder = local_folder(run.artifact_uri)
        # A location of "/" would have the uploads under way lie there.
        if folder is None or len(folder.parts) <= 1 + _RUN_PARTS:
            raise artifacts_elsewhere(run)
        with _forbidden_for_good(run):
            if await in_thread(_touches, folder, guarded):
                raise artifacts_elsewhere(run, "where something of the server's own lies")
            path = short_parts("/".join(folder.parts[-_RUN_PARTS:]))
            yield ArtifactFolder(FileBytes(folder.parents[_RUN_PARTS - 1]), path)

    return opened


def _touches(folder: Path, guarded: Sequence[Path]) -> bool:
    # Links above a run's folder are followed, none is from there on. Unlike Path.resolve, realpath survives loops.
    real = Path(os.path.realpath(folder.parents[_RUN_PARTS - 1]), *folder.parts[-_RUN_PARTS:])
    own = [os.path.realpath(each) for each in guarded]
    return any(real.is_relative_to(each) or Path(each).is_relative_to(real) for each in own)


@contextmanager
def _forbidden_for_good(run: Run) -> Iterator[None]:
    """What the operating system forbids is no outage: whoever waited for its end would wait for ever."""
    try:
        yield
    except StoreUnavailable as error:
        cause = error.__cause__
        if not isinstance(cause, OSError) or cause.errno not in _FORBIDDEN:
            raise
        raise artifacts_elsewhere(run, f"which the server can't use ({os.strerror(cause.errno)})") from error

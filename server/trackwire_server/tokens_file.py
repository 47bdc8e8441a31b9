"""The file of tokens on the disk: read whole, and written so that readers see the old or the new one."""

import fcntl
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.token_format import BAD_FILE, text_of, tokens_in
from trackwire_server.core.tokens import Token

_MODE = 0o600
# A group may read it, as of a volume that Kubernetes mounts: there are only hashes in it. Who writes it is an admin.
_FORBIDDEN_MODE = 0o037


def read_tokens(path: Path) -> Sequence[Token]:
    """Its tokens. Raises InvalidArgument if it can't be read, holds something else, or others may touch it."""
    try:
        with path.open("rb") as file:
            _check_mode(path, stat.S_IMODE(os.fstat(file.fileno()).st_mode))
            text = file.read().decode()
    except FileNotFoundError as error:
        expected = f"does not exist: `trackwire tokens create NAME --file {path}` makes it"
        raise _bad(path, expected) from error
    except (OSError, UnicodeDecodeError) as error:
        raise _bad(path, f"can't be read: {getattr(error, 'strerror', None) or error}") from error
    try:
        return tokens_in(text)
    except InvalidArgument as error:
        raise _bad(path, error.message) from error


def change_tokens(path: Path, change: Callable[[Sequence[Token]], Sequence[Token]]) -> None:
    """Replaces its tokens by what `change` makes of them; one that is not there has none. Two changes take turns."""
    # What a link names is replaced, not the link.
    path = Path(os.path.realpath(path))
    try:
        with _holding(path.parent):
            changed = change(read_tokens(path) if path.exists() else ())
            _write(path, text_of(changed))
    except OSError as error:
        raise _bad(path, f"can't be written: {error.strerror}") from error


def _write(path: Path, text: str) -> None:
    written = path.with_name(f"{path.name}.tmp")
    written.unlink(missing_ok=True)
    fd = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(fd)
    # The server that reads it may be another user, whose file it is.
    if path.exists():
        owner = path.stat()
        if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
            os.chown(written, owner.st_uid, owner.st_gid)
        written.chmod(stat.S_IMODE(owner.st_mode))
    written.replace(path)


@contextmanager
def _holding(folder: Path) -> Iterator[None]:
    """By the folder: the file itself is replaced."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _check_mode(path: Path, mode: int) -> None:
    if mode & _FORBIDDEN_MODE:
        expected = f"its mode is {mode:04o}, and others may neither read nor write it, nor its group write: chmod 600"
        raise _bad(path, expected)


def _bad(path: Path, expected: str) -> InvalidArgument:
    return InvalidArgument("tokens_file", str(path), expected, reason=BAD_FILE)

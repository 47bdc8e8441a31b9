"""Files and folders that are there whole or not at all: written beside their place, and moved there at the end."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trackwire.errors import InvalidArgumentError


@contextmanager
def whole_file(output: Path) -> Iterator[Path]:
    """A file to write in place of `output`, which it becomes at the end; a failure leaves what was there before."""
    # A link is written through; a device or a pipe can't be replaced.
    output = output.resolve()
    if output.exists() and not output.is_file():
        yield output
        return
    partial = _beside(output)
    try:
        yield partial
        if output.exists():
            shutil.copymode(output, partial)
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(output: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `output` at the end. InvalidArgumentError if something is there already."""
    output = output.resolve()
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InvalidArgumentError(f"{output}: is there already, and is not an empty folder")
    if not output.parent.is_dir():
        raise InvalidArgumentError(f"{output}: there is no folder {output.parent}")
    partial = _beside(output)
    partial.mkdir()
    try:
        yield partial
        partial.replace(output)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _beside(output: Path) -> Path:
    return output.with_name(f".{output.name}.{os.getpid()}.partial")

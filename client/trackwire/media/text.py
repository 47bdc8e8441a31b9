"""Text, and streams of bytes, as files."""

import shutil
from pathlib import Path
from typing import BinaryIO

from trackwire.media.plain import type_name


def write_text(text: str, path: Path) -> None:
    """Writes UTF-8, the ends of lines as they are."""
    if not isinstance(text, str):
        raise TypeError(f"text: must be a str, not {type_name(text)}")
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        character = text[error.start]
        raise ValueError(
            f"text: character {error.start} is {character!r}, half of a surrogate pair: UTF-8 has no such character"
        ) from None
    path.write_bytes(data)


def write_stream(stream: BinaryIO, path: Path) -> None:
    """Writes what is left to read of a stream; TypeError if that is text."""
    with path.open("xb") as file:
        shutil.copyfileobj(stream, file)

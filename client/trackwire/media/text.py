"""Text as a file."""

from pathlib import Path

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

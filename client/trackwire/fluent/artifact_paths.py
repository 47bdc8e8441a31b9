"""Where files lie among a run's artifacts: the server's rule, told at the call and not once the run is over."""

import unicodedata

from trackwire.errors import InvalidArgumentError

PATH_CHARACTERS_MAX = 1_024
PART_BYTES_MAX = 255
_RULE = 'must be relative to the run\'s root, with "/" between its parts, such as "plots/loss.png": '


def below(folder: str | None, path: str) -> str:
    """A path below a folder of the artifacts; None and "" are their root."""
    return f"{folder.rstrip('/')}/{path}" if folder else path


def checked_path(path: str) -> str:
    """A path that stays below the run's root, however often something on the way decodes it."""
    if not isinstance(path, str):
        raise TypeError(f"artifact_path: {path!r}: must be a str, not {type(path).__name__}")
    if len(path) > PATH_CHARACTERS_MAX:
        raise _bad_path(path, f"has {len(path):,} characters, at most {PATH_CHARACTERS_MAX:,} are allowed")
    for part in path.split("/"):
        if (part_bytes := len(part.encode("utf-8", "surrogatepass"))) > PART_BYTES_MAX:
            raise _bad_path(path, f"has a part of {part_bytes:,} bytes, at most {PART_BYTES_MAX} are allowed")
    from urllib.parse import unquote

    decoded = path
    while not (fault := _fault(decoded)):
        if (again := unquote(decoded)) == decoded:
            return path
        decoded = again
    raise _bad_path(path, _RULE + fault + ("" if decoded == path else f" once decoded to {decoded!r}"))


def _fault(path: str) -> str:
    """What is wrong with a path; empty if nothing."""
    if not path:
        return "it is empty"
    if path.startswith("/"):
        return "it is absolute"
    if "\\" in path:
        return "it has a backslash"
    # Cc: control characters; Cs: halves of surrogate pairs, which no file system stores.
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in path):
        return "it has a control character"
    for part in path.split("/"):
        if part in ("", ".", ".."):
            return f"it has {part!r} as a part" if part else "it has an empty part"
    return ""


def _bad_path(path: str, what: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"artifact_path: {path[:200]!r}: {what}", metadata={"field": "artifact_path"})

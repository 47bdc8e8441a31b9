"""The server's rules for what a run says of itself, told at the call: later nobody could mend it."""

import re
from collections.abc import Mapping

from trackwire.errors import InvalidArgumentError
from trackwire.gathering import check_key

VALUE_CHARACTERS_MAX = 65_536
RUN_ID_CHARACTERS_MAX = 256
RUN_NAME_CHARACTERS_MAX = 250
EXPERIMENT_NAME_CHARACTERS_MAX = 500
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def check_run_id(field: str, run_id: str) -> str:
    """The id of a run."""
    text = checked_text(field, run_id, RUN_ID_CHARACTERS_MAX)
    if not _RUN_ID.fullmatch(text):
        raise _error(field, text, 'must begin with a letter or digit and go on with letters, digits, "_", "-"')
    return text


def checked_entries(field: str, entries: Mapping[str, object]) -> dict[str, str]:
    """Params or tags, each value as `str()` gives it now."""
    return {
        check_key(key): checked_text(f"{field}[{key!r}]", value, VALUE_CHARACTERS_MAX) for key, value in entries.items()
    }


def checked_text(field: str, value: object, characters_max: int) -> str:
    """A value as text that a request can carry."""
    text = str(value)
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise _error(field, text, "must not contain NUL or half of a surrogate pair")
    if len(text) > characters_max:
        raise _error(field, text, f"has {len(text):,} characters, at most {characters_max:,} are allowed")
    return text


def _error(field: str, text: str, what: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"{field}: {text[:60]!r}: {what}", metadata={"field": field})

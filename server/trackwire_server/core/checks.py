"""Checks of arguments; each failure names the field, the value and the limit."""

import posixpath
import re
from collections.abc import Mapping

from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.limits import LIMITS

# MLflow's rule for keys, without its blanks other than the space: a newline or a tab in a key is always a mistake.
_NOT_OF_KEYS = re.compile(r"[^\w.\-/: ]")
_RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]*", re.ASCII)
# JSON within JSON can spell it: "\ud800".
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_TOKEN = re.compile(r"[\w.\-:]+", re.ASCII)
INT64_MAX = 2**63 - 1
TIME_MS_MAX = 253_402_300_799_999


def check_characters(field: str, value: str, limit: int) -> str:
    """Text of at most `limit` characters, without NUL and half surrogate pairs (no database keeps these)."""
    if len(value) > limit:
        raise InvalidArgument(
            field,
            value,
            f"has {len(value):,} characters, at most {limit:,} are allowed",
            reason="TOO_LONG",
            limit=limit,
        )
    if "\0" in value:
        raise InvalidArgument(field, value, "must not contain the NUL character")
    if not value.isascii() and (half := _HALF_PAIR.search(value)):
        raise InvalidArgument(field, value, f"must not contain half of a surrogate pair, and has {half[0]!r}")
    return value


def check_required(field: str, value: str, limit: int) -> str:
    """Text that must be there."""
    if not value:
        raise InvalidArgument(field, value, "is required", reason="REQUIRED")
    return check_characters(field, value, limit)


def check_key(field: str, key: str) -> str:
    """The key of a metric, param or tag: letters, digits, "_", "-", ".", ":", "/" and space, a clean relative path."""
    check_required(field, key, LIMITS.key_characters)
    if other := _NOT_OF_KEYS.search(key):
        raise InvalidArgument(
            field, key, f'may only have letters, digits, "_", "-", ".", ":", "/" and space, not {other[0]!r}'
        )
    if posixpath.normpath(key) != key or key == "." or key.startswith(("..", "/")):
        raise InvalidArgument(
            field, key, f"must be a clean relative path, such as {posixpath.normpath('/' + key)[1:]!r}"
        )
    return key


def check_run_id(field: str, run_id: str) -> str:
    """The id of a run."""
    check_required(field, run_id, LIMITS.run_id_characters)
    if not _RUN_ID.fullmatch(run_id):
        raise InvalidArgument(
            field, run_id, 'must begin with a letter or digit and go on with letters, digits, "_", "-"'
        )
    return run_id


def check_token(field: str, value: str, limit: int) -> str:
    """An id that machines make: letters, digits, "_", "-", "." and ":"."""
    check_required(field, value, limit)
    if not _TOKEN.fullmatch(value):
        raise InvalidArgument(field, value, 'may only have letters, digits, "_", "-", "." and ":"')
    return value


def check_entries(
    field: str,
    entries: Mapping[str, str],
    *,
    value_limit: int,
    required: bool = True,
    limit: int = LIMITS.entries_per_request,
) -> None:
    """Params or tags: how many, their keys and their values."""
    if required and not entries:
        raise InvalidArgument(field, {}, "at least one entry is required", reason="REQUIRED")
    if len(entries) > limit:
        raise InvalidArgument(field, len(entries), f"at most {limit:,} entries are allowed in one request", limit=limit)
    for key, value in entries.items():
        check_key(field, key)
        check_characters(f"{field}[{key}]", value, value_limit)


def check_time(field: str, time_ms: int) -> int:
    """Unix milliseconds, from 1970 to the end of the year 9999: what is beyond is in another unit."""
    if not 0 <= time_ms <= TIME_MS_MAX:
        raise InvalidArgument(
            field, time_ms, f"must be Unix milliseconds, from 0 to {TIME_MS_MAX} (the year 9999)", limit=TIME_MS_MAX
        )
    return time_ms


def check_not_negative(field: str, value: int) -> None:
    """A count of bytes, or a place among them."""
    if not 0 <= value <= INT64_MAX:
        raise InvalidArgument(field, value, "must be 0 or more", limit=0)


def check_page_size(page_size: int, *, default: int, maximum: int) -> int:
    """The page's size; 0 means the default."""
    if page_size == 0:
        return default
    if not 1 <= page_size <= maximum:
        raise InvalidArgument(
            "page_size", page_size, f"must be from 1 to {maximum:,}, or 0 for {default:,}", limit=maximum
        )
    return page_size

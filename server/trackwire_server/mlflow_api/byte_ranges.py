"""The Range header of HTTP (RFC 9110, section 14): one range of bytes; several are answered with the whole."""

import re

_RANGE = re.compile(r"bytes=\s*(?P<first>\d{0,19})-(?P<last>\d{0,19})\s*", re.ASCII)


class NotSatisfiable(Exception):
    """A range that lies behind the end."""


def byte_range(header: str, size_bytes: int) -> range | None:
    """The positions that a header asks for; None where it asks for all, or for what this server does not divide.

    Raises NotSatisfiable.
    """
    match = _RANGE.fullmatch(header)
    if match is None or not (match["first"] or match["last"]):
        return None
    if not match["first"]:
        found = range(max(0, size_bytes - int(match["last"])), size_bytes)
    else:
        first = int(match["first"])
        last = int(match["last"]) if match["last"] else size_bytes - 1
        if match["last"] and last < first:
            return None
        found = range(first, min(last + 1, size_bytes))
    if not found:
        raise NotSatisfiable
    return found

"""LIKE: `%` is any text, `_` any one character, nothing escapes them, line breaks are characters."""

from __future__ import annotations

import re
from functools import lru_cache


def like_to_regex(pattern: str) -> str:
    """A regular expression to `fullmatch` under DOTALL that never backtracks from one `%` into another.

    The leftmost place of each piece between two `%` is always good enough, so an atomic group holds on to it; without
    that, `%a%a%a%a%` would take time to the power of its pieces.
    """
    first, *others = ("".join("." if c == "_" else re.escape(c) for c in piece) for piece in pattern.split("%"))
    if not others:
        return first
    *middle, last = others
    return first + "".join(f"(?>.*?{piece})" for piece in middle if piece) + f".*{last}"


def matches_like(text: str, pattern: str, *, ignore_case: bool = False) -> bool:
    if ignore_case:
        text, pattern = text.lower(), pattern.lower()
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(like_to_regex(pattern), re.DOTALL)

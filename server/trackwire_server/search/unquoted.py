"""Keys with signs that need quotes, written without them: what was meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trackwire_server.search.identifiers import AGGREGATES
from trackwire_server.search.tree import FieldKind
from trackwire_server.search.vocabulary import PREFIX_KINDS

if TYPE_CHECKING:
    from trackwire_server.search.vocabulary import Vocabulary

# As far as a key may go: to the next sign that is of the language, but for parentheses with no such sign between them.
SIGN = r"""[^`'"=<>!&|,;()]"""
KEY_PATTERN = re.compile(rf"(?:{SIGN}|\({SIGN}*+\))++")
KEYWORD_PATTERN = re.compile(r"(?<![\w./-])(?ai:(and|or)|not|i?like|in|is)(?![\w./-])")
COMPARATOR_PATTERN = re.compile(r"<=|>=|<>|!=|=|<|>")
# Longer ones are hardly keys.
CHARACTERS_MAX = 64


def with_quotes(text: str, position: int, raw: str, vocabulary: Vocabulary) -> str | None:
    """The name that begins at `position` with its key in backticks; None where none that is longer than `raw` is meant.

    It is meant where an operator follows, with neither AND nor OR before it.
    """
    head, dot, _ = raw.partition(".")
    kind = PREFIX_KINDS.get(head.lower()) if dot else None
    if any(quote in raw for quote in "`'\"") or (kind is None and (dot or vocabulary.attribute(raw))):
        return None
    begin = position + (len(head) + 1 if dot else 0)
    key = _key(text, begin)
    if key is None or begin + len(key) <= position + len(raw):
        return None
    stem, _, suffix = key.rpartition(".")
    is_aggregated = kind is FieldKind.METRIC and stem and suffix in AGGREGATES
    quoted = f"`{stem}`.{suffix}" if is_aggregated else f"`{key}`"
    return f"{head}.{quoted}" if dot else quoted


def _key(text: str, begin: int) -> str | None:
    found = KEY_PATTERN.match(text, begin)
    if found is None:
        return None
    keyword = KEYWORD_PATTERN.search(text, begin, found.end())
    if keyword is None and COMPARATOR_PATTERN.match(text, found.end()) is None:
        return None
    if keyword is not None and keyword[1]:
        return None
    key = text[begin : keyword.start() if keyword else found.end()].rstrip()
    return key if key and len(key) <= CHARACTERS_MAX and key.isprintable() else None

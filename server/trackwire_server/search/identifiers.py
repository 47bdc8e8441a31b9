"""From a name as it was written to the field that it means."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trackwire_server.search.errors import SearchSyntaxError, shorten
from trackwire_server.search.tree import Field, FieldKind, MetricAggregate, ValueType
from trackwire_server.search.vocabulary import PREFIX_KINDS

if TYPE_CHECKING:
    from trackwire_server.search.vocabulary import Vocabulary

# A head (quoted or not), then perhaps a dot and the rest; then in the rest a quoted key and perhaps a dotted suffix.
HEAD_PATTERN = re.compile(r"""(?P<head>`(?:[^`]|``)*+`|"(?:[^"]|"")*+"|[^.`"']++)(?:\.(?P<rest>.*))?""", re.DOTALL)
QUOTED_KEY_PATTERN = re.compile(
    r"""(?P<key>`(?:[^`]|``)*+`|"(?:[^"]|"")*+"|'(?:[^']|'')*+')(?:\.(?P<suffix>.*))?""", re.DOTALL
)
NUMBER_PATTERN = re.compile(r"[+-]?[0-9.][0-9.eE+-]*")
# What may stand behind a prefix as it is.
KEY_PATTERN = re.compile(r"""`(?:[^`]|``)++`|"(?:[^"]|"")++"|[\w./-]++""")
AGGREGATES = {aggregate.value: aggregate for aggregate in MetricAggregate}
# Longer names are no slip of a finger, and comparing them costs more than the hint is worth.
SUGGESTION_CHARACTERS_MAX = 64


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier where it stands in the filter."""

    text: str
    raw: str
    position: int

    def error(self, reason: str, *, offset: int = 0) -> SearchSyntaxError:
        return SearchSyntaxError(self.text, self.position + offset + 1, reason)


def resolve(name: Name, vocabulary: Vocabulary) -> Field:
    """The field, or a SearchSyntaxError at the part of the name that isn't known."""
    parts = HEAD_PATTERN.fullmatch(name.raw)
    if parts is None:
        raise name.error(_not_a_name(name.raw))
    head, rest = unquote(parts["head"]), parts["rest"]
    if rest is None:
        return _attribute(name, head, vocabulary)
    kind = PREFIX_KINDS.get(head.lower())
    if kind is None:
        raise _unknown(name, head, vocabulary)
    rest_offset = parts.start("rest")
    if kind is FieldKind.ATTRIBUTE:
        return _attribute(name, _whole_key(name, rest, rest_offset), vocabulary, offset=rest_offset)
    if kind is FieldKind.DATASET and vocabulary.dataset_keys:
        return _of_dataset(name, _whole_key(name, rest, rest_offset), vocabulary, offset=rest_offset)
    if kind not in vocabulary.keyed_kinds:
        raise name.error(f"{vocabulary.entity} have no {kind}s; they are searched by {_known(vocabulary)}")
    if kind is FieldKind.METRIC:
        return _metric(name, rest, rest_offset)
    return Field(kind, _whole_key(name, rest, rest_offset), ValueType.STRING)


def unquote(quoted: str) -> str:
    """The text between its quotes, doubled quotes inside made single; unquoted text as it is."""
    if quoted[:1] not in ("'", '"', "`"):
        return quoted
    return quoted[1:-1].replace(quoted[0] * 2, quoted[0])


def _attribute(name: Name, key: str, vocabulary: Vocabulary, *, offset: int = 0) -> Field:
    attribute = vocabulary.attribute(key)
    if attribute is None:
        raise _unknown(name, key, vocabulary, offset=offset)
    return attribute.field


def _of_dataset(name: Name, key: str, vocabulary: Vocabulary, *, offset: int) -> Field:
    known = key.lower()
    if known not in vocabulary.dataset_keys:
        reason = f"{shorten(key)!r} is not known of a dataset; expected {', '.join(vocabulary.dataset_keys)}"
        raise name.error(reason, offset=offset)
    return Field(FieldKind.DATASET, known, ValueType.STRING)


def _metric(name: Name, rest: str, offset: int) -> Field:
    key, suffix = _split_key(name, rest, offset)
    aggregate = MetricAggregate.LAST if suffix is None else AGGREGATES.get(suffix)
    if aggregate is None:
        reason = f"{shorten(suffix or '')!r} is not known of a metric; expected {', '.join(AGGREGATES)}"
        raise name.error(reason, offset=len(name.raw) - len(suffix or ""))
    value_type = ValueType.INTEGER if aggregate is MetricAggregate.COUNT else ValueType.REAL
    return Field(FieldKind.METRIC, key, value_type, aggregate)


def _split_key(name: Name, rest: str, offset: int) -> tuple[str, str | None]:
    quoted = QUOTED_KEY_PATTERN.fullmatch(rest)
    if quoted is not None and quoted["suffix"] is not None:
        return _whole_key(name, quoted["key"], offset), quoted["suffix"]
    key, dot, suffix = rest.rpartition(".")
    if quoted is None and dot and key and suffix in AGGREGATES:
        return _whole_key(name, key, offset), suffix
    return _whole_key(name, rest, offset), None


def _whole_key(name: Name, written: str, offset: int) -> str:
    quoted = QUOTED_KEY_PATTERN.fullmatch(written)
    if quoted is not None and quoted["suffix"] is not None:
        suffix_offset = offset + quoted.start("suffix")
        raise name.error(f"found {shorten(quoted['suffix'])!r} after a key that takes no suffix", offset=suffix_offset)
    if quoted is None and any(quote in written for quote in "'\"`"):
        raise name.error(f"the key {shorten(written)} is quoted in part; quote the whole key or nothing", offset=offset)
    key = unquote(written)
    if not key:
        raise name.error("a key is expected after the dot, and it is empty", offset=offset)
    return key


def _not_a_name(raw: str) -> str:
    shown = shorten(raw)
    if raw.startswith("'"):
        return f"found the text {shown} where a field is expected: fields stand on the left and take no single quotes"
    return f"{shown!r} is not the name of a field; expected a name, or a prefix, a dot and a key"


def _unknown(name: Name, part: str, vocabulary: Vocabulary, *, offset: int = 0) -> SearchSyntaxError:
    if NUMBER_PATTERN.fullmatch(name.raw):
        return name.error(f"found the number {shorten(name.raw)} where a field is expected: fields stand on the left")
    candidates = [*vocabulary.attributes_by_name, *vocabulary.prefixes]
    close = difflib.get_close_matches(part.lower(), candidates, n=1) if len(part) <= SUGGESTION_CHARACTERS_MAX else []
    if close:
        hint = f"did you mean {close[0]!r}?"
    else:
        hint = f"{_as_key(name.raw[offset:], vocabulary)}{vocabulary.entity} are searched by {_known(vocabulary)}"
    return name.error(f"{shorten(part)!r} is not known of {vocabulary.entity}; {hint}", offset=offset)


def _as_key(raw: str, vocabulary: Vocabulary) -> str:
    """What a word means perhaps that stands alone: the key of a metric, param or tag."""
    if not vocabulary.keyed_kinds or len(raw) > SUGGESTION_CHARACTERS_MAX or not KEY_PATTERN.fullmatch(raw):
        return ""
    *most, last = [f"{kind}s.{raw}" for kind in FieldKind if kind in vocabulary.keyed_kinds]
    return f"did you mean {', '.join(most)} or {last}? " if most else f"did you mean {last}? "


def _known(vocabulary: Vocabulary) -> str:
    keyed = [f"{kind}s.<key>" for kind in FieldKind if kind in vocabulary.keyed_kinds]
    of_datasets = [f"datasets.{key}" for key in vocabulary.dataset_keys]
    return ", ".join([*(attribute.name for attribute in vocabulary.attributes), *keyed, *of_datasets])

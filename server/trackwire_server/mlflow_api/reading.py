"""From a request's JSON or query to its typed message; what doesn't fit is told as MLflow's clients expect it.

Numbers may be written as text and the other way round is refused, unknown fields are left alone, and null is the same
as a field that isn't there: as protobuf reads JSON.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, TypeAlias, TypeVar, get_origin

import msgspec

from trackwire_server.mlflow_api.errors import INVALID_PARAMETER_VALUE, MlflowError, invalid, missing

Int32: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Int64: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
MessageT = TypeVar("MessageT", bound=msgspec.Struct)

# A message that isn't of its type is one of these as well.
_NO_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_AT = re.compile(r"(?P<what>.*?)(?: - at `(?:key in )?\$\.?(?P<path>[^`]*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<field>\w+)`")
# Which value of a map it is, msgspec does not say.
_IN_MAP = "[...]"
_STEP = re.compile(r"\[(?P<index>\d+)\]|\.?(?P<field>[^.\[\]]+)")


class OfRun(msgspec.Struct, kw_only=True):
    """A request about a run: by `run_id`, or by the name that this field once had."""

    run_id: str = ""
    run_uuid: str = ""

    @property
    def run(self) -> str:
        """The run's id. Raises MlflowError where there is none."""
        if not (self.run_id or self.run_uuid):
            raise missing("run_id")
        return self.run_id or self.run_uuid


def read_body(body: bytes, kind: type[MessageT]) -> MessageT:
    """A message out of JSON. Raises MlflowError naming the field and the value."""
    try:
        return msgspec.json.decode(body or b"{}", type=kind, strict=False)
    except _NO_JSON:
        return _read_again(body, kind)


def read_query(query: Sequence[tuple[str, str]], kind: type[MessageT]) -> MessageT:
    """A message out of a query, where a field that is a list stands once for each entry."""
    lists = _lists_of(kind)
    found: dict[str, Any] = {}
    for name, value in query:
        if name in lists:
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    return _converted(found, kind)


@cache
def _lists_of(kind: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(field.name for field in msgspec.structs.fields(kind) if get_origin(field.type) is list)


def _read_again(body: bytes, kind: type[MessageT]) -> MessageT:
    """The slow way, which knows what null means and what stood there."""
    raw = _decoded(body)
    if isinstance(raw, str):
        # Old clients encode it twice.
        raw = _decoded(raw)
    if not isinstance(raw, dict):
        raise MlflowError(INVALID_PARAMETER_VALUE, f"the request's body must be a JSON object, not {_kind_of(raw)}")
    return _converted(_without_nulls(raw), kind)


def _decoded(text: bytes | str) -> Any:
    try:
        return msgspec.json.decode(text)
    except _NO_JSON as error:
        raise MlflowError(INVALID_PARAMETER_VALUE, f"the request's body is not JSON: {error}") from error


def _converted(raw: Mapping[str, Any], kind: type[MessageT]) -> MessageT:
    try:
        return msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _refused(raw, str(error)) from error


def _refused(raw: Mapping[str, Any], words: str) -> MlflowError:
    match = _AT.fullmatch(words)
    assert match is not None
    what, path = match["what"], match["path"] or ""
    if absent := _MISSING.fullmatch(what):
        return missing(f"{path}.{absent['field']}" if path else absent["field"])
    if path.endswith(_IN_MAP):
        path = path.removesuffix(_IN_MAP)
        return invalid(path, _value_at(raw, path), f"One of its values is wrong: {what[0].lower()}{what[1:]}")
    value = _value_at(raw, path)
    return invalid(path, value, f"Value was of type '{_kind_of(value)}': {what[0].lower()}{what[1:]}")


def _value_at(raw: Any, path: str) -> Any:
    for step in _STEP.finditer(path):
        try:
            raw = raw[int(step["index"])] if step["index"] else raw[step["field"]]
        except (KeyError, IndexError, TypeError):
            return None
    return raw


def _without_nulls(raw: Any) -> Any:
    if isinstance(raw, dict):
        return {key: _without_nulls(value) for key, value in raw.items() if value is not None}
    return [_without_nulls(value) for value in raw] if isinstance(raw, list) else raw


def _kind_of(value: object) -> str:
    return {dict: "object", list: "array", type(None): "null"}.get(type(value), type(value).__name__)

"""JSON that somebody else wrote, as values, and values as the JSON that is kept.

It is JSON as Python's `json` has it: NaN and infinities are numbers, since MLflow's clients send them.
"""

import json

from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.limits import LIMITS

_CONTAINERS = (dict, list)


def json_value(field: str, text: str) -> object:
    """What a text says. Raises InvalidArgument."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise _nested_too_deeply(field, text) from error
    # Numbers of very many digits are one, too.
    except ValueError as error:
        raise InvalidArgument(field, text, f"is not JSON: {error}", reason="BAD_JSON") from error


def check_levels(field: str, value: object) -> None:
    """Whether arrays and objects lie in each other no deeper than any code can follow. Raises InvalidArgument."""
    level = [value]
    for _ in range(LIMITS.json_levels):
        within = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, _CONTAINERS)]
        level = [inner for all_of_one in within for inner in all_of_one if isinstance(inner, _CONTAINERS)]
        if not level:
            return
    raise _nested_too_deeply(field, "…")


def _nested_too_deeply(field: str, value: str) -> InvalidArgument:
    limit = LIMITS.json_levels
    return InvalidArgument(field, value, f"is nested too deeply: at most {limit} levels are allowed", limit=limit)


def json_object(field: str, value: object) -> dict[str, object]:
    """A value that must be an object. Raises InvalidArgument."""
    if not isinstance(value, dict):
        raise InvalidArgument(field, value, f"must be a JSON object, not {json_type(value)}")
    return value


def json_text(value: object) -> str:
    """A value without blanks, and without escapes where it can do without."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        # Half a surrogate pair: JSON can spell it, UTF-8 can't.
        return json.dumps(value, separators=(",", ":"))
    return text


def json_type(value: object) -> str:
    """The name of a value's type."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "float"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"

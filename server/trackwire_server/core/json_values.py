"""JSON that somebody else wrote, as values, and values as the JSON that is kept.

It is JSON as Python's `json` has it: NaN and infinities are numbers, since MLflow's clients send them.
"""

import json

from trackwire_server.core.errors import InvalidArgument


def json_value(field: str, text: str) -> object:
    """What a text says. Raises InvalidArgument."""
    try:
        return json.loads(text)
    # Numbers of very many digits are a ValueError, too.
    except (ValueError, RecursionError) as error:
        raise InvalidArgument(field, text, f"is not JSON: {error}", reason="BAD_JSON") from error


def json_object(field: str, value: object) -> dict[str, object]:
    """A value that must be an object. Raises InvalidArgument."""
    if not isinstance(value, dict):
        raise InvalidArgument(field, value, f"must be a JSON object, not {json_type(value)}")
    return value


def json_text(value: object) -> str:
    """A value without blanks, and without escapes where it can do without. Raises RecursionError."""
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

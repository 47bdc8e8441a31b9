"""The file of tokens as text: TOML, a table a token, drawn in docs/security.md."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.tokens import Scope, Token

BAD_FILE = "BAD_TOKENS_FILE"
NAME_CHARACTERS_MAX = 100
SCOPES: Mapping[str, Scope] = {scope.word: scope for scope in Scope}
_HEAD = "# Trackwire's tokens, of each its SHA-256 alone. `trackwire tokens` writes this file.\n"
# No ":", which ends the user of HTTP's basic authentication, and nothing that TOML would have to quote.
_NAME = re.compile(r"[A-Za-z0-9._@+-]+")
_REQUIRED = ("name", "sha256", "scope", "created")
_KNOWN = (*_REQUIRED, "expires")


def tokens_in(text: str) -> Sequence[Token]:
    """The tokens that a file holds. Raises InvalidArgument, which names the token and its field."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidArgument("tokens", "the file", f"is no TOML: {error}", reason=BAD_FILE) from error
    if unknown := next((key for key in document if key != "token"), None):
        raise InvalidArgument(unknown, document[unknown], "is not known here: there is only [[token]]", reason=BAD_FILE)
    tables = document.get("token", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise InvalidArgument("token", tables, "must be tables: [[token]]", reason=BAD_FILE)
    tokens = [_token(f"token[{at}]", table) for at, table in enumerate(tables)]
    for what, values in (("name", [token.name for token in tokens]), ("sha256", [token.digest for token in tokens])):
        for at, value in enumerate(values):
            if value in values[:at]:
                raise InvalidArgument(f"token[{at}].{what}", tables[at][what], "stands there twice", reason=BAD_FILE)
    return tokens


def text_of(tokens: Sequence[Token]) -> str:
    """The file of these tokens."""
    return "\n".join([_HEAD, *map(_table, tokens)])


def checked_name(field: str, name: object) -> str:
    """A token's name, which is also a user's name over HTTP."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > NAME_CHARACTERS_MAX:
        expected = f"must be 1 to {NAME_CHARACTERS_MAX} letters, digits and . _ @ + -"
        raise InvalidArgument(field, name, expected, limit=NAME_CHARACTERS_MAX)
    return name


def _token(place: str, table: Mapping[str, object]) -> Token:
    for key in table:
        if key not in _KNOWN:
            raise InvalidArgument(f"{place}.{key}", table[key], f"must be one of {', '.join(_KNOWN)}", reason=BAD_FILE)
    for key in _REQUIRED:
        if key not in table:
            raise InvalidArgument(f"{place}.{key}", "", "is required", reason=BAD_FILE)
    scope = table["scope"]
    if not isinstance(scope, str) or scope not in SCOPES:
        raise InvalidArgument(f"{place}.scope", scope, f"must be one of {', '.join(SCOPES)}", reason=BAD_FILE)
    return Token(
        name=checked_name(f"{place}.name", table["name"]),
        digest=_digest(f"{place}.sha256", table["sha256"]),
        scope=SCOPES[scope],
        created_ms=_time_ms(f"{place}.created", table["created"]),
        expires_ms=_time_ms(f"{place}.expires", table["expires"]) if "expires" in table else None,
    )


def _digest(field: str, text: object) -> bytes:
    if not isinstance(text, str) or not re.fullmatch(r"[0-9a-f]{64}", text):
        raise InvalidArgument(field, text, "must be 64 hexadecimal digits in small letters", reason=BAD_FILE)
    return bytes.fromhex(text)


def _time_ms(field: str, time: object) -> int:
    if not isinstance(time, datetime) or time.tzinfo is None:
        raise InvalidArgument(field, time, "must be a time such as 2027-01-31T12:00:00Z", reason=BAD_FILE)
    return round(time.timestamp() * 1000)


def _table(token: Token) -> str:
    lines = [
        "[[token]]",
        f'name = "{token.name}"',
        f'sha256 = "{token.digest.hex()}"',
        f'scope = "{token.scope.word}"',
        f"created = {_time(token.created_ms)}",
    ]
    if token.expires_ms is not None:
        lines.append(f"expires = {_time(token.expires_ms)}")
    return "\n".join(lines) + "\n"


def _time(time_ms: int) -> str:
    text = datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")

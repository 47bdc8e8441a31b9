"""`python -m trackwire_server tokens …`: makes, lists and revokes tokens, which a server that runs soon sees."""

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from trackwire_server.core.clock import system_clock
from trackwire_server.core.errors import AlreadyExists, InvalidArgument, NotFound
from trackwire_server.core.token_format import SCOPES, checked_name
from trackwire_server.core.tokens import Token, digest_of, new_secret
from trackwire_server.tokens_file import change_tokens, read_tokens

FILE_VARIABLE = "TRACKWIRE_TOKENS_FILE"
_UNIT_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DAYS_MAX = 36_500
_HEAD = ("NAME", "SCOPE", "CREATED", "EXPIRES")


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Does what the arguments behind `tokens` say. Raises TrackwireError."""
    options = _parser().parse_args(arguments)
    named = options.file or environment.get(FILE_VARIABLE, "")
    if not named:
        raise InvalidArgument("--file", "", f"is required: name the server's --tokens-file, here or by {FILE_VARIABLE}")
    act: Callable[[Path, argparse.Namespace], None] = options.act
    act(Path(named).expanduser().absolute(), options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trackwire tokens", description="Makes, lists and revokes tokens.", allow_abbrev=False
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    create = _action(actions, "create", _create, "Make a token and print it, this once: of it only a hash is kept.")
    create.add_argument("name", metavar="NAME", help="Whose it is, or for what; over HTTP also the user's name.")
    create.add_argument("--scope", choices=SCOPES, default="write", help="What it may do. [default: write]")
    create.add_argument(
        "--expires", default="never", metavar="TIME", help="After how long: 90d, 12h, 30m, or never. [default: never]"
    )
    listing = _action(actions, "list", _list, "List tokens, never showing one.")
    listing.add_argument("--json", action="store_true", dest="as_json", help="Print JSON Lines.")
    revoke = _action(actions, "revoke", _revoke, "Have a token count no more; a running server sees it at once.")
    revoke.add_argument("name", metavar="NAME", help="As `trackwire tokens list` shows it.")
    return parser


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    act: Callable[[Path, argparse.Namespace], None],
    text: str,
) -> argparse.ArgumentParser:
    action = actions.add_parser(name, help=text, description=text, allow_abbrev=False)
    action.add_argument("--file", metavar="FILE", help=f"The server's --tokens-file. [{FILE_VARIABLE}]")
    action.set_defaults(act=act)
    return action


def _create(file: Path, options: argparse.Namespace) -> None:
    name, now_ms, secret = checked_name("NAME", options.name), system_clock(), new_secret()
    lasts_ms = _duration_ms(options.expires)
    expires_ms = None if lasts_ms is None else now_ms + lasts_ms
    token = Token(name, digest_of(secret), SCOPES[options.scope], now_ms, expires_ms)

    def with_it(tokens: Sequence[Token]) -> Sequence[Token]:
        if any(each.name == name for each in tokens):
            raise AlreadyExists("token", name, hint="revoke it first, or choose another name")
        return [*tokens, token]

    change_tokens(file, with_it)
    sys.stdout.write(f"{secret}\n")
    sys.stderr.write(f"token {name!r}, scope {token.scope.word}, expires {_expiry(token)}: it is not shown again\n")


def _list(file: Path, options: argparse.Namespace) -> None:
    rows = [(each.name, each.scope.word, _time(each.created_ms), _expiry(each)) for each in read_tokens(file)]
    if options.as_json:
        names = [column.lower() for column in _HEAD]
        sys.stdout.writelines(f"{json.dumps(dict(zip(names, row, strict=True)))}\n" for row in rows)
        return
    widths = [max(map(len, column)) for column in zip(_HEAD, *rows, strict=True)]
    for row in (_HEAD, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")


def _revoke(file: Path, options: argparse.Namespace) -> None:
    def without_it(tokens: Sequence[Token]) -> Sequence[Token]:
        left = [each for each in tokens if each.name != options.name]
        if len(left) == len(tokens):
            raise NotFound("token", options.name)
        return left

    # Nothing is to be made where there is no file.
    read_tokens(file)
    change_tokens(file, without_it)
    sys.stdout.write(f"token {options.name!r} revoked\n")


def _duration_ms(text: str) -> int | None:
    """How long a token counts; None: until it is revoked."""
    if text == "never":
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,6})([mhd])", text)
    duration_ms = int(found[1]) * _UNIT_MS[found[2]] if found else 0
    if not 0 < duration_ms <= _DAYS_MAX * _UNIT_MS["d"]:
        raise InvalidArgument(
            "--expires", text, f"must be a time such as 90d, 12h or 30m, up to {_DAYS_MAX}d, or never"
        )
    return duration_ms


def _expiry(token: Token) -> str:
    if token.expires_ms is None:
        return "never"
    return f"{_time(token.expires_ms)}{' (expired)' if token.has_expired(system_clock()) else ''}"


def _time(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

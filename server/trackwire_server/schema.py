"""`python -m trackwire_server db …`: a store copied, checked, its schema told or brought up to date.

No server needs to run.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from trackwire_server import backup
from trackwire_server.config import MEMORY, SETTINGS, Config, add_flags
from trackwire_server.config_uris import without_password
from trackwire_server.core.errors import FailedPrecondition, InvalidArgument
from trackwire_server.data_dir import claimed
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.tables import SCHEMA_VERSION

Answer = TypeVar("Answer")
_ASKED_FOR = ("data_dir", "store_uri")
_TARGET = "target"


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Does what the arguments behind `db` say. Raises TrackwireError."""
    flags = vars(_parser().parse_args(arguments))
    act: Callable[[Config], Coroutine[None, None, str]] = flags.pop("act")
    if (target := flags.pop(_TARGET, None)) is not None:
        act = partial(_backup, target=Path(target).absolute())
    config = Config.read(flags, environment)
    if config.store_uri == MEMORY:
        raise InvalidArgument("store_uri", MEMORY, "has no schema: name a database")
    sys.stdout.write(f"{asyncio.run(act(config))}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trackwire db",
        description="Copies a store, checks it, upgrades its schema, or tells its version.",
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    for name, act, text in (
        ("backup", _backup, "Copy a SQLite store into a new file, beside a server that goes on, and check the copy."),
        ("check", _check, "Read all points of a store and compare them with its summaries; tell how much there is."),
        ("upgrade", _upgrade, "Bring a store's schema up to this version. No server may use the data directory."),
        ("version", _version, "Tell the version of a store's schema, and that of this server."),
    ):
        action = actions.add_parser(name, help=text, description=text, allow_abbrev=False)
        action.set_defaults(act=act)
        if act is _backup:
            action.add_argument(_TARGET, metavar="FILE", help="The file to make; there must be none of its name.")
        for setting in SETTINGS:
            if setting.name in _ASKED_FOR:
                add_flags(action, setting)
    return parser


async def _backup(config: Config, target: Path) -> str:
    file = _file_of(config.store_uri)
    if file is None:
        expected = "is not in a file: back it up by its own server's tool, such as pg_dump (docs/operations.md)"
        raise InvalidArgument("store_uri", without_password(config.store_uri), expected)
    return await backup.back_up(file, target)


async def _check(config: Config) -> str:
    _require_file(config.store_uri)
    return await backup.check(config.store_uri)


async def _upgrade(config: Config) -> str:
    # Elsewhere than in the data directory there is no lock: the upgrade's own transaction keeps others out.
    file = _file_of(config.store_uri)
    is_embedded = file is not None and file.is_relative_to(config.data_dir)
    begin = time.monotonic()
    with claimed(config.data_dir) if is_embedded else nullcontext():
        before, after = await _with_database(config, Database.upgrade)
    told = f"{without_password(config.store_uri)}: schema version {after}"
    if before == after:
        return f"{told}, {_beside(after)}"
    return f"{told}, before it was {before or 'empty'}; it took {time.monotonic() - begin:.1f} s"


async def _version(config: Config) -> str:
    _require_file(config.store_uri)
    schema = await _with_database(config, Database.schema)
    schema.check()
    return f"{without_password(config.store_uri)}: schema version {schema.version}, {_beside(schema.version)}"


def _beside(version: int) -> str:
    """What a version is for this server, which works with it."""
    if version == SCHEMA_VERSION:
        return "up to date"
    advice = "run trackwire db upgrade" if version < SCHEMA_VERSION else "it works with this one, too"
    return f"this server's is {SCHEMA_VERSION}: {advice}"


def _require_file(store_uri: str) -> None:
    file = _file_of(store_uri)
    if file is not None and not file.exists():
        # Opening it would make it.
        raise FailedPrecondition(f"store_uri: '{store_uri}': there is no database yet", metadata={"field": "store_uri"})


async def _with_database(config: Config, act: Callable[[Database], Awaitable[Answer]]) -> Answer:
    database = await Database.open(config.store_uri, artifact_root=config.default_artifact_root, upgrade=False)
    try:
        return await act(database)
    finally:
        await database.close()


def _file_of(store_uri: str) -> Path | None:
    """The file of an embedded database; None for one that is a server."""
    try:
        url = make_url(store_uri)
    except ArgumentError:
        return None
    return Path(url.database).absolute() if url.get_backend_name() == "sqlite" and url.database else None

"""`trackwire server`: starts the server, which is a package of its own."""

import importlib.util
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

PASSED_THROUGH = {"ignore_unknown_options": True, "help_option_names": []}
# Some of what only the server extra installs.
_NEEDED = ("trackwire_server", "sqlalchemy", "aiosqlite", "structlog", "lark", "grpc_health", "zstandard")


@click.command(context_settings=PASSED_THROUGH, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def server(arguments: tuple[str, ...]) -> None:
    """Start a server; `trackwire server --help` shows its options."""
    become_server(arguments)


def become_server(arguments: Sequence[str]) -> NoReturn:
    """Becomes `python -m trackwire_server`; without the server extra, says what to install."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise click.ClickException(
            f"the server is not installed ({', '.join(missing)} missing): pip install 'trackwire[server]'"
        )
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "trackwire_server", *arguments])

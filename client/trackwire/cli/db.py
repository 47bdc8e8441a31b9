"""`trackwire db`: a store's copies and its schema. The server's own command does the work; no server needs to run."""

import click

from trackwire.cli.server import PASSED_THROUGH, become_server


@click.group()
def db() -> None:
    """Back a store up, check it, upgrade its schema, or tell its version."""


@db.command(context_settings=PASSED_THROUGH, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def backup(arguments: tuple[str, ...]) -> None:
    """Copy a SQLite store into FILE, beside a server that goes on (--store-uri, --data-dir)."""
    become_server(["db", "backup", *arguments])


@db.command(context_settings=PASSED_THROUGH, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def check(arguments: tuple[str, ...]) -> None:
    """Read all points of a store, and tell how much there is of what (--store-uri, --data-dir)."""
    become_server(["db", "check", *arguments])


@db.command(context_settings=PASSED_THROUGH, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def upgrade(arguments: tuple[str, ...]) -> None:
    """Bring a store's schema up to this version (--store-uri, --data-dir)."""
    become_server(["db", "upgrade", *arguments])


@db.command(context_settings=PASSED_THROUGH, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def version(arguments: tuple[str, ...]) -> None:
    """Tell the version of a store's schema (--store-uri, --data-dir)."""
    become_server(["db", "version", *arguments])

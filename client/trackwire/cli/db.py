"""`trackwire db`: the schema of a store. The server's own command does the work; no server needs to run."""

import click

from trackwire.cli.server import PASSED_THROUGH, become_server


@click.group()
def db() -> None:
    """Upgrade a store's schema, or tell its version."""


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

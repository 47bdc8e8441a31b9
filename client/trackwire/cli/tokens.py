"""`trackwire tokens`: who may call a server. The server's own command does the work, where its file of tokens lies."""

import click

from trackwire.cli.server import PASSED_THROUGH, become_server


@click.group()
def tokens() -> None:
    """Make, list and revoke a server's tokens."""


@tokens.command(context_settings=PASSED_THROUGH, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def create(arguments: tuple[str, ...]) -> None:
    """Make a token and print it, this once (NAME --scope --expires --file)."""
    become_server(["tokens", "create", *arguments])


@tokens.command("list", context_settings=PASSED_THROUGH, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def list_tokens(arguments: tuple[str, ...]) -> None:
    """List tokens, never showing one (--file --json)."""
    become_server(["tokens", "list", *arguments])


@tokens.command(context_settings=PASSED_THROUGH, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def revoke(arguments: tuple[str, ...]) -> None:
    """Have a token count no more (NAME --file)."""
    become_server(["tokens", "revoke", *arguments])

"""`trackwire.doctor()`: what is installed here, where runs go, and how the server is."""

import platform

import click

from trackwire.cli import cli
from trackwire.cli.doctor import versions
from trackwire.cli.output import print_fields
from trackwire.fluent.choices import get_tracking_uri
from trackwire.fluent.settings import destination


def doctor(mask_envs: bool = False) -> None:
    """Prints what `trackwire doctor` does of the server that runs go to. Variables are not shown, masked or not."""
    place = destination(get_tracking_uri())
    if place.address:
        cli.main(["--server", place.address, "doctor"], prog_name="trackwire", standalone_mode=False)
        return
    print_fields({"python": platform.python_version(), **versions(), "spool": place.spool})
    click.echo("\nno server is named: runs are kept in the spool")

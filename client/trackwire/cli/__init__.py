"""The command line: `trackwire`. Exit status 0 for done, 1 for an error, 2 for a command that makes no sense."""

import math
import os
import sys
from collections.abc import Sequence

import click

from trackwire.address import ADDRESS_VARIABLE, DEFAULT_ADDRESS, DEFAULT_HOST
from trackwire.cli.artifacts import artifacts
from trackwire.cli.db import db
from trackwire.cli.doctor import doctor
from trackwire.cli.experiments import experiments
from trackwire.cli.export import export
from trackwire.cli.gc import gc
from trackwire.cli.imports import imports
from trackwire.cli.metrics import metrics
from trackwire.cli.models import models
from trackwire.cli.runs import runs
from trackwire.cli.server import server
from trackwire.cli.session import Session
from trackwire.cli.sync import sync
from trackwire.cli.tokens import tokens
from trackwire.errors import TrackwireError

EXIT_INTERRUPTED = 130


def _print_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        import trackwire

        click.echo(f"trackwire {trackwire.__version__}")
        context.exit()


def _check_address(_context: click.Context, _parameter: click.Parameter, address: str | None) -> str | None:
    # By itself a number is the name of a host: it would be looked up, and time out.
    if address is not None and address.isdecimal():
        raise click.BadParameter(f"{address!r}: did you mean {DEFAULT_HOST}:{address}?")
    return address


def _check_timeout(_context: click.Context, _parameter: click.Parameter, seconds: float) -> float:
    # Not `seconds <= 0`, which "nan" would pass.
    if not 0 < seconds < math.inf:
        raise click.BadParameter(f"{seconds}: must be a number of seconds greater than 0")
    return seconds


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option(
    "--server",
    "address",
    envvar=ADDRESS_VARIABLE,
    show_envvar=True,
    metavar="HOST:PORT",
    callback=_check_address,
    help=f"The server; {DEFAULT_ADDRESS} by default; with grpcs:// before it by TLS.",
)
@click.option(
    "--timeout",
    "timeout_seconds",
    default=30.0,
    show_default=True,
    callback=_check_timeout,
    help="Seconds that a call may take at most.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
@click.pass_context
def cli(context: click.Context, address: str | None, timeout_seconds: float) -> None:
    """Trackwire: experiment tracking over the wire."""
    session = Session(address, timeout_seconds)
    context.obj = session
    context.call_on_close(session.close)


for command in (server, experiments, runs, metrics, artifacts, models, db, gc, doctor, sync, imports, export, tokens):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; its exit status. Every error is one line on stderr; a filter's is drawn below it too."""
    try:
        status = cli.main(args=arguments, prog_name="trackwire", standalone_mode=False)
        sys.stdout.flush()
    except click.UsageError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        return _failed(error.message)
    except click.Abort as error:
        # click turns a Ctrl-C into this; only a prompt that was answered with no is a failure to tell of.
        return EXIT_INTERRUPTED if isinstance(error.__cause__, KeyboardInterrupt) else _failed("aborted")
    except TrackwireError as error:
        return _failed(str(error), error.request_id)
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _failed(str(error))
    return status if isinstance(status, int) else 0


def _failed(message: str, request_id: str = "") -> int:
    first, _, rest = message.partition("\n")
    named = f"{first} (request {request_id})" if request_id else first
    # A caret at the end draws where a filter stopped making sense.
    shown = f"{named}\n{rest}" if message.endswith("^") else named
    click.echo(f"trackwire: {shown}", err=True)
    return 1

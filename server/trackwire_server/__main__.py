"""`python -m trackwire_server`, which is also what `trackwire server` starts."""

import argparse
import asyncio
import gc
import os
import sys
from collections.abc import Mapping, Sequence

from trackwire_server.allocator import keep_what_is_used_again
from trackwire_server.announcement import installed_version
from trackwire_server.config import Config, argument_parser
from trackwire_server.core.errors import InvalidArgument, TrackwireError
from trackwire_server.lean_start import leave_out_what_is_not_used

EXIT_BAD_SETTING = 2
EXIT_CANNOT_START = 1
DB_COMMAND = "db"
TOKENS_COMMAND = "tokens"


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Serves until it is told to stop, asks how a server is, or looks after a schema or tokens; the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == [DB_COMMAND]:
        return _db(arguments[1:], environment)
    if arguments[:1] == [TOKENS_COMMAND]:
        return _tokens(arguments[1:], environment)
    parser = argument_parser()
    parser.add_argument("--version", action="store_true", help="Print the version and exit.")
    parser.add_argument(
        "--check", action="store_true", help="Exit with 0 if the server of this data directory serves, else with 1."
    )
    # What a supervisor says to its workers.
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    flags = parser.parse_args(arguments)
    if flags.version:
        sys.stdout.write(f"trackwire {installed_version()}\n")
        return 0
    try:
        config = Config.read(vars(flags), environment)
        if flags.check:
            from trackwire_server import health_check

            _require_no_address(flags)
            return health_check.check(config.data_dir)
        if config.workers > 1 and flags.worker is None:
            from trackwire_server.workers.supervisor import supervise

            return asyncio.run(supervise(config, arguments))
        _serve(config, flags.worker)
    except TrackwireError as error:
        return _refusal("server", error)
    return 0


def _serve(config: Config, place: str | None) -> None:
    # Imported once the settings are known to be right: they are heavy, and a tenth of that would be looks for garbage.
    gc.disable()
    # Nothing here is algebra: its threads, one for each core, would be a twentieth of the start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Of each handshake that fails gRPC has a line of its own: whoever scans ports could fill a disk with them.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    leave_out_what_is_not_used()
    from trackwire_server.stores.sql.sqlite_threads import leave_locking_to_the_driver

    leave_locking_to_the_driver()
    from trackwire_server import app
    from trackwire_server.workers import worker
    from trackwire_server.workers.place import Place

    keep_what_is_used_again()
    with asyncio.Runner(loop_factory=app.loop_factory()) as runner:
        runner.run(app.serve(config) if place is None else worker.serve(config, Place.of_text(place)))


def _require_no_address(flags: argparse.Namespace) -> None:
    # In the environment they may stand: a container's health check has the server's own.
    for name in ("host", "port"):
        value = getattr(flags, name)
        if value is not None:
            expected = "can't be given with --check, which asks where the data directory says: name that by --data-dir"
            raise InvalidArgument(f"--{name}", value, expected, reason="BAD_SETTING")


def _db(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    from trackwire_server import schema

    try:
        schema.run(arguments, environment)
    except TrackwireError as error:
        return _refusal(DB_COMMAND, error)
    return 0


def _tokens(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    from trackwire_server import tokens

    try:
        tokens.run(arguments, environment)
    except TrackwireError as error:
        return _refusal(TOKENS_COMMAND, error)
    return 0


def _refusal(command: str, error: TrackwireError) -> int:
    sys.stderr.write(f"trackwire {command}: {error.message}\n")
    return EXIT_BAD_SETTING if isinstance(error, InvalidArgument) else EXIT_CANNOT_START


if __name__ == "__main__":
    sys.exit(main())

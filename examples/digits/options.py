"""Starts a server, trains four networks at once, and shows what is stored."""

# The standard library alone: scripts/quickstart prints the help before anything is installed.
import argparse

EPOCHS = 150
DATA_DIR = ".trackwire"
DEFAULT_PORT = 5051
DEFAULT_HTTP_PORT = 5000
PORT_MAX = 65_535


def parser() -> argparse.ArgumentParser:
    """The command line of scripts/quickstart; `port` is None where the server is to find its own."""
    parser = argparse.ArgumentParser(
        prog="scripts/quickstart",
        description=__doc__,
        epilog=f"TRACKWIRE_DATA_DIR chooses the data directory ({DATA_DIR}), PYTHON the interpreter that installs.",
        allow_abbrev=False,
    )
    parser.add_argument("--keep", action="store_true", help="leave the server running, and tell how to stop it")
    parser.add_argument("--epochs", type=_epochs, default=EPOCHS, help="of each network (%(default)s)")
    parser.add_argument(
        "--port",
        type=_port,
        help=f"the server's port [TRACKWIRE_PORT; default: {DEFAULT_PORT}, or a free one if that is taken]",
    )
    return parser


def _epochs(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: must be a whole number from 1")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > PORT_MAX:
        raise argparse.ArgumentTypeError(f"{text!r}: must be a whole number from 0 to {PORT_MAX:,}")
    return int(text)


if __name__ == "__main__":
    parser().parse_args()

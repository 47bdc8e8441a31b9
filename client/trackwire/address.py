"""Where the server is: from the argument, from the environment, or where `trackwire server` listens by default."""

import os
import re

from trackwire.errors import InvalidArgumentError

ADDRESS_VARIABLE = "TRACKWIRE_TRACKING_URI"
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 5051
DEFAULT_ADDRESS = f"{DEFAULT_HOST}:{DEFAULT_PORT}"

_SCHEME = "grpc://"
_HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]+))?")


def server_address(address: str | None = None) -> str:
    """`host:port` of the server: the argument, else TRACKWIRE_TRACKING_URI, else 127.0.0.1:5051."""
    if address is not None:
        return parse_address(address, field="address")
    from_environment = os.environ.get(ADDRESS_VARIABLE, "")
    if from_environment:
        return parse_address(from_environment, field=ADDRESS_VARIABLE)
    return DEFAULT_ADDRESS


def parse_address(text: str, *, field: str) -> str:
    """`host:port` out of `host:port` or `grpc://host:port`; `field` names where a bad one came from."""
    if text.startswith(("http://", "https://")):
        raise _bad_address(field, text, "speaks HTTP, as MLflow does; Trackwire's server takes host:port")
    match = _HOST_AND_PORT.fullmatch(text.strip().removeprefix(_SCHEME).rstrip("/"))
    if match is None:
        raise _bad_address(field, text, "expected host:port or grpc://host:port")
    port = int(match["port"] or DEFAULT_PORT)
    if not 1 <= port <= 65_535:
        raise _bad_address(field, text, "the port must be 1 to 65535")
    return f"{match['host']}:{port}"


def _bad_address(field: str, text: str, expected: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"{field}: {text!r}: {expected}, such as {DEFAULT_ADDRESS}",
        reason="BAD_ADDRESS",
        metadata={"field": field, "value": text},
    )

"""Where the server is: from the argument, from the environment, or where `trackwire server` listens by default."""

import os
import re

from trackwire.errors import InvalidArgumentError

ADDRESS_VARIABLE = "TRACKWIRE_TRACKING_URI"
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 5051
DEFAULT_ADDRESS = f"{DEFAULT_HOST}:{DEFAULT_PORT}"

PLAIN_SCHEME = "grpc://"
TLS_SCHEME = "grpcs://"
_HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]+))?")


def server_address(address: str | None = None) -> str:
    """Where the server is: the argument, else TRACKWIRE_TRACKING_URI, else 127.0.0.1:5051; as of `parse_address`."""
    if address is not None:
        return parse_address(address, field="address")
    from_environment = os.environ.get(ADDRESS_VARIABLE, "")
    if from_environment:
        return parse_address(from_environment, field=ADDRESS_VARIABLE)
    return DEFAULT_ADDRESS


def parse_address(text: str, *, field: str) -> str:
    """`host:port` out of `host:port` or `grpc://host:port`, and `grpcs://host:port`, which stays so: that is TLS.

    `field` names where a bad one came from.
    """
    if text.startswith(("http://", "https://")):
        raise _bad_address(field, text, "speaks HTTP, as MLflow does; Trackwire's server takes host:port")
    scheme = TLS_SCHEME if text.strip().startswith(TLS_SCHEME) else ""
    match = _HOST_AND_PORT.fullmatch(text.strip().removeprefix(scheme or PLAIN_SCHEME).rstrip("/"))
    if match is None:
        raise _bad_address(field, text, "expected host:port, grpc://host:port or, for TLS, grpcs://host:port")
    port = int(match["port"] or DEFAULT_PORT)
    if not 1 <= port <= 65_535:
        raise _bad_address(field, text, "the port must be 1 to 65535")
    return f"{scheme}{match['host']}:{port}"


def speaks_tls(address: str) -> bool:
    """Whether an address says that its server speaks TLS."""
    return address.startswith(TLS_SCHEME)


def host_and_port(address: str) -> str:
    """An address without its scheme."""
    return address.removeprefix(TLS_SCHEME)


def is_loopback(address: str) -> bool:
    """Whether an address is of this machine, which no proxy can reach."""
    host = host_and_port(address).rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    # A training never asks.
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bad_address(field: str, text: str, expected: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"{field}: {text!r}: {expected}, such as {DEFAULT_ADDRESS}",
        reason="BAD_ADDRESS",
        metadata={"field": field, "value": text},
    )

"""Where the server is: from the argument, from the environment, or where `trackwire server` listens by default.

Several servers over one store are one address, over which calls are spread:

    10.0.0.1:5051,10.0.0.2:5051     a list of IP addresses
    dns:///trackwire:5051           all that a name has in DNS; kept as dns:trackwire:5051, which may name a file
"""

import os
import re
from collections.abc import Sequence

from trackwire.errors import InvalidArgumentError

ADDRESS_VARIABLE = "TRACKWIRE_TRACKING_URI"
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 5051
DEFAULT_ADDRESS = f"{DEFAULT_HOST}:{DEFAULT_PORT}"

PLAIN_SCHEME = "grpc://"
TLS_SCHEME = "grpcs://"
_DNS = re.compile(r"dns:(///)?(?P<name>.+)")
# A list names files of the spool.
LIST_CHARACTERS_MAX = 200
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
    """`host:port` out of `host:port` or `grpc://host:port`, or several; `field` names where a bad one came from.

    `grpcs://` stays in front, before a list once: that is TLS.
    """
    if text.startswith(("http://", "https://")):
        raise _bad_address(field, text, "speaks HTTP, as MLflow does; Trackwire's server takes host:port")
    scheme = TLS_SCHEME if text.strip().startswith(TLS_SCHEME) else ""
    plain = text.strip().removeprefix(scheme or PLAIN_SCHEME).rstrip("/")
    match = _HOST_AND_PORT.fullmatch(plain)
    if match is None and "," in plain:
        return f"{scheme}{_several(plain, field)}"
    if match is None and (name := _DNS.fullmatch(plain)):
        return f"{scheme}dns:{parse_address(name['name'], field=field)}"
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
    return all(_is_loopback(each) for each in addresses_in(address))


def _is_loopback(address: str) -> bool:
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    # A training never asks.
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def addresses_in(address: str) -> Sequence[str]:
    """Each `host:port` of what parse_address returned."""
    plain = host_and_port(address)
    return plain.removeprefix("dns:").split(",") if is_several(plain) else [plain]


def is_several(address: str) -> bool:
    """Whether what parse_address returned may be several servers."""
    plain = host_and_port(address)
    return "," in plain or (plain.startswith("dns:") and plain.count(":") > 1)


def _several(text: str, field: str) -> str:
    # It would be a tenth of what `import trackwire` takes.
    import ipaddress

    addresses = [parse_address(each, field=field) for each in text.split(",")]
    try:
        versions = {ipaddress.ip_address(each.rpartition(":")[0].strip("[]")).version for each in addresses}
    except ValueError:
        versions = set()
    if len(versions) != 1:
        raise _bad_address(field, text, "several must be IP addresses of one kind; a name for all is dns:///name:port")
    if len(joined := ",".join(addresses)) > LIST_CHARACTERS_MAX:
        raise _bad_address(field, text, f"a list has at most {LIST_CHARACTERS_MAX} characters; dns:///name:port may do")
    return joined


def _bad_address(field: str, text: str, expected: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"{field}: {text!r}: {expected}, such as {DEFAULT_ADDRESS}",
        reason="BAD_ADDRESS",
        metadata={"field": field, "value": text},
    )

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

_SCHEME = "grpc://"
_DNS = re.compile(r"dns:(///)?(?P<name>.+)")
# A list names files of the spool.
LIST_CHARACTERS_MAX = 200
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
    """`host:port` out of `host:port` or `grpc://host:port`, or several; `field` names where a bad one came from."""
    if text.startswith(("http://", "https://")):
        raise _bad_address(field, text, "speaks HTTP, as MLflow does; Trackwire's server takes host:port")
    plain = text.strip().removeprefix(_SCHEME).rstrip("/")
    match = _HOST_AND_PORT.fullmatch(plain)
    if match is None and "," in plain:
        return _several(plain, field)
    if match is None and (name := _DNS.fullmatch(plain)):
        return f"dns:{parse_address(name['name'], field=field)}"
    if match is None:
        raise _bad_address(field, text, "expected host:port or grpc://host:port")
    port = int(match["port"] or DEFAULT_PORT)
    if not 1 <= port <= 65_535:
        raise _bad_address(field, text, "the port must be 1 to 65535")
    return f"{match['host']}:{port}"


def addresses_in(address: str) -> Sequence[str]:
    """Each `host:port` of what parse_address returned."""
    return address.removeprefix("dns:").split(",") if is_several(address) else [address]


def is_several(address: str) -> bool:
    """Whether what parse_address returned may be several servers."""
    return "," in address or (address.startswith("dns:") and address.count(":") > 1)


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

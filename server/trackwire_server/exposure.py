"""The refusal to be open to a network without TLS and tokens."""

import ipaddress

from structlog.typing import FilteringBoundLogger

from trackwire_server.config import Config
from trackwire_server.core.errors import InvalidArgument


def require_guard(config: Config, log: FilteringBoundLogger) -> None:
    """Raises InvalidArgument where others than this machine could call without being known; --insecure only warns.

    A client's certificate tells who it is as a token does.
    """
    missing = [] if config.tls_cert else ["--tls-cert and --tls-key"]
    if config.tokens_file is None and config.tls_client_ca is None:
        missing.append("--tokens-file (or --tls-client-ca)")
    if is_loopback(config.host) or not missing:
        return
    if not config.insecure:
        expected = f"would be open to the network: give {' and '.join(missing)}, or --insecure to have it so"
        raise InvalidArgument("--host", config.host, expected, reason="INSECURE")
    log.warning(
        "open to the network, as --insecure says: what TLS and tokens would keep off may call, and listen",
        host=config.host,
        missing=" and ".join(missing),
    )


def is_loopback(host: str) -> bool:
    """Whether this machine alone reaches what listens there. Names are not looked up: what they mean may change."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

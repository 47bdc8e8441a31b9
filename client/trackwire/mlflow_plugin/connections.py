"""The server behind a URI: a client for each address, made when it is first needed, and anew in a forked child."""

import os
import threading

from trackwire.address import DEFAULT_ADDRESS, PLAIN_SCHEME, TLS_SCHEME, parse_address
from trackwire.client import Client
from trackwire.errors import InvalidArgumentError
from trackwire.mlflow_plugin.patience import PatientClient

_clients: dict[tuple[int, str], Client] = {}
_making = threading.Lock()


def is_ours(uri: str | None) -> bool:
    """Whether a tracking or registry URI names a Trackwire server."""
    return uri is not None and uri.startswith((PLAIN_SCHEME, TLS_SCHEME))


def client_of(uri: str) -> Client:
    """The client for a `grpc://` or `grpcs://` URI. Stores and repositories of one server share it."""
    # A channel does not survive a fork. That of the parent stays in the table: closing it here would be a call on it.
    key = (os.getpid(), uri)
    client = _clients.get(key)
    if client is None:
        with _making:
            if key not in _clients:
                _clients[key] = _new_client(uri)
            client = _clients[key]
    return client


def _new_client(uri: str) -> Client:
    try:
        address = parse_address(uri, field="tracking_uri")
    except InvalidArgumentError:
        # Without a scheme, mlflow takes an address for a folder.
        scheme = TLS_SCHEME if uri.startswith(TLS_SCHEME) else PLAIN_SCHEME
        raise InvalidArgumentError(
            f"tracking_uri: {uri!r}: expected {scheme}host:port, such as {scheme}{DEFAULT_ADDRESS}",
            reason="BAD_ADDRESS",
            metadata={"field": "tracking_uri", "value": uri},
        ) from None
    return PatientClient(address)


def _begin_again_in_child() -> None:
    global _making
    # Another thread of the parent's may have held it.
    _making = threading.Lock()


os.register_at_fork(after_in_child=_begin_again_in_child)

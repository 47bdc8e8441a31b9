"""Ports, tried with plain sockets: these say why one can't be had, where grpc only logs it."""

import errno
import os
import socket
from typing import NamedTuple

from trackwire_server.core.errors import FailedPrecondition, InvalidArgument


class Port(NamedTuple):
    """One of the server's ports: its setting, and what to do where it is taken."""

    field: str
    advice: str


GRPC = Port("port", "choose another with --port")
HTTP = Port("http_port", "choose another with --http-port, or --http-port off")


def require_free_ports(host: str, rpc: int, http: int | None) -> None:
    """Takes each for a moment; without HTTP, that is None. Raises as require_free_port."""
    require_free_port(host, rpc, GRPC)
    if http is not None:
        require_free_port(host, http, HTTP)


def require_free_port(host: str, number: int, port: Port) -> None:
    """Takes the port for a moment.

    Raises FailedPrecondition if it is taken at any of the host's addresses, and InvalidArgument if it can't be had for
    another reason. Port 0 is always free.
    """
    numbers = [_try_address(family, address) for family, address in _addresses(host, number, port)]
    if errno.EADDRINUSE in numbers:
        raise FailedPrecondition(
            f"port {number} of {host} is taken; {port.advice}",
            reason="PORT_IN_USE",
            metadata={"field": port.field, "value": number},
        )
    # One address is enough: localhost may be two, of which a machine has only one.
    if all(numbers):
        words = ", ".join(dict.fromkeys(os.strerror(number) for number in numbers))
        raise InvalidArgument(f"host and {port.field}", f"{host}:{number}", f"can't be listened on: {words}")


def reserved(host: str, number: int, port: Port) -> socket.socket:
    """The port, or a free one where 0 is asked for, held for processes of ours that listen on it together.

    Nothing is heard on this socket itself. Raises InvalidArgument.
    """
    family, address = _addresses(host, number, port)[0]
    held = socket.socket(family, socket.SOCK_STREAM)
    try:
        share(held)
        held.bind(address)
    except OSError as error:
        held.close()
        raise InvalidArgument(
            f"host and {port.field}", f"{host}:{number}", f"can't be shared: {error.strerror}"
        ) from error
    return held


def share(listening: socket.socket) -> None:
    """Lets other sockets of this user have the same port: the system deals connections out to them."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def _addresses(host: str, number: int, port: Port) -> list[tuple[socket.AddressFamily, tuple[object, ...]]]:
    try:
        found = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise InvalidArgument(
            f"host and {port.field}", f"{host}:{number}", f"can't be listened on: {error.strerror}"
        ) from error
    return [(family, address) for family, _, _, _, address in found]


def _try_address(family: int, address: tuple[object, ...]) -> int:
    """0 if it can be bound to, else the error's number."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As grpc's own: connections that linger from an earlier server don't matter.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        # Without IPv6 grpc listens on :: by IPv4.
        return 0 if error.errno in (None, errno.EAFNOSUPPORT) else error.errno
    return 0

"""Ports for servers that are still to come, or to come back."""

import random
import socket
from contextlib import closing
from pathlib import Path

# As the registry of port numbers has it, where the system doesn't say.
EPHEMERAL_PORT_FIRST = 49_152
CHOSEN_PORT_FIRST = 15_000


def free_port() -> int:
    """A port that nobody listens at: none that the system gives to others, by port 0 or to a connection, meanwhile."""
    while True:
        port = random.SystemRandom().choice(_chosen_ports())
        try:
            with closing(socket.create_server(("127.0.0.1", port))):
                return port
        except OSError:
            continue


def _chosen_ports() -> range:
    try:
        ephemeral_first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except FileNotFoundError:
        ephemeral_first = EPHEMERAL_PORT_FIRST
    # Where all of them are the system's, any one is as good.
    return range(CHOSEN_PORT_FIRST, max(ephemeral_first, 2 * CHOSEN_PORT_FIRST))

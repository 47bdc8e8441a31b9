"""How a channel and its calls say who they are, as gRPC takes it."""

from typing import TypeAlias

import grpc

from trackwire.access import authorization, certificate_files, require_secrecy
from trackwire.address import speaks_tls

Metadata: TypeAlias = tuple[tuple[str, str], ...]


def channel_credentials(address: str, given: grpc.ChannelCredentials | None) -> grpc.ChannelCredentials | None:
    """Those that are given, else what the environment says for an address that speaks TLS; None: in clear."""
    if given is not None or not speaks_tls(address):
        return given
    trusted, key, certificate = certificate_files()
    return grpc.ssl_channel_credentials(trusted, key, certificate)


def call_metadata(address: str, token: str | None, *, is_encrypted: bool) -> Metadata:
    """What goes along with each call: the token, of the argument or the environment."""
    said = authorization(token)
    if not said.header:
        return ()
    if not is_encrypted:
        require_secrecy(address, said.said_by)
    return (("authorization", said.header),)

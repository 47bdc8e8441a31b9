"""Servers behind a proxy that speaks TLS."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from tests.client.tls_proxy import make_certificate, tls_proxy
from tests.conftest import ServerProcess

from trackwire.client import Client
from trackwire.client.aio import AsyncClient
from trackwire.errors import UnavailableError


@pytest.fixture(scope="module")
def proxied(live: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of the server over TLS, and the certificate to trust."""
    certificate, key = make_certificate(tmp_path_factory.mktemp("tls"))
    with tls_proxy(live.address, certificate, key) as address:
        yield address, certificate


def test_client_with_credentials_speaks_tls(proxied: tuple[str, Path]) -> None:
    address, certificate = proxied
    with Client(address, credentials=grpc.ssl_channel_credentials(certificate.read_bytes())) as client:
        run = client.create_run()
        client.ingest_metrics(run.run_id, ["loss"], [50_000], np.arange(50_000), np.arange(50_000), np.ones(50_000))
        [series] = client.read_metrics(run.run_id).series
        assert len(series) == 50_000


async def test_async_client_with_credentials_speaks_tls(proxied: tuple[str, Path]) -> None:
    address, certificate = proxied
    async with AsyncClient(address, credentials=grpc.ssl_channel_credentials(certificate.read_bytes())) as client:
        assert (await client.get_experiment("0")).name == "Default"


def test_certificate_that_nobody_vouches_for_is_refused(proxied: tuple[str, Path]) -> None:
    address, _ = proxied
    with (
        Client(address, credentials=grpc.ssl_channel_credentials(), timeout_seconds=5) as client,
        pytest.raises(UnavailableError),
    ):
        client.get_server_info()


def test_client_without_credentials_speaks_no_tls(proxied: tuple[str, Path]) -> None:
    address, _ = proxied
    with Client(address, timeout_seconds=5) as client, pytest.raises(UnavailableError):
        client.get_server_info()

"""A real server for programs in other languages."""

from collections.abc import Iterator

import pytest
from tests.access.guarded import Guarded, guarded_server
from tests.client.live_server import live_server
from tests.docs.reader import Shell, reader_shell


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with live_server(tmp_path_factory.mktemp("polyglot")) as server:
        yield server.address


@pytest.fixture(scope="module")
def shell(address: str, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return reader_shell(address, tmp_path_factory.mktemp("shell"))


@pytest.fixture(scope="module")
def mutual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A server that speaks TLS, and asks for certificates of clients and for tokens."""
    mutual = guarded_server(tmp_path_factory.mktemp("mutual"), mutual=True)
    mutual.server.start()
    yield mutual
    assert mutual.server.stop() == 0, mutual.server.log_text()


def access(guarded: Guarded, token: str) -> dict[str, str]:
    """What a client needs, as variables: whom to trust, its certificate, and a token by its name."""
    certificate = {
        "TRACKWIRE_CLIENT_CERT": str(guarded.client.certificate),
        "TRACKWIRE_CLIENT_KEY": str(guarded.client.key),
    }
    return {**guarded.environment(), **certificate, "TRACKWIRE_TOKEN": guarded.secrets.get(token, token)}

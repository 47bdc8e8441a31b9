"""A real server for programs in other languages."""

from collections.abc import Iterator

import pytest
from tests.client.live_server import live_server
from tests.docs.reader import Shell, reader_shell


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with live_server(tmp_path_factory.mktemp("polyglot")) as server:
        yield server.address


@pytest.fixture(scope="module")
def shell(address: str, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return reader_shell(address, tmp_path_factory.mktemp("shell"))

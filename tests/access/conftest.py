"""A server behind TLS and tokens for the tests of a module."""

from collections.abc import Iterator

import pytest
from tests.access.guarded import Guarded, guarded_server


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """One for all tests of a module."""
    guarded = guarded_server(tmp_path_factory.mktemp("guarded"))
    guarded.server.start()
    yield guarded
    assert guarded.server.stop() == 0, guarded.server.log_text()

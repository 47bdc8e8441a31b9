"""Working directories of trainings, and servers that stay at their port."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.client.live_server import live_server
from tests.client.training import training_folder
from tests.conftest import ServerProcess


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with training_folder(tmp_path) as folder:
        yield folder


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A real server for all tests of a module."""
    with live_server(tmp_path_factory.mktemp("live")) as server:
        yield server

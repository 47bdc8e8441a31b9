"""A spool and its shipper."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.client.shipper.shipping import Shipper


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


@pytest.fixture
def shipper(spool: Path) -> Iterator[Shipper]:
    shipper = Shipper(spool)
    yield shipper
    shipper.kill_all()


@pytest.fixture
def run_id() -> str:
    return uuid.uuid4().hex

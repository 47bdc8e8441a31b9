"""Which files and folders the command line fetches, and where to."""

from collections.abc import Callable
from pathlib import Path

import pytest

from trackwire.client import Client

Trackwire = Callable[..., str]
Refused = Callable[..., tuple[int, str]]


@pytest.fixture
def run_id(client: Client) -> str:
    """A run with a file, and one in a folder."""
    run_id = client.create_run().run_id
    client.upload_bytes(run_id, b"a", "a.txt")
    client.upload_bytes(run_id, b"b", "images/b.png")
    return run_id


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("path", "fetched"), [("images/", ["b.png"]), ("", ["a.txt", "images/b.png"]), ("/", ["a.txt", "images/b.png"])]
)
def test_folder_is_fetched_by_the_name_that_lists_show(
    path: str, fetched: list[str], trackwire: Trackwire, run_id: str, tmp_path: Path
) -> None:
    trackwire("artifacts", "download", run_id, path, tmp_path)
    assert files(tmp_path) == fetched


def test_local_path_that_ends_in_a_slash_is_a_folder(trackwire: Trackwire, run_id: str, tmp_path: Path) -> None:
    folder = f"{tmp_path}/made/dl/"
    assert trackwire("artifacts", "download", run_id, "a.txt", folder) == f"{tmp_path}/made/dl/a.txt\n"
    trackwire("artifacts", "download", run_id, "images/b.png", folder)
    assert files(tmp_path) == ["made/dl/a.txt", "made/dl/b.png"]

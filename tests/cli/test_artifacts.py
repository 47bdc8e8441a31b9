"""Which files and folders the command line fetches, and where to."""

from collections.abc import Callable, Iterator
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


@pytest.fixture
def registered(client: Client, run_id: str) -> Iterator[str]:
    """A registered model: version 1 is the run's file, version 2, which is the champion, its folder."""
    client.create_registered_model("fetched")
    client.create_model_version("fetched", f"runs:/{run_id}/a.txt", run_id=run_id)
    client.create_model_version("fetched", f"runs:/{run_id}/images", run_id=run_id)
    client.set_registered_model_alias("fetched", "champion", 2)
    yield "fetched"
    client.delete_registered_model("fetched")


@pytest.mark.parametrize(
    ("uri", "fetched"),
    [
        ("models:/{model}/1", ["a.txt"]),
        ("models:/{model}@champion", ["b.png"]),
        ("models:/{model}/latest/b.png", ["b.png"]),
        ("runs:/{run_id}", ["a.txt", "images/b.png"]),
    ],
)
def test_files_are_fetched_by_a_uri(
    uri: str, fetched: list[str], trackwire: Trackwire, registered: str, run_id: str, tmp_path: Path
) -> None:
    trackwire("artifacts", "download", uri.format(model=registered, run_id=run_id), f"{tmp_path}/dl/")
    assert files(tmp_path / "dl") == fetched


def test_files_of_a_logged_model_are_fetched_by_its_uri(trackwire: Trackwire, client: Client, tmp_path: Path) -> None:
    model = client.create_logged_model("0", name="logged")
    (tmp_path / "weights").write_text("learned")
    client.upload_logged_model_artifact(model.model_id, tmp_path / "weights")
    trackwire("artifacts", "download", f"models:/{model.model_id}", tmp_path / "dl")
    assert files(tmp_path / "dl") == ["weights"]


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["models:/fetched@nobody"], 1, "alias 'fetched@nobody' does not exist"),
        (["models:/fetched"], 1, "must be runs:/<run_id>/<path>, models:/<name>/<version or stage>/<path>"),
        (["models:/fetched/1", "here", "there"], 2, "give RUN_ID and PATH, or a URI, and then a LOCAL_PATH at most"),
        (["some-run"], 2, "give RUN_ID and PATH, or a URI, and then a LOCAL_PATH at most"),
    ],
)
def test_what_is_no_place_of_files_is_told(
    arguments: list[str], status: int, told: str, refused: Refused, registered: str
) -> None:
    code, words = refused("artifacts", "download", *arguments)
    assert (code, told in words) == (status, True), words

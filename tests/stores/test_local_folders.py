"""Runs in folders that somebody named."""

from pathlib import Path

import pytest
from tests.stores.byte_files import names, names_in, put

from trackwire_server.core.artifact_paths import ArtifactHome, home_of_model
from trackwire_server.core.errors import FailedPrecondition, InvalidArgument, NotFound
from trackwire_server.stores.files import local_folders


def run_at(uri: str) -> ArtifactHome:
    return ArtifactHome("run", "run_id", "run1", uri, 2)


@pytest.mark.parametrize("uri", ["{folder}/my runs/run1/artifacts", "file://{folder}/my%20runs/run1/artifacts"])
async def test_run_in_a_folder_is_read_and_written_there(tmp_path: Path, uri: str) -> None:
    async with local_folders([])(run_at(uri.format(folder=tmp_path))) as folder:
        await put(folder.store, folder.of("a/b"))
        assert await names(folder.store, folder.of("a")) == [("b", False)]
    assert (tmp_path / "my runs" / "run1" / "artifacts" / "a" / "b").read_bytes() == b"bytes"
    assert names_in(tmp_path / "my runs" / "run1") == ["artifacts"]


@pytest.mark.parametrize(
    "uri",
    [
        "/run1/artifacts",
        "file:///run1/artifacts",
        "/data/../run1/artifacts",
        "file:///data/%2e%2e/etc/run1/artifacts",
        "file://host/data/run1/artifacts",
        "file:data/run1/artifacts",
        "//data/run1/artifacts",
        "/data//run1/artifacts",
    ],
)
async def test_uri_that_leads_elsewhere_is_refused(uri: str) -> None:
    with pytest.raises(FailedPrecondition) as refused:
        async with local_folders([])(run_at(uri)):
            pass
    assert refused.value.reason == "ARTIFACTS_ELSEWHERE"
    assert uri in refused.value.message


@pytest.mark.parametrize(
    "location", ["", "/data", "/data/artifacts", "/data/artifacts/0", "/data/spool/x", "/link", "/link/artifacts"]
)
async def test_folders_of_the_servers_own_are_no_runs(tmp_path: Path, location: str) -> None:
    own = [tmp_path / "data" / "artifacts", tmp_path / "data" / "spool"]
    for folder in own:
        folder.mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "data")
    run_id = "data" if not location else "artifacts" if location in ("/data", "/link") else "run1"
    uri = f"{tmp_path}{location}/{run_id}/artifacts"
    with pytest.raises(FailedPrecondition, match="own") as refused:
        async with local_folders(own)(run_at(uri)):
            pass
    assert refused.value.reason == "ARTIFACTS_ELSEWHERE"


async def test_long_run_id_is_a_folder_in_a_folder(tmp_path: Path) -> None:
    async with local_folders([])(run_at(f"{tmp_path}/runs/{'r' * 256}/artifacts")) as folder:
        await put(folder.store, folder.of("a"))
    assert (tmp_path / "runs" / ("r" * 255) / "r" / "artifacts" / "a").exists()


async def test_links_below_a_location_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "file").write_text("secret")
    (tmp_path / "runs" / "run1").mkdir(parents=True)
    (tmp_path / "runs" / "run1" / "artifacts").symlink_to(tmp_path / "secret")
    async with local_folders([])(run_at(f"{tmp_path}/runs/run1/artifacts")) as folder:
        assert await names(folder.store, folder.path) == []
        with pytest.raises(NotFound):
            await folder.store.open_file(folder.of("file"))
        with pytest.raises(InvalidArgument, match="symbolic link"):
            await folder.store.open_partial("p", folder.of("new"))
    assert names_in(tmp_path / "secret") == ["file"]


@pytest.mark.parametrize("location", ["file/runs", "loop/runs", "x" * 256])
async def test_what_the_system_forbids_is_refused_for_good(tmp_path: Path, location: str) -> None:
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(FailedPrecondition, match="can't use") as refused:
        async with local_folders([tmp_path / "own"])(run_at(f"{tmp_path}/{location}/run1/artifacts")) as folder:
            await put(folder.store, folder.of("a"))
    assert refused.value.reason == "ARTIFACTS_ELSEWHERE"


async def test_uploads_of_a_logged_model_lie_in_its_experiments_location(tmp_path: Path) -> None:
    home = home_of_model("m-1", f"{tmp_path}/far/models/m-1/artifacts")
    async with local_folders([])(home) as folder:
        await put(folder.store, folder.of("a"))
    assert sorted(names_in(tmp_path / "far")) == [".partial", "models"]
    assert names_in(tmp_path / "far" / "models") == ["m-1"]

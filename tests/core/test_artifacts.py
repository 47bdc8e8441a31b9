"""The rules of artifacts, on the memory stores."""

from dataclasses import replace

import pytest
from tests.core.files_of_runs import HEADER, RUN, WHOLE, download, stream, upload

from trackwire_server.core.artifacts import Artifacts
from trackwire_server.core.downloads import DownloadRange
from trackwire_server.core.errors import FailedPrecondition, InvalidArgument, NotFound, RunDeleted
from trackwire_server.core.limits import LIMITS


async def test_deleted_run_rejects_writes_and_answers_reads(artifacts: Artifacts) -> None:
    for write in (
        artifacts.upload(replace(HEADER, owner_id="deleted"), stream(*WHOLE)),
        artifacts.delete_artifact("deleted", "a"),
        artifacts.create_upload_url("deleted", "a"),
    ):
        with pytest.raises(RunDeleted):
            await write
    assert (await artifacts.list_artifacts("deleted", "")).artifacts == []


async def test_run_elsewhere_is_refused_by_every_call(artifacts: Artifacts) -> None:
    for call in (
        artifacts.list_artifacts("far", ""),
        artifacts.upload(replace(HEADER, owner_id="far"), stream(*WHOLE)),
        artifacts.delete_artifact("far", "a"),
        anext(artifacts.download("far", "a", DownloadRange())),
    ):
        with pytest.raises(FailedPrecondition, match="s3://bucket/0/far/artifacts"):
            await call


async def test_urls_are_not_supported(artifacts: Artifacts) -> None:
    for call in (artifacts.create_upload_url("run1", "a"), artifacts.create_download_url("run1", "a")):
        with pytest.raises(FailedPrecondition) as refused:
            await call
        assert refused.value.reason == "PRESIGNED_URLS_UNSUPPORTED"


async def test_listing_pages_survive_changes_between_them(artifacts: Artifacts) -> None:
    for name in ("b", "d", "f/x", "h"):
        await upload(artifacts, f"top/{name}")
    first = await artifacts.list_artifacts("run1", "top", page_size=2)
    assert [entry.path for entry in first.artifacts] == ["top/b", "top/d"]
    assert first.root_uri == RUN.artifact_uri
    await upload(artifacts, "top/a")
    await upload(artifacts, "top/e")
    await artifacts.delete_artifact("run1", "top/d")
    second = await artifacts.list_artifacts("run1", "top", page_size=2, page_token=first.next_page_token)
    assert [(entry.path, entry.is_dir) for entry in second.artifacts] == [("top/e", False), ("top/f", True)]
    last = await artifacts.list_artifacts("run1", "top", page_size=2, page_token=second.next_page_token)
    assert ([entry.path for entry in last.artifacts], last.next_page_token) == (["top/h"], "")


async def test_page_token_of_another_folder_is_refused(artifacts: Artifacts) -> None:
    for name in ("a/1", "a/2", "b/1"):
        await upload(artifacts, name)
    token = (await artifacts.list_artifacts("run1", "a", page_size=1)).next_page_token
    with pytest.raises(InvalidArgument) as refused:
        await artifacts.list_artifacts("run1", "b", page_size=1, page_token=token)
    assert refused.value.reason == "PAGE_TOKEN_MISMATCH"


@pytest.mark.parametrize("page_size", [-1, LIMITS.artifacts_page_size + 1])
async def test_bad_page_size_is_refused(artifacts: Artifacts, page_size: int) -> None:
    with pytest.raises(InvalidArgument):
        await artifacts.list_artifacts("run1", "", page_size=page_size)


async def test_what_is_not_there_is_not_found_by_the_runs_own_path(artifacts: Artifacts) -> None:
    for call in (download(artifacts, "none"), artifacts.delete_artifact("run1", "none")):
        with pytest.raises(NotFound) as missing:
            await call
        assert missing.value.metadata["resource_name"] == "none"


async def test_root_is_told_of_every_run(artifacts: Artifacts) -> None:
    assert await artifacts.root_uri("run1") == "trackwire-artifacts:/0/run1/artifacts"
    assert await artifacts.root_uri("far") == "s3://bucket/0/far/artifacts"
    with pytest.raises(NotFound):
        await artifacts.root_uri("nobody")

"""Runs at S3, in folders that an administrator named."""

import time

import pytest
from tests.stores.byte_files import names, put, read

from trackwire_server.core.artifact_paths import ArtifactHome, home_of_model, partial_id
from trackwire_server.core.artifact_places import ArtifactFolder, BucketFolder, bucket_folder, lies_in
from trackwire_server.core.byte_stores import PartUrls, UploadRemains
from trackwire_server.core.errors import Aborted, FailedPrecondition
from trackwire_server.stores.s3 import S3Settings, opened_locations
from trackwire_server.stores.s3.bucket import Bucket, opened_client


def run_at(uri: str) -> ArtifactHome:
    return ArtifactHome("run", "run_id", "run1", uri, 2)


async def test_run_and_model_in_a_location_are_read_and_written_there(s3_endpoint: str, s3_bucket: str) -> None:
    async with opened_locations([(s3_bucket, "team")], S3Settings(s3_endpoint)) as opened:
        for home in (
            run_at(f"s3://{s3_bucket}/team/experiment/run1/artifacts"),
            run_at(f"s3://{s3_bucket}/team/run1/artifacts"),
            home_of_model("m-1", f"s3://{s3_bucket}/team/experiment/models/m-1/artifacts"),
        ):
            async with opened(home) as folder:
                await put(folder.store, folder.of("a/b"))
                assert await read(folder.store, folder.of("a/b")) == b"bytes"
                assert await names(folder.store, folder.path) == [("a", True)]


async def test_upload_is_held_across_calls(s3_endpoint: str, s3_bucket: str) -> None:
    async with opened_locations([(s3_bucket, "")], S3Settings(s3_endpoint)) as opened:
        home = run_at(f"s3://{s3_bucket}/run1/artifacts")
        async with opened(home) as first, opened(home) as second:
            partial = await first.store.open_partial("p", first.of("a"))
            with pytest.raises(Aborted, match="under way"):
                await second.store.open_partial("p", second.of("a"))
            await partial.close()


async def left_at(folder: ArtifactFolder) -> list[str]:
    """Where uploads have left something, in an hour."""
    assert isinstance(folder.store, UploadRemains)
    left = await folder.store.left_uploads(before_ms=int(time.time() * 1_000) + 3_600_000, limit=10)
    return [each.uri for each in left if not each.partial_id]


@pytest.mark.parametrize("inner", ["team/y", "team/models"])
async def test_upload_to_one_location_is_not_left_at_another_around_or_in_it(
    s3_endpoint: str, s3_bucket: str, inner: str
) -> None:
    async with (
        opened_locations([(s3_bucket, "team")], S3Settings(s3_endpoint)) as opened,
        opened(run_at(f"s3://{s3_bucket}/{inner}/run1/artifacts")) as below,
        opened(run_at(f"s3://{s3_bucket}/team/run1/artifacts")) as above,
        opened(home_of_model("run1", f"s3://{s3_bucket}/team/models/run1/artifacts")) as model,
    ):
        for folder in (below, above, model):
            assert isinstance(folder.store, PartUrls)
            await folder.store.begin_parts(partial_id(folder.path, "upload1"), folder.of("large"))
        assert [await left_at(folder) for folder in (below, above)] == [[], []]


async def test_only_multipart_uploads_to_artifacts_of_a_location_are_left_there(
    s3_endpoint: str, s3_bucket: str
) -> None:
    settings = S3Settings(s3_endpoint)
    ours = [f"team/{owner}/artifacts/file" for owner in ("models/m-1", "run1")]
    async with opened_client(settings) as client:
        bucket = Bucket(client, s3_bucket, settings)
        for key in (*ours, "team/artifacts/file", "team/other/1/run1/artifacts/file", "team/run1/file"):
            await bucket.begin_multipart(key)
    async with (
        opened_locations([(s3_bucket, "team")], settings) as opened,
        opened(run_at(f"s3://{s3_bucket}/team/run1/artifacts")) as folder,
    ):
        assert await left_at(folder) == [f"s3://{s3_bucket}/{key}" for key in ours]


@pytest.mark.parametrize(
    "uri",
    [
        "s3://other/team/run1/artifacts",
        "s3://bucket/teams/run1/artifacts",
        "s3://bucket/run1/artifacts",
        "s3://bucket/team/../run1/artifacts",
        "s3://bucket/team//run1/artifacts",
        "s3://bucket/team/run2/artifacts",
        "s3://bucket/team/run1/artifacts/below",
        "s3://bucket/team/run1",
        "s3://bucket/team",
        "s3://bucket/team/run1/artifacts?versionId=1",
    ],
)
async def test_what_is_not_allowed_or_not_its_own_is_refused(s3_endpoint: str, uri: str) -> None:
    async with opened_locations([("bucket", "team")], S3Settings(s3_endpoint)) as opened:
        with pytest.raises(FailedPrecondition) as refused:
            async with opened(run_at(uri)):
                pass
    assert refused.value.reason == "ARTIFACTS_ELSEWHERE"
    assert uri in refused.value.message


@pytest.mark.parametrize(
    ("place", "other", "is_in"),
    [
        (("b", "a"), ("b", "a"), True),
        (("b", "a/c"), ("b", "a"), True),
        (("b", "a"), ("b", ""), True),
        (("b", ""), ("b", ""), True),
        (("b", "ab"), ("b", "a"), False),
        (("b", "a"), ("b", "a/c"), False),
        (("b", ""), ("b", "a"), False),
        (("c", "a"), ("b", "a"), False),
    ],
)
def test_folders_lie_in_each_other_by_whole_names(place: BucketFolder, other: BucketFolder, is_in: bool) -> None:
    assert lies_in(place, other) == is_in


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("s3://bucket", ("bucket", "")),
        ("s3://bucket/", ("bucket", "")),
        ("s3://my.bucket-1/a b/c/", ("my.bucket-1", "a b/c")),
        ("s3://bucket/a/%2e%2e/b", None),
        ("s3:/bucket/a", None),
        ("s3://user:secret@bucket/a", None),
        ("/bucket/a", None),
    ],
)
def test_uri_names_a_folder_of_a_bucket(uri: str, place: BucketFolder | None) -> None:
    assert bucket_folder(uri) == place

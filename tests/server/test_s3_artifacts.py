"""A server whose artifacts lie at S3: from its settings to its files."""

import hashlib
import os
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.conftest import ServerProcess

from trackwire import Client
from trackwire.errors import FailedPreconditionError, NotFoundError
from trackwire_server.config import Config
from trackwire_server.core.errors import FailedPrecondition
from trackwire_server.storage import open_stores

MakeServer = Callable[..., ServerProcess]
DATA = os.urandom(20 * 1024 * 1024)


@pytest.fixture
def on_s3(make_server_process: MakeServer, s3_endpoint: str, s3_bucket: str) -> MakeServer:
    """`on_s3("--port", …)`: a server whose artifacts lie in a folder of a bucket."""

    def make(*arguments: str, bucket: str = s3_bucket) -> ServerProcess:
        uri = f"s3://{bucket}/a/folder"
        return make_server_process("--artifacts-destination", uri, *arguments, MLFLOW_S3_ENDPOINT_URL=s3_endpoint)

    return make


def test_files_go_to_the_bucket_and_come_back_after_a_restart(on_s3: MakeServer, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(DATA)
    server = on_s3()
    with Client(server.start()) as client:
        run_id = client.create_run().run_id
        client.upload_artifact(run_id, source, "models/large.bin")
        client.upload_bytes(run_id, b"small", "small.txt")
    assert "artifacts=s3://" in server.ready_line
    assert server.stop() == 0
    with Client(server.start()) as client:
        assert [entry.path for entry in client.list_artifacts(run_id)] == ["models", "small.txt"]
        client.download_artifact(run_id, "models/large.bin", target)
        client.delete_artifact(run_id, "models")
        assert [entry.path for entry in client.list_artifacts(run_id)] == ["small.txt"]
    assert hashlib.sha256(target.read_bytes()).digest() == hashlib.sha256(DATA).digest()


def test_spool_is_taken_in_beside_artifacts_at_s3(on_s3: MakeServer) -> None:
    server = on_s3()
    server.start()
    assert server.stop() == 0
    assert "no spool is taken in" not in server.log_text()


def test_bucket_that_is_missing_is_named_at_the_start(on_s3: MakeServer) -> None:
    server = on_s3(bucket="no-such-bucket")
    assert server.launch().wait(60) == 1
    assert "s3://no-such-bucket: ListObjectsV2: the bucket does not exist" in server.log_text()


def test_endpoint_that_is_not_there_is_named_at_the_start(make_server_process: MakeServer, s3_endpoint: str) -> None:
    settings = ("--artifacts-uri", "s3://bucket", "--s3-endpoint-url", "http://127.0.0.1:1")
    server = make_server_process(*settings, AWS_MAX_ATTEMPTS="1")
    assert server.launch().wait(60) == 1
    assert "Could not connect" in server.log_text()
    assert "127.0.0.1:1" in server.log_text()


def test_server_without_credentials_says_so(on_s3: MakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    server = on_s3()
    assert server.launch().wait(60) == 1
    assert "ListObjectsV2: Unable to locate credentials" in server.log_text()


async def test_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in sys.modules if name.startswith("trackwire_server.stores.s3")]:
        monkeypatch.delitem(sys.modules, name)
    for name in {"aiobotocore", *(name for name in sys.modules if name.startswith("aiobotocore."))}:
        monkeypatch.setitem(sys.modules, name, None)
    said = {"artifacts_uri": "s3://bucket/folder", "s3_endpoint_url": "http://127.0.0.1:1"}
    config = Config.read({"data_dir": str(tmp_path), **said}, {})
    async with AsyncExitStack() as stack:
        with pytest.raises(FailedPrecondition, match=r"pip install 'trackwire\[s3\]'") as refused:
            await open_stores(config, stack)
    assert refused.value.reason == "EXTRA_MISSING"


@pytest.mark.parametrize("encryption", [(), ("--s3-encryption", "aws:kms", "--s3-kms-key-id", "key-1")])
def test_bytes_go_around_the_server_by_urls(on_s3: MakeServer, encryption: Sequence[str]) -> None:
    server = on_s3(*encryption)
    with Client(server.start()) as client:
        run_id = client.create_run().run_id
        before_ms = time.time() * 1_000
        to = client.create_artifact_upload_url(run_id, "models/a b.bin")
        assert before_ms + 3_590_000 < to.expiry_time_ms < time.time() * 1_000 + 3_610_000
        # Without a type, urllib says that it is a form, which moto then reads as one.
        headers = {"Content-Type": "application/octet-stream", **to.headers}
        put = urllib.request.Request(to.url, data=DATA, headers=headers, method="PUT")
        with urllib.request.urlopen(put) as answer:
            assert answer.status == 200
        assert client.read_artifact(run_id, "models/a b.bin") == DATA
        url = client.create_artifact_download_url(run_id, "models/a b.bin").url
        with urllib.request.urlopen(url) as answer:
            assert answer.read() == DATA
            assert answer.headers.get("x-amz-server-side-encryption") == ("aws:kms" if encryption else None)
        for name in to.headers:
            # The URL is signed for them: without, the store would refuse it.
            assert name in urllib.parse.unquote(to.url)


def test_urls_are_refused_where_no_file_is_or_can_be(on_s3: MakeServer) -> None:
    server = on_s3()
    with Client(server.start()) as client:
        run_id = client.create_run().run_id
        client.upload_bytes(run_id, b"1", "folder/file")
        with pytest.raises(NotFoundError, match="no such file"):
            client.create_artifact_download_url(run_id, "folder")
        for path, reason in (("folder", "ARTIFACT_IS_FOLDER"), ("folder/file/x", "ARTIFACT_NOT_FOLDER")):
            with pytest.raises(FailedPreconditionError) as refused:
                client.create_artifact_upload_url(run_id, path)
            assert refused.value.reason == reason


def test_experiment_at_an_allowed_location_is_served_and_any_other_is_left_to_clients(
    make_server_process: MakeServer, s3_endpoint: str, s3_bucket: str
) -> None:
    allowed = f"s3://{s3_bucket}/team, s3://{s3_bucket}/others"
    server = make_server_process("--s3-locations", allowed, "--s3-endpoint-url", s3_endpoint)
    with Client(server.start()) as client:
        for folder in ("team", "others/x", "elsewhere"):
            location = f"s3://{s3_bucket}/{folder}"
            experiment_id = client.create_experiment(folder, artifact_location=location).experiment_id
            run_id = client.create_run(experiment_id=experiment_id).run_id
            if folder == "elsewhere":
                with pytest.raises(FailedPreconditionError, match=f"{location}/{run_id}/artifacts"):
                    client.upload_bytes(run_id, b"data", "file")
                continue
            client.upload_bytes(run_id, b"data", "file")
            url = client.create_artifact_download_url(run_id, "file").url
            assert url.startswith(f"{s3_endpoint}/{s3_bucket}/{folder}/{run_id}/artifacts/file?")
            with urllib.request.urlopen(url) as answer:
                assert answer.read() == b"data"
            client.delete_run(run_id)
            assert client.collect_garbage(run_ids=[run_id]).artifact_bytes == 4

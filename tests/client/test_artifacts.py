"""Artifacts of both clients against a real server, also over connections that break."""

import hashlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.client.cutting_proxy import CuttingProxy
from tests.conftest import ServerProcess
from tests.ports import free_port

from trackwire.client import Client
from trackwire.client.async_connection import AsyncConnection
from trackwire.client.folders import _name_below
from trackwire.client.retries import ATTEMPTS_WITHOUT_PROGRESS_MAX, Retries
from trackwire.client.sources import FileSource
from trackwire.client.transfers import Upload, _send
from trackwire.client.transport import BlockingTransport, Transport, run_blocking
from trackwire.errors import (
    AbortedError,
    DataLossError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    OutOfRangeError,
    UnavailableError,
)
from trackwire.v1.artifacts_pb2 import UploadHeader

MIB = 1024 * 1024
CONTENT = b"".join(hashlib.sha256(number.to_bytes(4, "big")).digest() for number in range(200_000))  # 6.4 MB
LARGE = CONTENT * 4


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One for all: each test has a run of its own."""
    process = ServerProcess(tmp_path_factory.mktemp("server") / "data")
    process.start()
    yield process
    assert process.stop() == 0, process.log_text()


@pytest.fixture
def client(client_type: type[Client], server: ServerProcess) -> Iterator[Client]:
    with client_type(server.address) as opened:
        yield opened


@pytest.fixture
def run_id(client: Client) -> str:
    return client.create_run(experiment_id="0").run_id


@pytest.fixture
def cut(client_type: type[Client], server: ServerProcess) -> Iterator[Callable[..., tuple[Client, CuttingProxy]]]:
    """`cut(bytes, …)`: a client whose first connections break after so many bytes, and what breaks them."""
    with ExitStack() as stack:

        def make(*cut_after_bytes: int) -> tuple[Client, CuttingProxy]:
            proxy = CuttingProxy(server.address, cut_after_bytes)
            proxy.start()
            stack.callback(proxy.stop)
            return stack.enter_context(client_type(proxy.address)), proxy

        yield make


def paths(client: Client, run_id: str, path: str = "") -> list[str]:
    return [entry.path for entry in client.list_artifacts(run_id, path)]


def test_file_goes_up_and_comes_back(client: Client, run_id: str, tmp_path: Path) -> None:
    local = tmp_path / "weights.bin"
    local.write_bytes(CONTENT)
    artifact = client.upload_artifact(run_id, local)
    assert (artifact.path, artifact.size_bytes) == ("weights.bin", len(CONTENT))
    assert client.upload_artifact(run_id, str(local), "models/w").path == "models/w"
    assert client.download_artifact(run_id, "models/w", tmp_path / "new" / "w").read_bytes() == CONTENT
    assert client.download_artifact(run_id, "models/w", tmp_path) == tmp_path / "w"
    assert client.read_artifact(run_id, "weights.bin") == CONTENT
    assert client.read_artifact(run_id, "weights.bin", offset=5, length=3) == CONTENT[5:8]
    assert not list(tmp_path.rglob("*.part"))


def test_bytes_of_any_kind_are_stored(client: Client, run_id: str) -> None:
    for data in (b"", b"bytes", bytearray(b"array"), memoryview(b"a view")[2:]):
        client.upload_bytes(run_id, data, "a")
        assert client.read_artifact(run_id, "a") == bytes(data)


def test_folder_goes_up_and_comes_back(client: Client, run_id: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in ("a.txt", "b/c.txt", "b/d/e.txt", "b/ü ö.txt"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    uploaded = client.upload_folder(run_id, source, "top")
    assert [artifact.path for artifact in uploaded] == ["top/a.txt", "top/b/c.txt", "top/b/d/e.txt", "top/b/ü ö.txt"]
    client.download_artifact(run_id, "top", tmp_path / "target")
    client.download_artifact(run_id, "", tmp_path / "root")
    for name in ("a.txt", "b/c.txt", "b/d/e.txt", "b/ü ö.txt"):
        assert (tmp_path / "target" / name).read_text() == name
        assert (tmp_path / "root" / "top" / name).read_text() == name


def test_listing_pages_by_itself(client: Client, run_id: str) -> None:
    for number in range(5):
        client.upload_bytes(run_id, b"", f"f{number}")
    assert paths(client, run_id) == [f"f{number}" for number in range(5)]
    assert len(list(client.list_artifacts(run_id, max_results=3))) == 3


def test_deleted_file_is_gone(client: Client, run_id: str) -> None:
    client.upload_bytes(run_id, b"1", "a/b")
    client.delete_artifact(run_id, "a")
    assert paths(client, run_id) == []
    with pytest.raises(NotFoundError):
        client.delete_artifact(run_id, "a")


def test_failed_download_leaves_nothing(client: Client, run_id: str, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as missing:
        client.download_artifact(run_id, "none", tmp_path / "none")
    assert missing.value.metadata["resource_name"] == "none"
    client.upload_bytes(run_id, b"1", "a")
    with pytest.raises(OutOfRangeError):
        client.read_artifact(run_id, "a", offset=2)
    assert not [entry for entry in tmp_path.iterdir() if "none" in entry.name or entry.suffix == ".part"]


def test_bad_arguments_are_refused(client: Client, run_id: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"header\.path"):
        client.upload_bytes(run_id, b"1", "../a")
    with pytest.raises(FileNotFoundError):
        client.upload_artifact(run_id, tmp_path / "none")
    with pytest.raises(NotADirectoryError):
        client.upload_folder(run_id, tmp_path / "none")
    with pytest.raises(InvalidArgumentError):
        client.read_artifact(run_id, "a", offset=-1)
    with pytest.raises(FailedPreconditionError, match="UploadArtifact"):
        client.create_artifact_upload_url(run_id, "a")
    with pytest.raises(FailedPreconditionError, match="DownloadArtifact"):
        client.create_artifact_download_url(run_id, "a")


def test_refusal_is_told_while_bytes_are_still_on_their_way(client: Client, run_id: str) -> None:
    for _ in range(10):
        with pytest.raises(InvalidArgumentError, match=r"header\.path"):
            client.upload_bytes(run_id, CONTENT, "../a")


def test_name_that_is_not_utf8_is_refused(client: Client, run_id: str, tmp_path: Path) -> None:
    local = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    local.write_bytes(b"1")
    with pytest.raises(InvalidArgumentError, match="UTF-8"):
        client.upload_artifact(run_id, local)
    client.upload_artifact(run_id, local, "named")


@pytest.mark.parametrize("path", ["a/..", "a/.", "a/", "b", "/etc/passwd", "a/b/c", ".."])
def test_listed_path_that_leads_out_is_refused(path: str) -> None:
    with pytest.raises(DataLossError):
        _name_below("a", path)


def test_upload_goes_on_where_connections_broke(
    cut: Callable[..., tuple[Client, CuttingProxy]], client: Client, run_id: str, tmp_path: Path
) -> None:
    local = tmp_path / "a"
    local.write_bytes(CONTENT)
    cutting, proxy = cut(2_500_000, 1_800_000, 100_000)
    assert cutting.upload_artifact(run_id, local, "a").size_bytes == len(CONTENT)
    assert proxy.cut_connections >= 3
    assert client.read_artifact(run_id, "a") == CONTENT


def test_download_goes_on_where_connections_broke(
    cut: Callable[..., tuple[Client, CuttingProxy]], client: Client, run_id: str, tmp_path: Path
) -> None:
    client.upload_bytes(run_id, CONTENT, "a")
    cutting, proxy = cut(2_500_000, 1_800_000)
    assert cutting.download_artifact(run_id, "a", tmp_path / "a").read_bytes() == CONTENT
    assert proxy.cut_connections >= 2
    ranged, proxy = cut(1_500_000)
    assert ranged.read_artifact(run_id, "a", offset=7, length=5_000_000) == CONTENT[7:5_000_007]
    assert proxy.cut_connections >= 1


def test_file_replaced_while_the_connection_is_broken_comes_whole(
    cut: Callable[..., tuple[Client, CuttingProxy]],
    server: ServerProcess,
    run_id: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = CONTENT[::-1]
    with Client(server.address) as beside:
        beside.upload_bytes(run_id, CONTENT, "a")

        async def replace_instead(_transport: Transport, _seconds: float) -> None:
            beside.upload_bytes(run_id, other, "a")

        for transport in (BlockingTransport, AsyncConnection):
            monkeypatch.setattr(transport, "sleep", replace_instead)
        cutting, _ = cut(3_000_000)
        assert cutting.read_artifact(run_id, "a") == other


def test_upload_outlives_a_killed_server(
    client_type: type[Client], make_server_process: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    port = str(free_port())
    data_dir = tmp_path / "data"
    first = make_server_process("--port", port, data_dir=data_dir)
    first.start()
    local = tmp_path / "large"
    with local.open("wb") as file:
        for number in range(256):
            file.write(number.to_bytes(4, "big") * (MIB // 4))

    def kill_and_start_again() -> None:
        partials = data_dir / "artifacts" / ".partial"
        while not any(partial.stat().st_size > 20 * MIB for partial in partials.iterdir()):
            time.sleep(0.005)
        first.stop(signal.SIGKILL)
        make_server_process("--port", port, data_dir=data_dir).start()

    with client_type(first.address) as client:
        run_id = client.create_run(experiment_id="0").run_id
        killer = threading.Thread(target=kill_and_start_again)
        killer.start()
        client.upload_artifact(run_id, local, "large")
        killer.join()
        back = client.download_artifact(run_id, "large", tmp_path / "back")
        assert digest_of(back) == digest_of(local)


def digest_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


@pytest.fixture
def broken_off(server: ServerProcess, run_id: str, tmp_path: Path) -> Iterator[Path]:
    """A file whose upload "mine" broke off, and was not gone on with."""
    local = tmp_path / "a"
    local.write_bytes(LARGE)
    proxy = CuttingProxy(server.address, [20_000_000])
    proxy.start()
    header = UploadHeader(upload_id="mine", run_id=run_id, path="a", size_bytes=len(LARGE))
    with Client(proxy.address) as cutting, pytest.raises(UnavailableError):
        run_blocking(_send(BlockingTransport(cutting._connection), Upload(header, FileSource(local))))
    yield local
    proxy.stop()


def test_another_process_goes_on_by_the_upload_id(broken_off: Path, client: Client, run_id: str) -> None:
    status = client.get_upload_status(run_id, "mine")
    assert 0 < status.received_bytes < len(LARGE)
    client.upload_artifact(run_id, broken_off, "a", upload_id="mine")
    assert client.read_artifact(run_id, "a") == LARGE
    assert client.get_upload_status(run_id, "mine").complete
    assert client.upload_artifact(run_id, broken_off, "a", upload_id="mine").size_bytes == len(LARGE)


def test_file_that_changed_before_its_upload_goes_on_is_refused(broken_off: Path, client: Client, run_id: str) -> None:
    broken_off.write_bytes(LARGE[::-1])
    with pytest.raises(AbortedError) as refused:
        client.upload_artifact(run_id, broken_off, "a", upload_id="mine")
    assert refused.value.reason == "CHECKSUM_MISMATCH"
    client.upload_artifact(run_id, broken_off, "a", upload_id="mine")
    assert client.read_artifact(run_id, "a") == LARGE[::-1]


def test_retries_end_without_progress_alone() -> None:
    retries = Retries()
    error = UnavailableError("gone")
    assert {retries.wait_seconds(error, reached) for reached in range(1, 30)} == {0.1}
    waits = [retries.wait_seconds(error, 29) for _ in range(ATTEMPTS_WITHOUT_PROGRESS_MAX - 2)]
    with pytest.raises(UnavailableError):
        retries.wait_seconds(error, 29)
    assert max(waits) == 2.0


def test_source_that_fails_ends_the_stream_and_keeps_its_failure(tmp_path: Path) -> None:
    transfer = Upload(UploadHeader(size_bytes=5), FileSource(tmp_path / "none"))
    assert [message.WhichOneof("part") for message in transfer.stream()] == ["header"]
    assert isinstance(transfer.failure, FileNotFoundError)


def test_text_is_no_bytes_and_is_told_by_name(client: Client) -> None:
    with pytest.raises(TypeError, match="data: must be bytes, not str"):
        client.upload_bytes(client.create_run().run_id, "text", "x.txt")  # type: ignore[arg-type]

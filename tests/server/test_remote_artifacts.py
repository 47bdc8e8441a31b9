"""A server whose artifacts lie at an SFTP or FTP server, or are to lie where no test goes: settings, refusals."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import _registry
from tests.conftest import ServerProcess
from tests.file_servers import PASSWORD, FileServer

from trackwire import Client
from trackwire.errors import FailedPreconditionError
from trackwire_server.config import Config
from trackwire_server.core.errors import FailedPrecondition, InvalidArgument, StoreUnavailable
from trackwire_server.core.remote_places import EXTRAS, REMOTE_FORMS, remote_place
from trackwire_server.storage import open_stores
from trackwire_server.stores.remote import PROTOCOLS, RemoteSettings, any_system
from trackwire_server.stores.remote.drive import Fault

MakeServer = Callable[..., ServerProcess]
DATA = os.urandom(3 * 1024 * 1024)


@pytest.fixture(params=["sftp", "ftp"])
def files(request: pytest.FixtureRequest) -> FileServer:
    found: FileServer = request.getfixturevalue(f"{request.param}_server")
    return found


@pytest.fixture
def server_on(make_server_process: MakeServer, files: FileServer) -> MakeServer:
    """`server_on("sftp://…")`: a server whose artifacts lie there."""
    known = ("--sftp-known-hosts", str(files.known_hosts)) if files.known_hosts else ()

    def make(uri: str, *arguments: str) -> ServerProcess:
        return make_server_process("--artifacts-destination", uri, *known, *arguments)

    return make


def test_files_go_there_and_come_back_after_a_restart_and_no_word_has_the_password(
    server_on: MakeServer, files: FileServer, tmp_path: Path
) -> None:
    source, target, folder = tmp_path / "source", tmp_path / "target", files.fresh_folder()
    source.write_bytes(DATA)
    # Once the password stands in a file, and once in the URI, as MLflow has it.
    by_file = files.scheme == "sftp"
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    said = ("--artifacts-password-file", str(tmp_path / "password")) if by_file else ()
    server = server_on(files.uri(folder, password=None if by_file else PASSWORD), "--log-level", "debug", *said)
    with Client(server.start()) as client:
        run_id = client.create_run().run_id
        client.upload_artifact(run_id, source, "models/large.bin")
        client.upload_bytes(run_id, b"small", "small.txt")
        shown = client.get_server_info().artifacts_uri
    assert f"artifacts={files.scheme}://tester" in server.ready_line
    assert server.stop() == 0
    with Client(server.start()) as client:
        assert [entry.path for entry in client.list_artifacts(run_id)] == ["models", "small.txt"]
        client.download_artifact(run_id, "models/large.bin", target)
        client.delete_run(run_id)
        assert client.collect_garbage(run_ids=[run_id]).artifact_bytes == len(DATA) + len(b"small")
    assert target.read_bytes() == DATA
    assert [each.name for each in (files.folder / folder).rglob("*")] == [".partial"]
    assert list((server.data_dir / "uploads").iterdir()) == []
    assert server.stop() == 0
    assert PASSWORD not in f"{server.log_text()}{server.ready_line}{shown}"


@pytest.mark.parametrize(
    ("password", "folder", "said"),
    [("wrong", "", "password"), (PASSWORD, "none", "the folder does not exist")],
)
def test_server_that_is_not_let_in_says_why_and_does_not_start(
    server_on: MakeServer, files: FileServer, password: str, folder: str, said: str
) -> None:
    server = server_on(files.uri(folder, password=password))
    assert server.launch().wait(60) == 1
    assert said in server.log_text()
    assert f"{files.scheme}://tester@127.0.0.1" in server.log_text()
    assert f":{password}@" not in server.log_text()


def test_sftp_server_whose_key_nobody_knows_is_refused_at_the_start(
    make_server_process: MakeServer, sftp_server: FileServer, tmp_path: Path
) -> None:
    server = make_server_process("--artifacts-uri", sftp_server.uri(), HOME=str(tmp_path))
    assert server.launch().wait(60) == 1
    assert "is not in ~/.ssh/known_hosts" in server.log_text()
    assert PASSWORD not in server.log_text()


def test_experiment_elsewhere_is_left_to_clients(make_server_process: MakeServer, ftp_server: FileServer) -> None:
    server = make_server_process("--artifacts-uri", ftp_server.uri(ftp_server.fresh_folder()))
    location = ftp_server.uri("elsewhere", password=None)
    with Client(server.start()) as client:
        experiment_id = client.create_experiment("elsewhere", artifact_location=location).experiment_id
        run_id = client.create_run(experiment_id=experiment_id).run_id
        with pytest.raises(FailedPreconditionError, match=f"{location}/{run_id}/artifacts") as refused:
            client.upload_bytes(run_id, b"data", "file")
    assert refused.value.reason == "ARTIFACTS_ELSEWHERE"


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
async def test_password_file_that_is_none_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "password").write_bytes(content)
    with pytest.raises(InvalidArgument, match="must be a file that can be read") as refused:
        await _open(tmp_path, "sftp://me@127.0.0.1:1/folder", artifacts_password_file=str(tmp_path / "password"))
    assert refused.value.field == "--artifacts-password-file"


async def _open(tmp_path: Path, uri: str, **said: str) -> None:
    config = Config.read({"data_dir": str(tmp_path), "artifacts_uri": uri, **said}, {})
    async with AsyncExitStack() as stack:
        await open_stores(config, stack)


@pytest.mark.parametrize(
    ("scheme", "modules"),
    [
        ("sftp", ["fsspec", "fsspec.implementations.sftp"]),
        ("sftp", ["paramiko"]),
        ("ftp", ["fsspec", "fsspec.implementations.ftp"]),
        ("gs", ["gcsfs"]),
        ("abfs", ["adlfs"]),
        ("abfss", ["adlfs"]),
        ("hdfs", ["pyarrow"]),
    ],
)
async def test_extra_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scheme: str, modules: Sequence[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("trackwire_server.stores.remote")]:
        monkeypatch.delitem(sys.modules, name)
    for name in modules:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(FailedPrecondition, match=rf"pip install 'trackwire\[{EXTRAS[scheme]}\]'") as refused:
        await _open(tmp_path, REMOTE_FORMS[scheme])
    assert refused.value.reason == "EXTRA_MISSING"


async def test_hdfs_without_hadoop_on_this_machine_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("JAVA_HOME", "HADOOP_HOME", "ARROW_LIBHDFS_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    with pytest.raises(
        StoreUnavailable, match=r"artifact store hdfs://127\.0\.0\.1:1/folder: connect: .*lib"
    ) as refused:
        await _open(tmp_path, "hdfs://127.0.0.1:1/folder")
    assert "\n" not in refused.value.message


class Recorded(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Stands for a driver that is not installed: what it is told."""

    cachable = False

    def __init__(self, **said: object):
        super().__init__(global_store=False)
        self.said = said


@pytest.mark.parametrize(
    ("uri", "connected", "said"),
    [
        ("gs://bucket/folder", any_system.connected_to_gs, {"requests_timeout": 60}),
        (
            "abfss://container@account.dfs.core.windows.net/folder",
            any_system.connected_to_abfs,
            {"connection_timeout": 60, "read_timeout": 60, "account_name": "account"},
        ),
        ("abfs://container/folder", any_system.connected_to_abfs, {"connection_timeout": 60, "read_timeout": 60}),
        ("hdfs:///folder", any_system.connected_to_hdfs, {"host": "default", "port": 0, "user": None}),
        ("hdfs://me@node:8020/f", any_system.connected_to_hdfs, {"host": "node", "port": 8020, "user": "me"}),
    ],
)
def test_drivers_that_are_untried_are_told_where_to_go_and_to_keep_no_lists(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    uri: str,
    connected: Callable[[RemoteSettings], any_system.AnySystemDrive],
    said: dict[str, object],
) -> None:
    place = remote_place(uri)
    assert place is not None
    protocol = {"abfss": "abfs"}.get(place.scheme, place.scheme)
    monkeypatch.setitem(_registry, protocol, Recorded)
    drive = connected(RemoteSettings(place, tmp_path))
    assert drive._system.said == {**said, "use_listings_cache": False}


class Answer(Exception):
    """As the drivers of clouds raise it."""

    def __init__(self, code: int):
        super().__init__(f"HTTP {code}")
        self.code = code


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (FileNotFoundError("a"), Fault.ABSENT),
        (Answer(404), Fault.ABSENT),
        (PermissionError("no"), Fault.REFUSED),
        (Answer(401), Fault.REFUSED),
        (Answer(403), Fault.REFUSED),
        (Answer(507), Fault.FULL),
        (OSError("the disk quota is exceeded"), Fault.FULL),
        (FileExistsError(17, "is there"), Fault.FAILED),
        (Answer(503), Fault.AWAY),
        (TimeoutError(), Fault.AWAY),
        (ValueError("what?"), Fault.AWAY),
    ],
)
def test_what_drivers_raise_has_a_meaning(error: Exception, fault: Fault) -> None:
    assert any_system.fault_of(error)[0] is fault


def test_every_form_has_an_extra_and_a_protocol() -> None:
    assert set(REMOTE_FORMS) == set(EXTRAS) == set(PROTOCOLS)
    for uri in REMOTE_FORMS.values():
        assert remote_place(uri) is not None

"""An SFTP or FTP server is killed, stands still or is slow: a clear error, nothing half visible or left behind."""

import asyncio
import hashlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.conftest import FakeClock, ServerProcess
from tests.core.files_of_runs import DAY_MS, RUN, stream
from tests.file_servers import PASSWORD, FileServer, file_server
from tests.stores.byte_files import ROOT, names, put, read

from trackwire import Client
from trackwire_server.core.artifact_owners import RunOwners
from trackwire_server.core.artifact_places import OWN_SCHEME, ByteStores, own_store
from trackwire_server.core.artifacts import Artifacts, UploadStatus
from trackwire_server.core.errors import ChecksumMismatch, StoreUnavailable
from trackwire_server.core.upload_streams import UploadFinish, UploadHeader
from trackwire_server.stores.memory.artifacts import MemoryUploads
from trackwire_server.stores.memory.runs import MemoryRuns
from trackwire_server.stores.memory.state import MemoryState
from trackwire_server.stores.remote import RemoteBytes

MEBIBYTE = 1024 * 1024
PATH = f"{ROOT}/file.bin"
# Ten seconds on their way, if nobody broke them off.
DATA = os.urandom(4 * MEBIBYTE)
SLOW = len(DATA) // 10
WAIT_SECONDS = 30


class Machine:
    """A machine with a file server that can be killed and started again at the same port."""

    def __init__(self, scheme: str, folder: Path, stack: ExitStack, bytes_per_second: int = SLOW):
        self._scheme = scheme
        self._folder = folder
        self._stack = stack
        self.server = self._started(0, bytes_per_second)
        self.folder = self.server.folder / "store"
        self.folder.mkdir()

    def _started(self, port: int, bytes_per_second: int) -> FileServer:
        server = file_server(self._scheme, self._folder, port=port, bytes_per_second=bytes_per_second)
        return self._stack.enter_context(server)

    def kill(self) -> None:
        """As by a power cut."""
        self.server.process.kill()
        self.server.process.wait(WAIT_SECONDS)

    def start_again(self) -> None:
        """No longer slow."""
        self.server = self._started(self.server.port, 0)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """It takes connections, as the kernel does that for it, and answers nothing."""
        self.server.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.server.process.send_signal(signal.SIGCONT)

    @property
    def files(self) -> Sequence[str]:
        """Paths of all that lies there."""
        found = (each.relative_to(self.folder) for each in self.folder.rglob("*") if each.is_file())
        return sorted(str(each) for each in found)


@pytest.fixture(params=["sftp", "ftp"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    with ExitStack() as stack:
        yield Machine(request.param, tmp_path, stack)


@pytest.fixture
async def store(machine: Machine, tmp_path: Path) -> AsyncIterator[RemoteBytes]:
    settings = machine.server.settings("store", tmp_path / "spool", timeout_seconds=3)
    async with RemoteBytes.opened(settings) as opened:
        yield opened


async def until(is_so: Callable[[], bool]) -> None:
    """Waits for something to come about."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # another process's files tell of no event


async def begin_upload(store: RemoteBytes, machine: Machine) -> "asyncio.Task[None]":
    """An upload whose first bytes have arrived over there."""
    uploading = asyncio.create_task(put(store, PATH, DATA, partial_id="p"))
    await until(lambda: uploading.done() or any(_size(machine, name) for name in machine.files))
    assert not uploading.done(), uploading
    return uploading


def _size(machine: Machine, name: str) -> int:
    return (machine.folder / name).stat().st_size


async def failed(task: "asyncio.Task[None]", machine: Machine) -> StoreUnavailable:
    """How a call ends that the machine doesn't answer, in a time that has an end."""
    with pytest.raises(StoreUnavailable) as refused:
        await asyncio.wait_for(task, WAIT_SECONDS)
    assert f"{machine.server.scheme}://" in refused.value.message
    assert PASSWORD not in f"{refused.value.message}{refused.value.metadata}"
    return refused.value


async def test_server_that_is_killed_in_the_middle_of_an_upload_leaves_nothing_visible_and_it_goes_on_afterwards(
    store: RemoteBytes, machine: Machine
) -> None:
    uploading = await begin_upload(store, machine)
    machine.kill()
    await failed(uploading, machine)
    (left,) = machine.files
    assert left.startswith(".partial/")
    machine.start_again()
    assert await names(store, "") == []
    assert await store.partial_size("p") == len(DATA)
    partial = await store.open_partial("p", PATH)
    await partial.publish()
    await partial.close()
    assert await read(store, PATH) == DATA
    assert machine.files == [PATH]


async def test_server_that_stands_still_in_the_middle_of_an_upload_is_given_up(
    store: RemoteBytes, machine: Machine
) -> None:
    uploading = await begin_upload(store, machine)
    with machine.standing_still():
        assert "no answer came in time" in (await failed(uploading, machine)).message
    assert await names(store, "") == []


@pytest.mark.slow
async def test_server_that_stands_still_is_given_up_by_all_calls_and_found_again(
    store: RemoteBytes, machine: Machine
) -> None:
    await put(store, "a/file", b"bytes")
    file = await store.open_file("a/file")
    with machine.standing_still():
        calls = (store.list_folder("a", after="", limit=1), store.get_file("a/file"), store.delete("a/file"))
        async with asyncio.timeout(WAIT_SECONDS):
            outcomes = await asyncio.gather(*calls, file.read(offset=0, length=5), return_exceptions=True)
        # What is read may have come before.
        assert [type(outcome) for outcome in outcomes[:3]] == [StoreUnavailable] * 3
        await asyncio.gather(file.close(), return_exceptions=True)
    assert await read(store, "a/file") == b"bytes"


async def test_server_that_is_killed_while_a_file_is_read_is_named_and_the_rest_can_be_read_afterwards(
    store: RemoteBytes, machine: Machine
) -> None:
    target = machine.folder / PATH
    target.parent.mkdir(parents=True)
    target.write_bytes(DATA)
    file = await store.open_file(PATH)
    version, position = file.version, 64 * 1024
    assert await file.read(offset=0, length=position) == DATA[:position]
    reading = asyncio.create_task(file.read(offset=position, length=len(DATA)))
    machine.kill()
    with pytest.raises(StoreUnavailable):
        await asyncio.wait_for(reading, WAIT_SECONDS)
    await file.close()
    machine.start_again()
    again = await store.open_file(PATH)
    assert again.version == version
    assert await again.read(offset=position, length=len(DATA)) == DATA[position:]
    await again.close()


async def test_server_that_is_started_again_is_used_again(store: RemoteBytes, machine: Machine) -> None:
    await put(store, "file", b"bytes")
    machine.kill()
    with pytest.raises(StoreUnavailable):
        await store.get_file("file")
    machine.start_again()
    assert await read(store, "file") == b"bytes"


async def test_upload_that_a_stop_of_the_server_breaks_off_is_not_waited_for_and_goes_on_afterwards(
    machine: Machine, tmp_path: Path
) -> None:
    settings = machine.server.settings("store", tmp_path / "spool")
    async with RemoteBytes.opened(settings) as store:
        uploading = await begin_upload(store, machine)
    with pytest.raises(StoreUnavailable):
        await asyncio.wait_for(uploading, WAIT_SECONDS)
    assert PATH not in machine.files
    machine.kill()
    machine.start_again()
    async with RemoteBytes.opened(settings) as store:
        partial = await store.open_partial("p", PATH)
        await partial.publish()
        await partial.close()
    assert (machine.folder / PATH).read_bytes() == DATA
    assert machine.files == [PATH]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["sftp", "ftp"])
async def test_upload_that_takes_longer_than_an_answer_may_is_no_failure(scheme: str, tmp_path: Path) -> None:
    data, timeout_seconds = DATA * 6, 4
    with ExitStack() as stack:
        machine = Machine(scheme, tmp_path, stack, len(data) // (timeout_seconds + 2))
        settings = machine.server.settings("store", tmp_path / "spool", timeout_seconds=timeout_seconds)
        async with RemoteBytes.opened(settings) as store:
            began = time.monotonic()
            await put(store, PATH, data)
            assert time.monotonic() - began > timeout_seconds
        assert (machine.folder / PATH).read_bytes() == data


async def test_upload_whose_caller_goes_away_is_stored_whole_or_not_at_all(
    store: RemoteBytes, machine: Machine
) -> None:
    uploading = await begin_upload(store, machine)
    uploading.cancel()
    await asyncio.wait([uploading])
    machine.kill()
    await until(lambda: not store._sessions._tasks)
    machine.start_again()
    assert await names(store, "") == []
    await store.discard_partial("p")
    assert machine.files == []


@pytest.fixture
def artifacts(store: RemoteBytes, memory_state: MemoryState, clock: FakeClock) -> Artifacts:
    """The rules of a run's artifacts, over the store."""
    memory_state.runs["run1"] = RUN
    stores = ByteStores({OWN_SCHEME: own_store(store)})
    return Artifacts(RunOwners(MemoryRuns(memory_state)), MemoryUploads(memory_state), stores, clock)


async def test_upload_that_nobody_goes_on_with_leaves_nothing_after_a_day(
    artifacts: Artifacts, machine: Machine, clock: FakeClock, tmp_path: Path
) -> None:
    header = UploadHeader("upload1", "run1", "file", len(DATA), 0)
    sha256 = hashlib.sha256(DATA).digest()
    uploading = asyncio.create_task(artifacts.upload(header, stream(DATA, UploadFinish(sha256))))
    await until(lambda: uploading.done() or any(_size(machine, name) for name in machine.files))
    machine.kill()
    with pytest.raises(StoreUnavailable):
        await asyncio.wait_for(uploading, WAIT_SECONDS)
    machine.start_again()
    assert len(machine.files) == 1
    clock.advance(DAY_MS + 1)
    assert await artifacts.discard_expired() == 1
    assert machine.files == []
    assert list((tmp_path / "spool").iterdir()) == []


async def test_upload_that_is_cut_while_its_file_is_sent_is_complete_behind_that(
    artifacts: Artifacts, machine: Machine
) -> None:
    data = DATA[:MEBIBYTE]
    header = UploadHeader("upload1", "run1", "file", len(data), 0)
    whole = (data, UploadFinish(hashlib.sha256(data).digest()))
    uploading = asyncio.create_task(artifacts.upload(header, stream(*whole)))
    await until(lambda: uploading.done() or any(_size(machine, name) for name in machine.files))
    uploading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(uploading, WAIT_SECONDS)
    assert await artifacts.get_upload_status("run1", "upload1") == UploadStatus(len(data), True)
    assert machine.files == ["0/run1/artifacts/file"]


async def test_stream_without_a_header_that_is_cut_while_its_file_is_sent_is_cancelled(
    artifacts: Artifacts, store: RemoteBytes, machine: Machine, clock: FakeClock
) -> None:
    async def data() -> AsyncIterator[bytes]:
        yield DATA

    storing = asyncio.create_task(artifacts.store("run1", "file", data()))
    await until(lambda: storing.done() or any(_size(machine, name) for name in machine.files))
    storing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(storing, WAIT_SECONDS)
    machine.kill()
    await until(lambda: not store._sessions._tasks)
    machine.start_again()
    clock.advance(DAY_MS + 1)
    assert await artifacts.discard_expired() == 1
    assert machine.files == []


async def test_upload_whose_checksum_is_another_leaves_nothing(
    artifacts: Artifacts, machine: Machine, tmp_path: Path
) -> None:
    header = UploadHeader("upload1", "run1", "file", len(DATA), 0)
    with pytest.raises(ChecksumMismatch):
        await artifacts.upload(header, stream(DATA, UploadFinish(bytes(32))))
    assert machine.files == []
    assert list((tmp_path / "spool").iterdir()) == []


async def test_client_waits_for_the_end_of_an_outage_and_the_file_arrives(
    make_server_process: Callable[..., ServerProcess], machine: Machine, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(DATA)
    known = ("--sftp-known-hosts", str(machine.server.known_hosts)) if machine.server.known_hosts else ()
    server = make_server_process("--artifacts-uri", machine.server.uri("store"), *known)
    address = await asyncio.to_thread(server.start)

    def upload_and_read() -> bytes:
        with Client(address) as client:
            run_id = client.create_run().run_id
            client.upload_artifact(run_id, tmp_path / "file", "file")
            client.download_artifact(run_id, "file", tmp_path / "copy")
        return (tmp_path / "copy").read_bytes()

    uploading = asyncio.create_task(asyncio.to_thread(upload_and_read))
    await until(lambda: uploading.done() or any(_size(machine, name) for name in machine.files))
    machine.kill()
    await until(lambda: uploading.done() or "store failed" in server.log_text())
    machine.start_again()
    assert await uploading == DATA
    assert PASSWORD not in f"{server.log_text()}{server.ready_line}"

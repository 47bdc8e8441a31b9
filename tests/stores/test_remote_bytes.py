"""What stores by SFTP and FTP do beyond what every ByteStore keeps to: hosts, users, links, names, who sends what."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import asyncssh
import pytest
from tests.file_servers import USER, FileServer, file_server
from tests.stores.byte_files import ROOT, names, put, read

from trackwire_server.core.errors import InvalidArgument, NotFound, Overloaded, StoreUnavailable
from trackwire_server.core.remote_places import RemotePlace
from trackwire_server.stores.remote import RemoteBytes, RemoteSettings
from trackwire_server.stores.remote.partial import KEPT_SECONDS_MAX

MEBIBYTE = 1024 * 1024
PATH = f"{ROOT}/file.bin"
DATA = os.urandom(3 * MEBIBYTE + 1)


class Open(Protocol):
    """Opens the store once more, as a server with a spool of its own, or with this one."""

    async def __call__(self, spool: str = "spool") -> RemoteBytes: ...


@pytest.fixture(params=["sftp", "ftp"])
def server(request: pytest.FixtureRequest) -> FileServer:
    found: FileServer = request.getfixturevalue(f"{request.param}_server")
    return found


@pytest.fixture
def folder(server: FileServer) -> Path:
    """Where the store's files lie, on this machine."""
    return server.folder / server.fresh_folder()


@pytest.fixture
def settings(server: FileServer, folder: Path, tmp_path: Path) -> RemoteSettings:
    return server.settings(folder.name, tmp_path / "spool")


@pytest.fixture
async def reopen(settings: RemoteSettings, tmp_path: Path) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        async def opened(spool: str = "spool") -> RemoteBytes:
            return await stack.enter_async_context(RemoteBytes.opened(replace(settings, spool=tmp_path / spool)))

        yield opened


@pytest.fixture
async def store(reopen: Open) -> RemoteBytes:
    return await reopen()


@pytest.fixture
async def another_servers(reopen: Open) -> RemoteBytes:
    """The same store, as a server on another machine has it."""
    return await reopen("another spool")


def files_in(folder: Path) -> Sequence[str]:
    """Paths of all that is there, but for the store's own folder itself."""
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.name != ".partial")


async def refusal_of(settings: RemoteSettings) -> StoreUnavailable:
    """What a store says that can't be opened. No word of it has a password."""
    with pytest.raises(StoreUnavailable) as refused:
        async with RemoteBytes.opened(settings):
            pass
    assert "secret" not in f"{refused.value.message}{refused.value.metadata}"
    assert settings.place.uri in refused.value.message
    return refused.value


async def test_file_of_many_pieces_reads_back_from_anywhere(store: RemoteBytes) -> None:
    await put(store, PATH, DATA)
    file = await store.open_file(PATH)
    for offset, length in ((0, 10), (10, MEBIBYTE), (3 * MEBIBYTE, 100), (5, 7), (len(DATA) - 3, 100), (0, len(DATA))):
        assert await file.read(offset=offset, length=length) == DATA[offset : offset + length]
    assert await file.read(offset=len(DATA), length=1) == b""
    await file.close()


async def test_published_file_is_all_that_is_there(store: RemoteBytes, folder: Path, tmp_path: Path) -> None:
    await put(store, PATH, DATA)
    await store.delete(PATH)
    await put(store, "a/b", DATA)
    assert files_in(folder) == ["a", "a/b"]
    assert (folder / "a/b").read_bytes() == DATA
    assert files_in(tmp_path / "spool") == []


async def test_upload_goes_on_after_a_restart_and_begins_anew_elsewhere(
    store: RemoteBytes, reopen: Open, another_servers: RemoteBytes
) -> None:
    first = await store.open_partial("p", PATH)
    await first.append(DATA[:MEBIBYTE])
    await first.close()
    assert await another_servers.partial_size("p") == 0
    restarted = await reopen()
    assert await restarted.partial_size("p") == MEBIBYTE
    second = await restarted.open_partial("p", PATH)
    await second.append(DATA[MEBIBYTE:])
    assert await second.sha256() == hashlib.sha256(DATA).digest()
    await second.publish()
    await second.close()
    assert await read(store, PATH) == DATA


async def test_two_servers_that_take_the_same_upload_at_once_store_it_whole(
    store: RemoteBytes, another_servers: RemoteBytes, folder: Path
) -> None:
    async def publish(by: RemoteBytes, data: bytes) -> None:
        partial = await by.open_partial("p", PATH)
        try:
            await partial.append(data[partial.size_bytes :])
            await partial.publish()
        finally:
            await partial.close()

    outcomes = await asyncio.gather(publish(store, DATA), publish(another_servers, DATA[::-1]), return_exceptions=True)
    # Each removes what the other one has begun: one of them at least is told to send again.
    assert all(outcome is None or isinstance(outcome, StoreUnavailable) for outcome in outcomes)
    if outcomes.count(None) == 0:
        await publish(store, DATA)
    assert await read(store, PATH) in (DATA, DATA[::-1])
    await store.discard_partial("p")
    await another_servers.discard_partial("p")
    assert [name for name in files_in(folder) if ".partial" in name] == []


async def test_file_of_the_same_second_and_size_has_another_version(store: RemoteBytes) -> None:
    versions = set()
    for byte in range(3):
        await put(store, PATH, bytes([byte]) * 10)
        file = await store.open_file(PATH)
        versions.add(file.version)
        await file.close()
    assert len(versions) == 3


async def test_deletion_that_a_crash_broke_off_is_ended_by_the_next_start(
    store: RemoteBytes, reopen: Open, folder: Path
) -> None:
    await put(store, "keep", b"1")
    (folder / ".partial/deleted-1/a").mkdir(parents=True)
    (folder / ".partial/deleted-1/a/b").write_bytes(b"left")
    await reopen("another spool")
    assert files_in(folder) == ["keep"]


@pytest.mark.parametrize(
    "name", ["a b", " a", "a#b", "a?b", "a%b", "a[b]*", "a::b", "é", "a;b=c", "-rf", "a'\"b", "a~"]
)
async def test_name_is_taken_as_it_stands(store: RemoteBytes, folder: Path, name: str) -> None:
    await put(store, f"x/{name}/{name}", b"1")
    await put(store, "x/ab", b"2")
    assert (folder / "x" / name / name).read_bytes() == b"1"
    assert (name, True) in await names(store, "x")
    assert await read(store, f"x/{name}/{name}") == b"1"
    assert await store.delete(f"x/{name}") == 1
    assert await names(store, "x") == [("ab", False)]


@pytest.mark.parametrize("path", [".partial/p", ".partial"])
async def test_its_own_folder_is_refused_and_not_listed(store: RemoteBytes, path: str) -> None:
    await put(store, PATH)
    for call in (store.open_file, store.get_file, store.delete):
        with pytest.raises(InvalidArgument, match="own folder"):
            await call(path)
    assert await names(store, "") == [("0", True)]


async def test_connection_that_ended_while_nobody_used_it_is_made_again(
    store: RemoteBytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(store, PATH)
    for connection in store._sessions._idle:
        # Where it lies that this very class looks: another test may have had its module loaded again.
        monkeypatch.setitem(type(connection).make_ready.__globals__, "PING_AFTER_SECONDS", -1)
        # As a server does with those that are idle for long.
        connection.close()
        connection._closed = False
    assert await read(store, PATH) == b"bytes"


async def test_downloads_that_hold_all_connections_have_others_told_to_come_again(
    store: RemoteBytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(store, PATH)
    monkeypatch.setattr(store._sessions, "_timeout_seconds", 0.5)
    monkeypatch.setattr(store._sessions, "_turns", asyncio.Semaphore(2))
    held = [await store.open_file(PATH) for _ in range(2)]
    with pytest.raises(Overloaded, match="connections to the artifact store are in use") as refused:
        await store.get_file(PATH)
    assert refused.value.retry_after_seconds > 0
    await held[0].close()
    assert (await store.get_file(PATH)).size_bytes == 5
    await held[1].close()


async def test_call_that_is_cancelled_gives_its_connection_back(store: RemoteBytes) -> None:
    await put(store, PATH, DATA)
    for steps in range(12):
        reading = asyncio.create_task(read(store, PATH))
        for _ in range(steps):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
    await store._sessions.close()
    assert store._sessions._turns._value == 32


async def test_uploads_that_another_server_has_ended_do_not_stay_in_the_spool(
    store: RemoteBytes, tmp_path: Path
) -> None:
    for name in ("old", "young"):
        (tmp_path / "spool" / name).write_bytes(b"1")
    os.utime(tmp_path / "spool/old", (1, (tmp_path / "spool/young").stat().st_mtime - KEPT_SECONDS_MAX - 60))
    await store.discard_partial("p")
    assert files_in(tmp_path / "spool") == ["young"]


async def test_folder_that_is_missing_is_named(settings: RemoteSettings, folder: Path) -> None:
    folder.rmdir()
    assert "the folder does not exist: make it" in (await refusal_of(settings)).message


async def test_folder_that_goes_is_no_empty_folder(store: RemoteBytes, folder: Path) -> None:
    folder.rename(folder.parent / f"{folder.name}-moved")
    for attempt in (put(store, PATH), names(store, ROOT), store.get_file(PATH), store.delete(PATH)):
        with pytest.raises(StoreUnavailable, match="the folder does not exist") as refused:
            await attempt
        assert refused.value.reason == "ARTIFACT_STORE_REFUSES"


async def test_wrong_password_is_named(settings: RemoteSettings) -> None:
    refused = await refusal_of(replace(settings, password="another secret"))
    assert "password" in refused.message
    assert refused.reason == "ARTIFACT_STORE_REFUSES"


async def test_folder_without_rights_is_named(server: FileServer, tmp_path: Path) -> None:
    async with RemoteBytes.opened(server.settings("forbidden", tmp_path / "spool")) as store:
        with pytest.raises(StoreUnavailable, match="access is denied to the server's user") as refused:
            await put(store, PATH)
    assert refused.value.reason == "ARTIFACT_STORE_REFUSES"
    assert files_in(server.folder / "forbidden") == []


async def test_server_that_is_not_there_is_named(settings: RemoteSettings) -> None:
    refused = await refusal_of(replace(settings, place=replace(settings.place, port=1)))
    assert "connect:" in refused.message
    assert refused.reason == "STORE_UNAVAILABLE"


class TestSftp:
    """What SFTP alone has: host keys, keys of users, links."""

    @pytest.fixture
    def server(self, sftp_server: FileServer) -> FileServer:
        return sftp_server

    @pytest.mark.parametrize(
        "known", ["", "another.host ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHWpPqAtmUhmyVVGqyJSGt2/yiBnNsBrEqnzErtuoVgV\n"]
    )
    async def test_host_that_nobody_knows_is_refused(
        self, settings: RemoteSettings, tmp_path: Path, known: str
    ) -> None:
        (tmp_path / "known_hosts").write_text(known)
        refused = await refusal_of(replace(settings, known_hosts=tmp_path / "known_hosts"))
        assert f"is not in {tmp_path}/known_hosts" in refused.message
        assert "ssh-ed25519 SHA256:" in refused.message

    async def test_host_with_another_key_is_refused(self, settings: RemoteSettings, tmp_path: Path) -> None:
        key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
        (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{settings.place.port} {key}")
        refused = await refusal_of(replace(settings, known_hosts=tmp_path / "known_hosts"))
        assert "the host key is another one than that which is known" in refused.message

    async def test_known_hosts_that_are_missing_are_named(self, settings: RemoteSettings, tmp_path: Path) -> None:
        refused = await refusal_of(replace(settings, known_hosts=tmp_path / "none"))
        assert "--sftp-known-hosts" in refused.message

    async def test_hosts_of_the_user_are_known_without_a_setting(
        self, settings: RemoteSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert settings.known_hosts is not None
        monkeypatch.setenv("HOME", str(tmp_path))
        assert "is not in ~/.ssh/known_hosts" in (await refusal_of(replace(settings, known_hosts=None))).message
        (tmp_path / ".ssh").mkdir()
        (tmp_path / ".ssh/known_hosts").write_text(settings.known_hosts.read_text())
        async with RemoteBytes.opened(replace(settings, known_hosts=None)) as store:
            await put(store, PATH)

    @pytest.mark.parametrize("outside", [True, False])
    async def test_links_are_not_followed(
        self, store: RemoteBytes, folder: Path, tmp_path: Path, outside: bool
    ) -> None:
        target = tmp_path if outside else folder / "other"
        target.mkdir(exist_ok=True)
        (target / "secret").write_bytes(b"secret")
        await put(store, "x/file")
        (folder / "x/link").symlink_to(target)
        (folder / "x/file-link").symlink_to(target / "secret")
        assert await names(store, "x") == [("file", False)]
        assert await names(store, "x/link") == []
        for path in ("x/link", "x/link/secret", "x/file-link"):
            for call in (store.open_file, store.get_file, store.delete):
                with pytest.raises(NotFound):
                    await call(path)
            with pytest.raises(InvalidArgument, match="link"):
                await store.open_partial("p", path)
        await store.delete("x")
        assert (target / "secret").read_bytes() == b"secret"

    async def test_server_without_posix_rename_takes_files_but_not_in_place_of_others(
        self, store: RemoteBytes, folder: Path
    ) -> None:
        path = "without-posix-rename/file"
        await put(store, path, b"first")
        with pytest.raises(StoreUnavailable, match="rename: Operation unsupported"):
            await put(store, path, b"second", partial_id="q")
        assert await read(store, path) == b"first"
        await store.discard_partial("q")
        assert files_in(folder) == ["without-posix-rename", path]

    async def test_alias_user_and_key_come_from_the_users_own_settings_without_a_password(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / ".ssh").mkdir()
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(str(tmp_path / ".ssh/key"))
        (tmp_path / "authorized_keys").write_bytes(key.export_public_key())
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
        with file_server("sftp", tmp_path) as server:
            said = ("HostName 127.0.0.1", f"Port {server.port}", f"User {USER}", "IdentityFile ~/.ssh/key")
            (tmp_path / ".ssh/config").write_text("Host alias\n" + "\n".join(said))
            place = RemotePlace("sftp", "alias", server.fresh_folder())
            async with RemoteBytes.opened(RemoteSettings(place, tmp_path / "spool", "", server.known_hosts)) as store:
                await put(store, PATH, DATA)
                assert await read(store, PATH) == DATA

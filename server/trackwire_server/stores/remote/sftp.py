"""SFTP by fsspec's file system, which is paramiko's.

fsspec's own way to connect takes any host key and waits for ever, its `info` follows links, and its writes are not
asked for their outcome one by one: so these are done here, by the connection that the file system holds.
"""

import errno
import logging
import socket
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem

from trackwire_server.stores.remote.drive import Entry, Fault, Kind, Source
from trackwire_server.stores.remote.errors import Absent, Refusal
from trackwire_server.stores.remote.settings import RemoteSettings

# All that goes wrong is raised, too; the traces of an outage would fill a disk.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)

KEEP_ALIVE_SECONDS = 30
SEND_BYTES = 256 * 1024
_KEYS_OF_MACHINE = Path("/etc/ssh/ssh_known_hosts")
_FULL_WORDS = ("no space", "quota", "disk full")


class KnownHostsSystem(SFTPFileSystem):  # type: ignore[misc]  # fsspec has no types
    """fsspec's file system, connected only to hosts whose keys are known, and with an end to each wait."""

    # Each connection is one thread's.
    cachable = False

    def __init__(self, settings: RemoteSettings):
        self._settings = settings
        super().__init__(settings.place.host, use_listings_cache=False)

    def _connect(self) -> None:
        client = paramiko.SSHClient()
        try:
            _know_hosts(client, self._settings)
            client.connect(**_arguments(self._settings))
            transport = client.get_transport()
            assert transport is not None
            transport.set_keepalive(KEEP_ALIVE_SECONDS)
            # Without, TCP holds each read back to gather more: 20 MB/s on loopback, instead of 70.
            if isinstance(transport.sock, socket.socket):
                transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ftp = client.open_sftp()
            channel = ftp.get_channel()
            assert channel is not None
            channel.settimeout(self._settings.timeout_seconds)
        except BaseException:
            client.close()
            raise
        self.client, self.ftp = client, ftp


class _RefuseUnknownHost(paramiko.MissingHostKeyPolicy):
    def __init__(self, settings: RemoteSettings):
        self._settings = settings

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        known = self._settings.known_hosts or "~/.ssh/known_hosts"
        raise Refusal(
            f"the host key of {hostname} ({key.get_name()} {key.fingerprint}) is not in {known}: compare it with the"
            " server's own, and add it, as ssh-keyscan prints it"
        )


def _know_hosts(client: paramiko.SSHClient, settings: RemoteSettings) -> None:
    client.set_missing_host_key_policy(_RefuseUnknownHost(settings))
    if settings.known_hosts is None:
        client.load_system_host_keys()
        if _KEYS_OF_MACHINE.exists():
            client.load_system_host_keys(str(_KEYS_OF_MACHINE))
        return
    try:
        client.load_system_host_keys(str(settings.known_hosts))
    except OSError as error:
        raise Refusal(f"--sftp-known-hosts {settings.known_hosts} can't be read: {error.strerror}") from error


def _arguments(settings: RemoteSettings) -> Mapping[str, Any]:
    """What paramiko is told: the URI first, then ~/.ssh/config, as MLflow has it."""
    place, said = settings.place, _said_of_host(settings.place.host)
    password = settings.said_password
    keys = [] if password else said.get("identityfile", [])
    waits = ("timeout", "banner_timeout", "auth_timeout", "channel_timeout")
    return {
        "hostname": said.get("hostname", place.host),
        "port": place.port or int(said.get("port", paramiko.config.SSH_PORT)),
        "username": place.user or said.get("user"),
        "password": password or None,
        "key_filename": keys or None,
        # Where there is a password it is meant, and servers count each key as an attempt.
        "allow_agent": not password,
        "look_for_keys": not (password or keys),
        **dict.fromkeys(waits, settings.timeout_seconds),
    }


def _said_of_host(host: str) -> Mapping[str, Any]:
    path = Path("~/.ssh/config").expanduser()
    return paramiko.SSHConfig.from_path(str(path)).lookup(host) if path.exists() else {}


class SftpDrive:
    """A Drive."""

    def __init__(self, system: KnownHostsSystem):
        self._system = system
        self._sftp: paramiko.SFTPClient = system.ftp

    @classmethod
    def connected(cls, settings: RemoteSettings) -> Self:
        """Raises Refusal, and what paramiko raises."""
        return cls(KnownHostsSystem(settings))

    def look(self, path: str) -> Entry | None:
        """What is at a path; a link is OTHER."""
        try:
            return _entry(path.rpartition("/")[2], self._sftp.lstat(path))
        except FileNotFoundError:
            return None

    def entries(self, path: str) -> list[Entry]:
        """All that is right below a folder."""
        found = self._sftp.listdir_attr(path)
        return [_entry(each.filename, each) for each in found if each.filename not in (".", "..")]

    def open(self, path: str) -> "SftpReader":
        """A file, held by its handle; one that is replaced or deleted is still read to its end."""
        if (entry := self.look(path)) is None or entry.kind is not Kind.FILE:
            raise Absent(path)
        return SftpReader(self._system.open(path, "rb"), entry.name)

    def send(self, source: Source, path: str) -> None:
        """Writes a file. Many writes are under way at once; the last one waits for the outcome of all."""
        with self._system.open(path, "wb") as file:
            file.set_pipelined(True)
            data = source.read(SEND_BYTES)
            while following := source.read(SEND_BYTES):
                file.write(data)
                data = following
            file.set_pipelined(False)
            file.write(data)

    def make_folder(self, path: str) -> None:
        """Makes a folder."""
        try:
            self._sftp.mkdir(path)
        except OSError:
            if (there := self.look(path)) is None or there.kind is not Kind.FOLDER:
                raise

    def rename(self, path: str, new_path: str) -> None:
        """Moves, in place of what is there; where a server can't do that, only to where nothing is."""
        try:
            self._system.mv(path, new_path)
        except OSError as error:
            if fault_of(error)[0] is not Fault.FAILED or self.look(new_path) is not None:
                raise
            self._sftp.rename(path, new_path)

    def set_time(self, path: str, modification_time_ms: int) -> None:
        """Dates a file, in whole seconds."""
        seconds = modification_time_ms // 1_000
        self._sftp.utime(path, (seconds, seconds))

    def remove_file(self, path: str) -> None:
        """Removes a file or a link."""
        self._sftp.remove(path)

    def remove_folder(self, path: str) -> None:
        """Removes a folder that is empty."""
        self._sftp.rmdir(path)

    def ping(self) -> None:
        """Asks for something small."""
        self._sftp.stat("/")

    def close(self) -> None:
        """Ends the connection."""
        self._system.client.close()


class SftpReader:
    """A Reader on a handle."""

    def __init__(self, file: paramiko.SFTPFile, name: str):
        self._file = file
        # Its thread would tell stderr of a connection that ends; the read is told as well.
        prefetch = "_prefetch_thread"
        setattr(file, prefetch, _unheard(getattr(file, prefetch)))
        self.entry = _entry(name, file.stat())

    def read(self, offset: int, length: int) -> bytes:
        """So many bytes, asked for all at once."""
        return b"".join(self._file.readv([(offset, length)]))

    def close(self) -> bool:
        """Lets go of the handle."""
        self._file.close()
        return True


def _unheard(prefetch: Callable[..., None]) -> Callable[..., None]:
    def run(*chunks: object) -> None:
        with suppress(OSError, EOFError, paramiko.SSHException):
            prefetch(*chunks)

    return run


def _entry(name: str, said: paramiko.SFTPAttributes) -> Entry:
    mode, size_bytes, seconds = said.st_mode or 0, said.st_size or 0, said.st_mtime or 0
    if stat.S_ISDIR(mode):
        return Entry(name, Kind.FOLDER)
    kind = Kind.FILE if stat.S_ISREG(mode) else Kind.OTHER
    return Entry(name, kind, size_bytes, seconds * 1_000, f"{seconds:x}-{size_bytes:x}")


def fault_of(error: Exception) -> tuple[Fault, str]:
    """What paramiko's errors mean. It knows four answers of a server, and makes texts of all others."""
    said = str(error)
    match error:
        case FileNotFoundError():
            return Fault.ABSENT, said
        case PermissionError():
            return Fault.REFUSED, f"access is denied to the server's user ({said})"
        case paramiko.BadHostKeyException():
            return Fault.REFUSED, f"the host key is another one than that which is known: {said}"
        case paramiko.AuthenticationException():
            return Fault.REFUSED, f"the user, or its key or password, does not count there: {said}"
        case TimeoutError():
            return Fault.AWAY, "no answer came in time"
    if getattr(error, "errno", None) == errno.ENOSPC or any(words in said.lower() for words in _FULL_WORDS):
        return Fault.FULL, said
    # An answer of the server's has no number.
    if type(error) is OSError and error.errno is None and said != "Socket is closed":
        return Fault.FAILED, said
    return Fault.AWAY, said

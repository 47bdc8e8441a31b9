"""Any of fsspec's file systems, by nothing but what all of them have."""

import errno
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import fsspec
from fsspec import AbstractFileSystem
from fsspec.callbacks import Callback

from trackwire_server.stores.remote.drive import Entry, Fault, Kind, Source
from trackwire_server.stores.remote.errors import Absent, Replaced
from trackwire_server.stores.remote.settings import RemoteSettings

# All that goes wrong is raised, too; the traces of an outage would fill a disk.
for _name in ("gcsfs", "adlfs", "azure"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

BLOCK_BYTES = 8 * 1024 * 1024
_KINDS = {"file": Kind.FILE, "directory": Kind.FOLDER}
# What drivers call the identity of an object, the best one first; and the time of a file.
_IDENTITIES = ("generation", "etag", "ETag", "md5Hash", "content_md5")
_TIMES = ("mtime", "last_modified", "updated", "LastModified", "created")
# HTTP's answers, as drivers of clouds bring them.
_REFUSED_STATUSES = (401, 403)
_ABSENT_STATUSES = (404, 410)
_FULL_STATUSES = (507,)
# What a file system answers, and goes on.
_ANSWERS = (errno.EEXIST, errno.EINVAL, errno.EISDIR, errno.ENOTEMPTY)
_HADOOP_OF_SETTINGS = "default"
_AZURE_HOSTS = (".dfs.core.", ".blob.core.")


def connected_to_hdfs(settings: RemoteSettings) -> "AnySystemDrive":
    """By libhdfs, whose own settings (HADOOP_HOME, CLASSPATH, hdfs-site.xml) say how long a call may take."""
    place = settings.place
    return _connected("hdfs", host=place.host or _HADOOP_OF_SETTINGS, port=place.port, user=place.user or None)


def connected_to_gs(settings: RemoteSettings) -> "AnySystemDrive":
    """With Google's default credentials."""
    return _connected("gs", requests_timeout=settings.timeout_seconds)


def connected_to_abfs(settings: RemoteSettings) -> "AnySystemDrive":
    """With what AZURE_STORAGE_… variables say, or Azure's default credentials."""
    waits = dict.fromkeys(("connection_timeout", "read_timeout"), round(settings.timeout_seconds))
    host = settings.place.host
    account = {"account_name": host.partition(".")[0]} if any(each in host for each in _AZURE_HOSTS) else {}
    return _connected("abfs", **waits, **account)


def _connected(protocol: str, **options: object) -> "AnySystemDrive":
    return AnySystemDrive(fsspec.filesystem(protocol, skip_instance_cache=True, use_listings_cache=False, **options))


class AnySystemDrive:
    """A Drive on a file system that has connections of its own."""

    def __init__(self, system: AbstractFileSystem):
        self._system = system

    def look(self, path: str) -> Entry | None:
        """What is at a path."""
        try:
            return _entry(self._system.info(path))
        except FileNotFoundError:
            return None

    def entries(self, path: str) -> list[Entry]:
        """All that is right below a folder; of a file, some systems list itself."""
        listed = self._system.ls(path, detail=True)
        own = path.strip("/")
        return [_entry(each) for each in listed if each["name"].strip("/") != own]

    def open(self, path: str) -> "BlockReader":
        """A file, read a block at a time."""
        return BlockReader(self, path)

    def read(self, path: str, start: int, end: int) -> bytes:
        """Some bytes of whatever is at a path."""
        data: bytes = self._system.cat_file(path, start=start, end=end)
        return data

    def send(self, source: Source, path: str) -> None:
        """Has the driver store a file as a whole, by the path of the source: so it can be put in parts side by side."""
        self._system.put_file(source.path, path, callback=_Progress(source))

    def make_folder(self, path: str) -> None:
        """Makes a folder."""
        self._system.makedirs(path, exist_ok=True)

    def rename(self, path: str, new_path: str) -> None:
        """Moves, where nothing is."""
        self._system.mv(path, new_path)

    def set_time(self, path: str, modification_time_ms: int) -> None:
        """No system can."""

    def remove_file(self, path: str) -> None:
        """Removes a file: by this path and no pattern."""
        self._system.rm_file(path)

    def remove_folder(self, path: str) -> None:
        """Removes a folder, in some systems with all in it."""
        self._system.rmdir(path)

    def ping(self) -> None:
        """Such a system connects anew by itself."""

    def close(self) -> None:
        """Such a system lets go by itself."""


class _Progress(Callback):  # type: ignore[misc]  # fsspec has no types
    """Tells a source of what a driver has sent."""

    def __init__(self, source: Source):
        super().__init__()
        self._source = source

    def call(self, *_: object, **__: object) -> None:
        """A piece was sent."""
        self._source.went_on()


class BlockReader:
    """A Reader of whatever is at a path, which looks behind each block whether that is still the same file."""

    def __init__(self, drive: AnySystemDrive, path: str):
        self._drive = drive
        self._path = path
        self.entry = self._look()
        self._start = 0
        self._block = self._fetch(0)

    def read(self, offset: int, length: int) -> bytes:
        """Some of so many bytes: those of one block."""
        if not self._start <= offset < self._start + len(self._block):
            self._start, self._block = offset, self._fetch(offset)
        return self._block[offset - self._start :][:length]

    def _fetch(self, start: int) -> bytes:
        if start >= self.entry.size_bytes:
            return b""
        try:
            data = self._drive.read(self._path, start, min(start + BLOCK_BYTES, self.entry.size_bytes))
        except FileNotFoundError as error:
            raise Replaced(self._path) from error
        if (there := self._drive.look(self._path)) is None or there.version != self.entry.version:
            raise Replaced(self._path)
        return data

    def _look(self) -> Entry:
        entry = self._drive.look(self._path)
        if entry is None or entry.kind is not Kind.FILE:
            raise Absent(self._path)
        return entry

    def close(self) -> bool:
        """Nothing is held."""
        return True


def _entry(said: Mapping[str, Any]) -> Entry:
    name = said["name"].rstrip("/").rpartition("/")[2]
    kind = _KINDS.get(said["type"], Kind.OTHER)
    if kind is Kind.FOLDER:
        return Entry(name, kind)
    size_bytes, moment = int(said["size"] or 0), next((said[key] for key in _TIMES if said.get(key)), None)
    identity = next((str(said[key]) for key in _IDENTITIES if said.get(key)), "").strip('"') or str(moment)
    return Entry(name, kind, size_bytes, _milliseconds(moment), f"{identity}-{size_bytes:x}")


def _milliseconds(moment: Any) -> int:
    """A time, which drivers have as one, as seconds, or as ISO 8601."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    seconds = moment.timestamp() if isinstance(moment, datetime) else float(moment or 0)
    return round(seconds * 1_000)


def fault_of(error: Exception) -> tuple[Fault, str]:
    """What the drivers' errors mean: Python's own, and those that bring an answer of HTTP's."""
    said = str(error) or type(error).__name__
    status = next((getattr(error, name, None) for name in ("status_code", "code", "status") if hasattr(error, name)), 0)
    if isinstance(error, FileNotFoundError | NotADirectoryError) or status in _ABSENT_STATUSES:
        return Fault.ABSENT, said
    if isinstance(error, PermissionError) or status in _REFUSED_STATUSES:
        return Fault.REFUSED, f"access is denied to the server's credentials ({said})"
    if isinstance(error, OSError) and error.errno in _ANSWERS:
        return Fault.FAILED, said
    if status in _FULL_STATUSES or "quota" in said.lower() or "no space" in said.lower():
        return Fault.FULL, said
    return Fault.AWAY, said

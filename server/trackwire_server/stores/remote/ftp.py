"""FTP by fsspec's file system, which is ftplib's.

fsspec takes an outage for a file that is not there, reads each block of a file from whatever is at its path, and lists
a whole folder for one entry: so these are done here, by the connection that the file system holds.
"""

import calendar
import ftplib
import re
import socket
import time
from contextlib import suppress
from typing import Self

from fsspec.implementations.ftp import FTPFileSystem

from trackwire_server.stores.remote.drive import Entry, Fault, Kind, Source
from trackwire_server.stores.remote.errors import Absent, Refusal, Replaced
from trackwire_server.stores.remote.settings import RemoteSettings

FTP_PORT = 21
BLOCK_BYTES = 256 * 1024
# Reading on is sooner than another connection.
SKIPPED_BYTES_MAX = 256 * 1024
_FACTS = ("type", "size", "modify", "unique")
_KINDS = {"file": Kind.FILE, "dir": Kind.FOLDER}
_LISTED_BESIDE = ("cdir", "pdir")
_NOT_THERE = re.compile(r"no such|not found|n't exist|not exist|can't find|cannot find|not a directory", re.IGNORECASE)
_REFUSED = re.compile(r"denied|permission|privilege|not allowed|forbidden|read-only", re.IGNORECASE)
_FULL = ("452", "552")
_NOT_LOGGED_IN = ("530", "532", "331", "332")


class FtpDrive:
    """A Drive on one control connection."""

    def __init__(self, system: FTPFileSystem):
        self._system = system
        self._ftp: ftplib.FTP = system.ftp
        self._receiving: socket.socket | None = None

    @classmethod
    def connected(cls, settings: RemoteSettings) -> Self:
        """Raises Refusal, and what ftplib raises."""
        place = settings.place
        system = FTPFileSystem(
            place.host,
            place.port or FTP_PORT,
            username=place.user or None,
            password=settings.said_password or None,
            timeout=settings.timeout_seconds,
            skip_instance_cache=True,
            use_listings_cache=False,
        )
        drive = cls(system)
        try:
            drive._ask_for_facts()
        except BaseException:
            drive.close()
            raise
        return drive

    def _ask_for_facts(self) -> None:
        """Without them, what a name is and how large could only be guessed from a listing for people."""
        features = self._ftp.sendcmd("FEAT").upper()
        if "MLST" not in features:
            raise Refusal("the server has no MLST and MLSD (RFC 3659), which ProFTPD, Pure-FTPd and pyftpdlib have")
        with suppress(ftplib.error_perm):
            self._ftp.voidcmd(f"OPTS MLST {';'.join(_FACTS)};")

    def look(self, path: str) -> Entry | None:
        """What is at a path."""
        try:
            answer = self._ftp.sendcmd(f"MLST {path or '/'}")
        except ftplib.error_perm as error:
            if fault_of(error)[0] is Fault.REFUSED:
                raise
            return None
        facts = answer.splitlines()[1].strip().partition(" ")[0]
        return _entry(path.rpartition("/")[2], _facts(facts))

    def entries(self, path: str) -> list[Entry]:
        """All that is right below a folder."""
        try:
            listed = list(self._ftp.mlsd(path or "/"))
        except ftplib.error_perm as error:
            if fault_of(error)[0] is Fault.REFUSED:
                raise
            raise Absent(path) from error
        return [_entry(name, facts) for name, facts in listed if facts.get("type", "").lower() not in _LISTED_BESIDE]

    def open(self, path: str) -> "FtpReader":
        """A file, whose bytes begin to come; one that is replaced or deleted is still read in order to its end."""
        return FtpReader(self, path)

    def send(self, source: Source, path: str) -> None:
        """Writes a file."""
        self._ftp.storbinary(f"STOR {path}", source, blocksize=BLOCK_BYTES)

    def receive(self, path: str, offset: int) -> socket.socket:
        """Begins to read a file; nothing else is possible on this connection before its end."""
        # A listing is of text, and leaves it so.
        self._ftp.voidcmd("TYPE I")
        self._receiving = self._ftp.transfercmd(f"RETR {path}", rest=offset or None)
        return self._receiving

    def end_receiving(self) -> None:
        """After all bytes of a file have come."""
        if self._receiving is not None:
            self._receiving.close()
            self._receiving = None
        self._ftp.voidresp()

    def connect_again(self) -> None:
        """What was begun on the connection is broken off."""
        self.close()
        self._system._connect()  # noqa: SLF001  # fsspec has no other way
        self._ftp = self._system.ftp
        self._ask_for_facts()

    def make_folder(self, path: str) -> None:
        """Makes a folder."""
        try:
            self._ftp.mkd(path)
        except ftplib.error_perm:
            if (there := self.look(path)) is None or there.kind is not Kind.FOLDER:
                raise

    def rename(self, path: str, new_path: str) -> None:
        """Moves, in place of a file that is there where the server allows that."""
        self._system.mv(path, new_path)

    def set_time(self, path: str, modification_time_ms: int) -> None:
        """Dates a file where the server can; others tell files apart by their own ids."""
        moment = time.strftime("%Y%m%d%H%M%S", time.gmtime(modification_time_ms // 1_000))
        with suppress(ftplib.error_perm):
            self._ftp.voidcmd(f"MFMT {moment} {path}")

    def remove_file(self, path: str) -> None:
        """Removes a file."""
        self._ftp.delete(path)

    def remove_folder(self, path: str) -> None:
        """Removes a folder that is empty."""
        self._ftp.rmd(path)

    def ping(self) -> None:
        """Asks for nothing."""
        self._ftp.voidcmd("NOOP")

    def close(self) -> None:
        """Ends the connection, under a thread that waits as well."""
        for each in (self._receiving, self._ftp.sock):
            if each is not None:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
        self._receiving = None
        self._ftp.close()


class FtpReader:
    """A Reader on a transfer that goes on while it is read in order, and is begun anew from elsewhere."""

    def __init__(self, drive: FtpDrive, path: str):
        self._drive = drive
        self._path = path
        self.entry = self._look()
        self._position = 0
        self._data: socket.socket | None = drive.receive(path, 0)

    def read(self, offset: int, length: int) -> bytes:
        """Some of so many bytes: those that have come."""
        self._go_to(offset)
        data = self._next(length)
        if self._position == self.entry.size_bytes:
            self._end()
        return data

    def _go_to(self, offset: int) -> None:
        if self._data is not None and 0 <= offset - self._position <= SKIPPED_BYTES_MAX:
            while self._position < offset and self._next(offset - self._position):
                continue
            return
        if self._data is not None:
            self._data = None
            self._drive.connect_again()
        if (there := self._drive.look(self._path)) is None or there.version != self.entry.version:
            raise Replaced(self._path)
        self._data, self._position = self._drive.receive(self._path, offset), offset

    def _next(self, length: int) -> bytes:
        assert self._data is not None
        data = self._data.recv(min(length, BLOCK_BYTES))
        self._position += len(data)
        return data

    def _end(self) -> None:
        assert self._data is not None
        is_longer = bool(self._data.recv(1))
        self._data = None
        if is_longer:
            self._drive.connect_again()
            raise Replaced(self._path)
        self._drive.end_receiving()

    def _look(self) -> Entry:
        entry = self._drive.look(self._path)
        if entry is None or entry.kind is not Kind.FILE:
            raise Absent(self._path)
        return entry

    def close(self) -> bool:
        """Lets go; the connection is of no use any more in the middle of a file."""
        if self._data is not None and self._position == self.entry.size_bytes:
            with suppress(Replaced):
                self._end()
        return self._data is None


def _facts(text: str) -> dict[str, str]:
    """The facts of an entry, as MLST has them before its name."""
    said = (fact.partition("=") for fact in text.rstrip(";").split(";"))
    return {name.lower(): value for name, _, value in said}


def _entry(name: str, facts: dict[str, str]) -> Entry:
    kind = _KINDS.get(facts["type"].lower(), Kind.FOLDER if facts["type"].lower() in _LISTED_BESIDE else Kind.OTHER)
    if kind is Kind.FOLDER:
        return Entry(name, kind)
    size_bytes, modify = int(facts.get("size", 0)), facts.get("modify", "")
    version = f"{facts.get('unique', '')}-{modify}-{size_bytes:x}"
    return Entry(name, kind, size_bytes, _milliseconds(modify), version)


def _milliseconds(modify: str) -> int:
    """YYYYMMDDHHMMSS and a fraction, in UTC."""
    if not modify:
        return 0
    moment, _, fraction = modify.partition(".")
    return calendar.timegm(time.strptime(moment, "%Y%m%d%H%M%S")) * 1_000 + int(f"{fraction:0<3}"[:3])


def fault_of(error: Exception) -> tuple[Fault, str]:
    """What ftplib's errors mean: a server's answers, by their numbers and, as 550 is many things, by their words."""
    said = str(error)
    if not isinstance(error, ftplib.Error):
        return Fault.AWAY, "no answer came in time" if isinstance(error, TimeoutError) else said
    code = said[:3]
    if code in _FULL:
        return Fault.FULL, said
    if code in _NOT_LOGGED_IN:
        return Fault.REFUSED, f"the user or the password does not count there ({said})"
    if isinstance(error, ftplib.error_perm):
        if _NOT_THERE.search(said):
            return Fault.ABSENT, said
        is_refused = _REFUSED.search(said) is not None
        return (
            (Fault.REFUSED, f"access is denied to the server's user ({said})") if is_refused else (Fault.FAILED, said)
        )
    return Fault.AWAY, said

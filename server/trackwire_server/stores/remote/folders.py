"""Files in folders of a server that renames them: what the store does on a connection, from one call to the next.

<folder>/<path>                            a file, there whole or not at all
<folder>/.partial/<partial id>/<random>    a file on its way there; each attempt has its own
<folder>/.partial/deleted-<random>         what is being deleted, out of sight at once
"""

import uuid
from collections.abc import Sequence
from contextlib import suppress

from trackwire_server.core.entities import Artifact
from trackwire_server.core.errors import InvalidArgument, StoreRefuses
from trackwire_server.core.uploads import ArtifactIsFolder, ArtifactNotFolder
from trackwire_server.stores.remote.connection import Connection, WatchedReader
from trackwire_server.stores.remote.drive import Entry, Kind, Source
from trackwire_server.stores.remote.errors import Absent, CallFailed, is_answered
from trackwire_server.stores.remote.listing import PARTIALS, artifact_of, first_names
from trackwire_server.stores.remote.protocols import Protocol

DELETED_PREFIX = "deleted-"
PUBLISH_ATTEMPTS = 10
# What many servers keep of a file's time.
_TIME_STEP_MS = 1_000


class FolderPlaces:
    """A folder with files in folders."""

    def __init__(self, root: str, protocol: Protocol):
        self._root = f"/{root}".rstrip("/")
        self._protocol = protocol

    def open(self, connection: Connection) -> None:
        """Sees that the folder is there, and ends deletions that a crash broke off."""
        self._check_root(connection)
        with suppress(Absent):
            for entry in connection.entries(self._at(PARTIALS)):
                if entry.name.startswith(DELETED_PREFIX):
                    self._remove(connection, self._at(PARTIALS, entry.name), entry)

    def list_folder(self, connection: Connection, folder: str, after: str, limit: int) -> Sequence[Artifact]:
        """Entries right below a folder, by name."""
        try:
            there = self._look(connection, folder) if folder else None
            if there is not None and there.kind is not Kind.FOLDER:
                return []
            entries = connection.entries(self._at(folder))
        except Absent:
            self._check_root(connection)
            return []
        return first_names(entries, after=after, limit=limit, hidden=() if folder else (PARTIALS,))

    def get_file(self, connection: Connection, path: str) -> Artifact:
        """A file's size and time. Raises Absent."""
        entry = self._look(connection, path)
        if entry is None or entry.kind is not Kind.FILE:
            raise Absent(path)
        return artifact_of(path, entry)

    def open_file(self, connection: Connection, path: str) -> WatchedReader:
        """A file to read from. Raises Absent."""
        self.get_file(connection, path)
        return connection.open(self._at(path))

    def _look(self, connection: Connection, path: str) -> Entry | None:
        """What is at a path. No link is followed on the way there, where the protocol shows them."""
        parts = path.split("/")
        ways = range(1, len(parts)) if self._protocol.shows_links else ()
        if all(self._is_folder(connection, parts[:depth]) for depth in ways):
            entry = connection.look(self._at(path))
        else:
            entry = None
        if entry is None:
            self._check_root(connection)
        return entry

    def check_target(self, connection: Connection, path: str) -> Entry | None:
        """Whether a file can lie at a path; what lies there. Raises FailedPrecondition and InvalidArgument."""
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            entry = connection.look(self._at(*parts[:depth]))
            if entry is None:
                return None
            shown = "/".join(parts[:depth])
            if entry.kind is Kind.OTHER:
                raise InvalidArgument("path", shown, "is a link or a device in the artifact store: none is followed")
            if entry.kind is Kind.FOLDER and depth == len(parts):
                raise ArtifactIsFolder(shown)
            if entry.kind is Kind.FILE and depth < len(parts):
                raise ArtifactNotFolder(shown)
        return entry

    def publish(self, connection: Connection, partial_id: str, path: str, source: Source) -> Artifact:
        """Sends a file, and makes it visible in place of one that is there."""
        # Of an attempt that broke off, nobody but this or the end of the upload would remove it.
        self.discard(connection, partial_id)
        folder, name = self._at(PARTIALS, partial_id), uuid.uuid4().hex
        try:
            self._make_folders(connection, (PARTIALS, partial_id))
            connection.send(source, f"{folder}/{name}")
            sent = self._arrived(connection, f"{folder}/{name}", source)
            self._move_into_place(connection, f"{folder}/{name}", sent, path)
        except Exception as error:
            # Otherwise the end of the upload finds it, or the next attempt.
            if is_answered(error):
                self.discard(connection, partial_id)
            raise
        self.discard(connection, partial_id)
        return artifact_of(path, connection.look(self._at(path)) or sent)

    def _arrived(self, connection: Connection, name: str, source: Source) -> Entry:
        entry = connection.look(name)
        if entry is None or entry.size_bytes != source.size_bytes:
            arrived = 0 if entry is None else entry.size_bytes
            raise CallFailed(f"{connection.where}: write: {arrived:,} of {source.size_bytes:,} bytes are there")
        return entry

    def _move_into_place(self, connection: Connection, name: str, sent: Entry, path: str) -> None:
        parts = path.split("/")
        for attempt in range(1, PUBLISH_ATTEMPTS + 1):
            self._give_way(connection, name, sent, path)
            try:
                self._make_folders(connection, parts[:-1])
                connection.rename(name, self._at(path))
            except (Absent, CallFailed, StoreRefuses):
                # Another call pruned the folder in this moment, or made one at the path: look again.
                if attempt == PUBLISH_ATTEMPTS or self._is_folder(connection, parts[:-1]):
                    self._prune(connection, parts[:-1])
                    raise
            else:
                return

    def _give_way(self, connection: Connection, name: str, sent: Entry, path: str) -> None:
        """Has what is at the path differ from what comes, by its time if by nothing else."""
        there = self.check_target(connection, path)
        if there is None:
            return
        if there.modification_time_ms + _TIME_STEP_MS > sent.modification_time_ms:
            connection.set_time(name, there.modification_time_ms + _TIME_STEP_MS)
        if not self._protocol.rename_replaces:
            connection.remove_file(self._at(path))

    def _is_folder(self, connection: Connection, parts: Sequence[str]) -> bool:
        entry = connection.look(self._at(*parts))
        return entry is not None and entry.kind is Kind.FOLDER

    def _make_folders(self, connection: Connection, parts: Sequence[str]) -> None:
        """Makes a folder, and those above it."""
        if not parts or self._is_folder(connection, parts):
            return
        self._make_folders(connection, parts[:-1])
        if len(parts) == 1:
            self._check_root(connection)
        connection.make_folder(self._at(*parts))

    def delete(self, connection: Connection, path: str) -> int:
        """Deletes a file, or a folder with all in it; the bytes freed. Raises Absent."""
        entry = self._look(connection, path)
        if entry is None or entry.kind is Kind.OTHER:
            raise Absent(path)
        hidden = self._at(PARTIALS, f"{DELETED_PREFIX}{uuid.uuid4().hex}")
        self._make_folders(connection, (PARTIALS,))
        connection.rename(self._at(path), hidden)
        self._prune(connection, path.split("/")[:-1])
        return self._remove(connection, hidden, entry)

    def discard(self, connection: Connection, partial_id: str) -> None:
        """Removes what attempts have left; nothing is fine."""
        folder = self._at(PARTIALS, partial_id)
        with suppress(Absent):
            if (entry := connection.look(folder)) is not None:
                self._remove(connection, folder, entry)

    def _remove(self, connection: Connection, path: str, entry: Entry) -> int:
        """Deletes an entry with all in it; the bytes freed. Another server may be at it, too."""
        freed = 0
        with suppress(Absent):
            if entry.kind is Kind.FOLDER:
                for below in connection.entries(path):
                    freed += self._remove(connection, f"{path}/{below.name}", below)
                connection.remove_folder(path)
            else:
                connection.remove_file(path)
                freed += entry.size_bytes
        return freed

    def _prune(self, connection: Connection, parts: Sequence[str]) -> None:
        """Removes a folder that has become empty, and those above it that have become so."""
        if not self._protocol.removes_empty_only:
            return
        for depth in range(len(parts), 0, -1):
            try:
                connection.remove_folder(self._at(*parts[:depth]))
            except (Absent, CallFailed, StoreRefuses):
                if connection.look(self._at(*parts[:depth])) is not None:
                    return

    def _check_root(self, connection: Connection) -> None:
        entry = connection.look(self._root or "/")
        if entry is None or entry.kind is Kind.FILE:
            raise StoreRefuses(f"{connection.where}: the folder does not exist: make it, or name another one")

    def _at(self, *parts: str) -> str:
        return "/".join((self._root, *(part for part in parts if part)))

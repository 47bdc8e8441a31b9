"""Files as objects of a store that has no folders: put whole, and visible then. What the store does on a connection."""

from collections.abc import Sequence

from trackwire_server.core.entities import Artifact
from trackwire_server.core.errors import StoreRefuses
from trackwire_server.core.uploads import ArtifactIsFolder, ArtifactNotFolder
from trackwire_server.stores.remote.connection import Connection, WatchedReader
from trackwire_server.stores.remote.drive import Entry, Kind, Source
from trackwire_server.stores.remote.errors import Absent, CallFailed
from trackwire_server.stores.remote.listing import PARTIALS, artifact_of, first_names


class ObjectPlaces:
    """A container of objects, or those below a prefix. Two writers at the same moment may both find a path free."""

    def __init__(self, container: str, folder: str):
        self._container = container
        self._root = f"{container}/{folder}".rstrip("/")

    def open(self, connection: Connection) -> None:
        """Sees that the container is there."""
        self._check_container(connection)

    def list_folder(self, connection: Connection, folder: str, after: str, limit: int) -> Sequence[Artifact]:
        """Entries right below a folder, by name."""
        entries = self._entries(connection, folder)
        if not entries:
            self._check_container(connection)
        return first_names(entries, after=after, limit=limit, hidden=() if folder else (PARTIALS,))

    def get_file(self, connection: Connection, path: str) -> Artifact:
        """A file's size and time. Raises Absent."""
        if (entry := self._file(connection, path)) is None:
            self._check_container(connection)
            raise Absent(path)
        return artifact_of(path, entry)

    def open_file(self, connection: Connection, path: str) -> WatchedReader:
        """A file to read from. Raises Absent."""
        self.get_file(connection, path)
        return connection.open(self._at(path))

    def check_target(self, connection: Connection, path: str) -> None:
        """Whether a file can lie at a path. Raises FailedPrecondition."""
        parts = path.split("/")
        for depth in range(1, len(parts)):
            if self._file(connection, "/".join(parts[:depth])) is not None:
                raise ArtifactNotFolder("/".join(parts[:depth]))
        if self._entries(connection, path):
            raise ArtifactIsFolder(path)

    def publish(self, connection: Connection, partial_id: str, path: str, source: Source) -> Artifact:
        """Puts a file in its place."""
        self.check_target(connection, path)
        connection.send(source, self._at(path))
        entry = self._file(connection, path)
        if entry is None or entry.size_bytes != source.size_bytes:
            raise CallFailed(f"{connection.where}: write: {path!r} is not what was written: another one wrote it, too")
        return artifact_of(path, entry)

    def delete(self, connection: Connection, path: str) -> int:
        """Deletes a file, or a folder with all in it, object by object; the bytes freed. Raises Absent."""
        file, below = self._file(connection, path), self._entries(connection, path)
        if file is None and not below:
            raise Absent(path)
        freed = 0
        if file is not None:
            freed += self._remove(connection, path, file)
        return freed + sum(self._delete_below(connection, path, entry) for entry in below)

    def _delete_below(self, connection: Connection, folder: str, entry: Entry) -> int:
        path = f"{folder}/{entry.name}"
        if entry.kind is not Kind.FOLDER:
            return self._remove(connection, path, entry)
        return sum(self._delete_below(connection, path, below) for below in self._entries(connection, path))

    def _remove(self, connection: Connection, path: str, entry: Entry) -> int:
        try:
            connection.remove_file(self._at(path))
        except Absent:
            return 0
        return entry.size_bytes

    def discard(self, connection: Connection, partial_id: str) -> None:
        """Nothing is ever left: what was broken off is no object."""

    def _file(self, connection: Connection, path: str) -> Entry | None:
        entry = connection.look(self._at(path))
        return entry if entry is not None and entry.kind is Kind.FILE else None

    def _entries(self, connection: Connection, folder: str) -> list[Entry]:
        try:
            return connection.entries(self._at(folder))
        except Absent:
            return []

    def _check_container(self, connection: Connection) -> None:
        try:
            connection.entries(self._container)
        except Absent as error:
            raise StoreRefuses(f"{connection.where}: {self._container!r} does not exist: make it") from error

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root

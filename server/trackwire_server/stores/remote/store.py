"""ByteStore in a folder that a file system of fsspec's reaches.

Bytes come to the server's own disk first (partial.py), and go on from there in one piece: what is not sent whole is
never seen. How a file gets its place is told by the protocol (protocols.py): by a rename in folders.py, by one upload
in objects.py. Two servers that take the same upload at once each send a file of their own, whole and right.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Self, TypeVar

from trackwire_server.core.entities import Artifact
from trackwire_server.core.errors import InvalidArgument, NotFound, StoreUnavailable
from trackwire_server.stores.files.lane import in_thread, open_in_thread
from trackwire_server.stores.remote.connection import Connection
from trackwire_server.stores.remote.errors import Absent
from trackwire_server.stores.remote.folders import FolderPlaces
from trackwire_server.stores.remote.listing import PARTIALS
from trackwire_server.stores.remote.objects import ObjectPlaces
from trackwire_server.stores.remote.partial import KEPT_SECONDS_MAX, RemotePartial, Spool, SpooledSource
from trackwire_server.stores.remote.protocols import PROTOCOLS, Protocol
from trackwire_server.stores.remote.reading import RemoteFile
from trackwire_server.stores.remote.sessions import Sessions
from trackwire_server.stores.remote.settings import RemoteSettings

Result = TypeVar("Result")


class RemoteBytes:
    """Artifact bytes below a folder somewhere else. Several servers may share it, each with a spool of its own."""

    def __init__(self, where: str, sessions: Sessions, places: FolderPlaces | ObjectPlaces, spool: Spool):
        self._where = where
        self._sessions = sessions
        self._places = places
        self._spool = spool

    @classmethod
    @asynccontextmanager
    async def opened(cls, settings: RemoteSettings, protocol: Protocol | None = None) -> AsyncIterator[Self]:
        """A store that is reached, closed with the block. Raises StoreUnavailable, and ModuleNotFoundError."""
        protocol = protocol or PROTOCOLS[settings.place.scheme]
        driver = await asyncio.to_thread(protocol.load)
        where = f"artifact store {settings.place.uri}"
        sessions = Sessions(
            lambda: Connection(where, partial(driver.connect, settings), driver.fault_of),
            timeout_seconds=settings.timeout_seconds,
        )
        spool = await in_thread(Spool.open, settings.spool)
        try:
            store = cls(where, sessions, _places_of(settings, protocol), spool)
            await store._open()
            yield store
        finally:
            await sessions.close()
            await in_thread(spool.close)

    async def _open(self) -> None:
        await in_thread(self._spool.remove_old, before_seconds=time.time() - KEPT_SECONDS_MAX)
        await self._sessions.run(self._places.open)

    async def list_folder(self, folder: str, *, after: str, limit: int) -> Sequence[Artifact]:
        """Entries right below a folder, by name; links, devices and names that are not UTF-8 are left out."""
        _check(folder)
        return await self._sessions.run(lambda connection: self._places.list_folder(connection, folder, after, limit))

    async def get_file(self, path: str) -> Artifact:
        """A file's size and time."""
        return await self._of_path(path, self._places.get_file)

    async def open_file(self, path: str) -> RemoteFile:
        """A file to read from."""
        _check(path)
        session = await self._sessions.take()
        opening = session.work(lambda connection: self._places.open_file(connection, path))
        try:
            with _absent_named(path):
                reader = await self._sessions.to_its_end(opening)
        except BaseException as error:
            # What a thread opens, although its caller was cancelled, goes with the connection.
            session.release(is_of_use=not isinstance(error, asyncio.CancelledError))
            raise
        return RemoteFile(self._sessions, session, reader, path)

    async def delete(self, path: str) -> int:
        """Deletes a file, or a folder with all in it."""
        return await self._of_path(path, self._places.delete)

    async def _of_path(self, path: str, work: Callable[[Connection, str], Result]) -> Result:
        _check(path)
        with _absent_named(path):
            return await self._sessions.run(lambda connection: work(connection, path))

    async def open_partial(self, partial_id: str, path: str) -> RemotePartial:
        """What has arrived of a file at this server."""
        await self._of_path(path, self._places.check_target)
        send = partial(self._send, partial_id, path)
        return await open_in_thread(lambda: RemotePartial(self._spool.hold(partial_id), send), RemotePartial.close_now)

    def _send(self, partial_id: str, path: str, file: int) -> Awaitable[Artifact]:
        return self._sessions.to_its_end(self._send_all(partial_id, path, file))

    async def _send_all(self, partial_id: str, path: str, file: int) -> Artifact:
        def publish(connection: Connection) -> Artifact:
            source = SpooledSource(self._spool.path_of(partial_id), file, connection)
            return self._places.publish(connection, partial_id, path, source)

        try:
            artifact = await self._sessions.run(publish)
            await in_thread(self._spool.remove, partial_id)
            return artifact
        except Absent as error:
            raise StoreUnavailable(f"{self._where}: write: what was sent is gone: send it again") from error
        finally:
            await in_thread(os.close, file)

    async def partial_size(self, partial_id: str) -> int:
        """Bytes that have arrived at this server; 0 if nothing has."""
        return await in_thread(self._spool.size_bytes, partial_id)

    async def discard_partial(self, partial_id: str) -> None:
        """Forgets what has arrived, and removes what attempts to send it have left."""
        file = await open_in_thread(partial(self._spool.hold, partial_id), os.close)
        await self._sessions.to_its_end(self._discard(partial_id, file))

    async def _discard(self, partial_id: str, file: int) -> None:
        try:
            await self._sessions.run(lambda connection: self._places.discard(connection, partial_id))
            await in_thread(self._spool.remove, partial_id)
            await in_thread(self._spool.remove_old, before_seconds=time.time() - KEPT_SECONDS_MAX)
        finally:
            await in_thread(os.close, file)


def _places_of(settings: RemoteSettings, protocol: Protocol) -> FolderPlaces | ObjectPlaces:
    place = settings.place
    if protocol.has_folders:
        return FolderPlaces(place.folder, protocol)
    # Azure's long form has the container where others have a user.
    return ObjectPlaces(place.user or place.host, place.folder)


def _check(path: str) -> None:
    if path.partition("/")[0] == PARTIALS:
        raise InvalidArgument("path", path, f"{PARTIALS!r} is the artifact store's own folder")


@contextmanager
def _absent_named(path: str) -> Iterator[None]:
    try:
        yield
    except Absent as error:
        raise NotFound("artifact", path, field="path") from error

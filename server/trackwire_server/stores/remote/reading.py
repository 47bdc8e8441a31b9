"""A file's bytes, over a connection that is its own until it is closed."""

import asyncio

from trackwire_server.core.entities import Artifact
from trackwire_server.stores.remote.connection import WatchedReader
from trackwire_server.stores.remote.errors import Replaced, broken_off, replaced_meanwhile
from trackwire_server.stores.remote.listing import artifact_of
from trackwire_server.stores.remote.sessions import Session, Sessions


class RemoteFile:
    """An OpenFile. Calls take turns, also those that nobody awaits any more."""

    def __init__(self, sessions: Sessions, session: Session, reader: WatchedReader, path: str):
        self._sessions = sessions
        self._session = session
        self._reader = reader
        self._path = path
        self._turn = asyncio.Lock()
        self._closing: asyncio.Task[None] | None = None

    @property
    def artifact(self) -> Artifact:
        """What a listing says of it."""
        return artifact_of(self._path, self._reader.entry)

    @property
    def size_bytes(self) -> int:
        """Bytes of the whole file."""
        return self._reader.entry.size_bytes

    @property
    def version(self) -> str:
        """By what the protocol says of it: an id, its time, its size."""
        return self._reader.entry.version

    async def read(self, *, offset: int, length: int) -> bytes:
        """Bytes from an offset on."""
        wanted = min(length, self.size_bytes - offset)
        if wanted <= 0:
            return b""
        return await self._sessions.to_its_end(self._read(offset, wanted))

    async def _read(self, offset: int, wanted: int) -> bytes:
        async with self._turn:
            try:
                data = await self._session.work(lambda _: self._reader.read(offset, wanted))
            except Replaced as error:
                raise replaced_meanwhile(self._path) from error
        if len(data) < wanted:
            raise broken_off(self._session.where, self._path, offset + len(data), self.size_bytes)
        return data

    async def close(self) -> None:
        """Lets go."""
        await self._sessions.to_its_end(self._close())

    async def _close(self) -> None:
        async with self._turn:
            is_of_use = False
            try:
                is_of_use = await self._session.work(lambda _: self._reader.close())
            finally:
                self._session.release(is_of_use=is_of_use)

"""A wire between a client and a server that can be cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Wire:
    """Passes bytes on, both ways, until it is cut; then both ends see their connection reset."""

    host: str
    port: int
    address: str = ""
    passed_bytes: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _copies: list[asyncio.Task[None]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connects a client that has come with the server."""
        there, back = await asyncio.open_connection(self.host, self.port)
        self._writers += (writer, back)
        self._copies += (asyncio.create_task(self._copy(reader, back)), asyncio.create_task(self._copy(there, writer)))

    async def cut(self) -> None:
        """Resets every connection."""
        for writer in self._writers:
            writer.transport.abort()
        for copy in self._copies:
            copy.cancel()
        await asyncio.gather(*self._copies, return_exceptions=True)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
            self.passed_bytes += len(data)


@asynccontextmanager
async def wire_to(address: str) -> AsyncIterator[Wire]:
    """A wire to a server; cut at the end."""
    host, _, port = address.rpartition(":")
    wire = Wire(host, int(port))
    listener = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.address = f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield wire
    finally:
        listener.close()
        await wire.cut()
        await asyncio.sleep(0)  # transports close in the next turn of the loop

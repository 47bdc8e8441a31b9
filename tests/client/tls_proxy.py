"""What stands before a server to speak TLS, as nginx or Envoy would; and a certificate for it."""

import asyncio
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2"]
    try:
        subprocess.run(
            [*command, *names, "-out", str(certificate), "-keyout", str(key)],
            check=True,
            capture_output=True,
            timeout=60,
        )
    except FileNotFoundError:
        pytest.skip("openssl is not here to make a certificate")
    return certificate, key


@contextmanager
def tls_proxy(address: str, certificate: Path, key: Path) -> Iterator[str]:
    """Hands on to `address` what comes over TLS; its own `host:port`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2"])
    host, _, port = address.rpartition(":")
    loop = asyncio.new_event_loop()
    connections: set[asyncio.Task[None]] = set()

    async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(host, int(port))
        ways = [hand_on(reader, upstream_writer), hand_on(upstream_reader, writer)]
        try:
            await asyncio.gather(*ways, return_exceptions=True)
        finally:
            for each in (writer, upstream_writer):
                each.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = loop.create_task(connected(reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = loop.run_until_complete(asyncio.start_server(accept, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def end() -> None:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        # Nobody else knows of connections whose handshake has not ended; closed ones go in the next turns of the loop.
        for transport in list(loop._transports.values()):  # type: ignore[attr-defined]
            transport.abort()
        await asyncio.sleep(0.05)

    try:
        yield f"localhost:{server.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

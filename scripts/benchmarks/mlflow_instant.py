"""The server against which MLflow's client reaches its own limit: run by mlflow_door.py, `mlflow_instant.py PORT`.

Each request is answered with {} at once, that for a metric's history with the points that mlflow_driver.py makes. With
--durable a request is written to the disk first, which is the least that a server that keeps it has to do.
"""

import asyncio
import json
import os
import re
import sys
import tempfile
from typing import BinaryIO

POINTS = 100_000
# What MLflow's client asks for at a time.
PAGE_POINTS = 25_000
Answer = dict[str, object]


async def serve(port: int, kept: BinaryIO | None) -> None:
    pages = {first: encoded(page(first)) for first in range(0, POINTS, PAGE_POINTS)}
    nothing = encoded({})

    def keep(request: bytes) -> None:
        assert kept is not None
        kept.write(request)
        kept.flush()
        os.fsync(kept.fileno())

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(length[1])) if length else b""
                if kept is not None:
                    await asyncio.to_thread(keep, body)
                token = re.search(rb"page_token=(\d+)", head)
                is_history = b"/get-history" in head
                writer.write(pages[int(token[1]) if token else 0] if is_history else nothing)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port, limit=2**20)
    await server.serve_forever()


def page(first: int) -> Answer:
    """Some points, as JSON has them."""
    behind = first + PAGE_POINTS
    points = [{"key": "loss", "value": at * 1e-5, "timestamp": 1 + at, "step": at} for at in range(first, behind)]
    return {"metrics": points, **({"next_page_token": str(behind)} if behind < POINTS else {})}


def encoded(answer: Answer) -> bytes:
    body = json.dumps(answer, separators=(",", ":")).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


if __name__ == "__main__":
    with tempfile.TemporaryFile() as file:
        asyncio.run(serve(int(sys.argv[1]), file if "--durable" in sys.argv else None))

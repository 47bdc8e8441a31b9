"""A wire to an S3 on which things go wrong: HTTP in, HTTP out, and what a test wants between."""

import asyncio
import base64
import hashlib
import io
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from yarl import URL

# What a test does to a call, by its name: None lets it pass, a response answers in the store's place.
Fault = Callable[["Call"], Awaitable[web.StreamResponse | None]]
_HOP_HEADERS = ("connection", "content-length", "host", "transfer-encoding", "expect")


@dataclass(slots=True)
class Call:
    """A call on its way to the store."""

    request: web.Request
    body: bytes
    # How many calls of this name came before.
    number: int

    @property
    def name(self) -> str:
        """What it does: PutObject, UploadPart, …"""
        query, method = self.request.query, self.request.method
        if method == "GET":
            return "ListObjectsV2" if "list-type" in query else "GetObject"
        if method == "POST":
            known = {"uploads": "CreateMultipartUpload", "uploadId": "CompleteMultipartUpload"}
            return next((name for key, name in known.items() if key in query), "DeleteObjects")
        parts = {"PUT": "UploadPart", "DELETE": "AbortMultipartUpload"}
        whole = {"PUT": "PutObject", "DELETE": "DeleteObject", "HEAD": "HeadObject"}
        return parts[method] if "uploadId" in query else whole[method]

    def cut(self) -> None:
        """Resets its connection."""
        assert self.request.transport is not None
        self.request.transport.abort()


@dataclass(slots=True)
class S3Wire:
    """Passes calls on; `fault` comes before each, `spoil` may change what is answered to GetObject."""

    target: str
    session: aiohttp.ClientSession
    url: str = ""
    fault: Fault | None = None
    spoil: Callable[[bytes], bytes] | None = None
    calls: dict[str, int] = field(default_factory=dict)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answers a call."""
        call = Call(request, await request.read(), 0)
        call.number = self.calls.get(call.name, 0)
        self.calls[call.name] = call.number + 1
        if self.fault is not None and (answer := await self.fault(call)) is not None:
            return answer
        if not _checksum_agrees(request, call.body):
            return error(400, "BadDigest")
        return await self._pass_on(call)

    async def _pass_on(self, call: Call) -> web.Response:
        headers = {name: value for name, value in call.request.headers.items() if name.lower() not in _HOP_HEADERS}
        # As they are, more than a MiB of bytes would be a warning.
        body = io.BytesIO(call.body) if call.body else None
        url = URL(f"{self.target}{call.request.raw_path}", encoded=True)
        async with self.session.request(call.request.method, url, headers=headers, data=body) as answer:
            data = await answer.read()
            passed = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_HEADERS}
            if call.request.method == "HEAD":
                passed["Content-Length"] = answer.headers["Content-Length"]
            elif self.spoil is not None and call.name == "GetObject":
                data = self.spoil(data)
            return web.Response(status=answer.status, headers=passed, body=data or None)


def _checksum_agrees(request: web.Request, body: bytes) -> bool:
    """As S3 looks at it, and moto does not."""
    sha256, crc32 = request.headers.get("x-amz-checksum-sha256"), request.headers.get("x-amz-checksum-crc32")
    if sha256 is not None and "uploadId" not in request.query:
        return base64.b64decode(sha256) == hashlib.sha256(body).digest()
    if crc32 is not None and request.method == "PUT":
        return base64.b64decode(crc32) == zlib.crc32(body).to_bytes(4, "big")
    return True


def error(status: int, code: str) -> web.Response:
    """An answer of the store's that refuses."""
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>The {code} of a test.</Message></Error>"
    return web.Response(status=status, text=text, content_type="application/xml")


@asynccontextmanager
async def s3_wire_to(url: str) -> AsyncIterator[S3Wire]:
    """A wire to the S3 at a URL."""
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        wire = S3Wire(url, session)
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{key:.*}", wire.serve)
        # What isn't answered when the test is over is not waited for.
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        wire.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield wire
        finally:
            await runner.cleanup()
            await asyncio.sleep(0)  # transports close in the next turn of the loop

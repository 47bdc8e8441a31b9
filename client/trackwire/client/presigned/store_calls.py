"""Calls of an artifact store over HTTP, by presigned URLs.

A URL is a credential: messages name the store's host and the path, never the query. No redirect is followed, and
proxies are those of the environment. A connection is used by one thread at a time; any other may interrupt it.
"""

import http.client
import re
import socket
import ssl
import urllib.request
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import SplitResult, unquote, urlsplit

from trackwire.address import is_loopback
from trackwire.client.presigned.urls import PORTS, StoreFailure, host_and_port, origin_of

CONNECT_TIMEOUT_SECONDS = 10.0
# How long a byte may be awaited.
READ_TIMEOUT_SECONDS = 60.0
_ERROR_BYTES_MAX = 4_096
_CODE = re.compile(rb"<Code>([A-Za-z0-9.]{1,64})</Code>")


class StoreConnection:
    """A connection to the store of the first URL that is called. Raises StoreFailure, and is of no more use then."""

    def __init__(self) -> None:
        self._http: http.client.HTTPConnection | None = None
        self._origin = ""
        self._proxy_headers: Mapping[str, str] | None = None
        self._interrupted = False
        self._socket: socket.socket | None = None

    def get(self, url: str, *, byte_range: str, etag: str) -> http.client.HTTPResponse:
        """Bytes ("0-99", or "" for all) of the object with this ETag; a failure's status is 412 where it is another."""
        asked = {"Range": f"bytes={byte_range}"} if byte_range else {}
        return self._call("GET", url, {**asked, "If-Match": etag})

    def put(self, url: str, body: Iterable[bytes], size_bytes: int, headers: Mapping[str, str]) -> None:
        """Stores bytes; whole, or StoreFailure."""
        with failures_of(url):
            self._call("PUT", url, {**headers, "Content-Length": str(size_bytes)}, body).read()

    def interrupt(self) -> None:
        """Ends what a call is waiting for; there will be no other."""
        self._interrupted = True
        if (connected := self._socket) is not None:
            with suppress(OSError):
                # Not that of a TLS socket, which would have its reader take the rest for plain bytes.
                socket.socket.shutdown(connected, socket.SHUT_RDWR)

    def close(self) -> None:
        """Closes it."""
        if self._http is not None:
            self._http.close()

    def _call(
        self, method: str, url: str, headers: Mapping[str, str], body: Iterable[bytes] | None = None
    ) -> http.client.HTTPResponse:
        with failures_of(url):
            connection = self._opened(url)
            parts = urlsplit(url)
            # A proxy that passes on what is not encrypted is told all of the URL.
            target = f"{parts.path}?{parts.query}" if self._proxy_headers is None else url
            connection.request(method, target, body, {**(self._proxy_headers or {}), **headers})
            answer = connection.getresponse()
            if answer.status not in (200, 206):
                raise _refusal(url, answer)
            return answer

    def _opened(self, url: str) -> http.client.HTTPConnection:
        if self._http is None:
            self._origin, self._http = origin_of(url), self._made(urlsplit(url))
        if origin_of(url) != self._origin:
            raise ValueError(f"is not at {self._origin}")
        if self._http.sock is None:
            self._http.connect()
            self._socket = connected = _socket_of(self._http)
            connected.settimeout(READ_TIMEOUT_SECONDS)
        if self._interrupted:
            raise InterruptedError("was interrupted")
        return self._http

    def _made(self, parts: SplitResult) -> http.client.HTTPConnection:
        if parts.scheme not in PORTS:
            raise ValueError(f"{parts.scheme!r} is neither http nor https")
        proxy = _proxy_of(parts)
        host, port = host_and_port(proxy or parts)
        if parts.scheme == "http":
            self._proxy_headers = None if proxy is None else _proxy_authorization(proxy)
            return http.client.HTTPConnection(host, port, timeout=CONNECT_TIMEOUT_SECONDS)
        context = ssl.create_default_context()
        made = http.client.HTTPSConnection(host, port, timeout=CONNECT_TIMEOUT_SECONDS, context=context)
        if proxy is not None:
            made.set_tunnel(*host_and_port(parts), headers=_proxy_authorization(proxy))
        return made


def _socket_of(connection: http.client.HTTPConnection) -> socket.socket:
    found: socket.socket = connection.sock
    return found


def _proxy_of(parts: SplitResult) -> SplitResult | None:
    """The proxy that the environment names for a URL, as urllib finds it."""
    said = urllib.request.getproxies().get(parts.scheme, "")
    if not said or is_loopback(f"{parts.hostname}:0") or urllib.request.proxy_bypass(parts.netloc):
        return None
    proxy = urlsplit(said if "://" in said else f"http://{said}")
    if proxy.scheme != "http":
        raise ValueError(f"its proxy speaks {proxy.scheme!r}, not http")
    return proxy


def _proxy_authorization(proxy: SplitResult) -> Mapping[str, str]:
    if proxy.username is None:
        return {}
    said = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(said.encode()).decode()}"}


def _refusal(url: str, answer: http.client.HTTPResponse) -> StoreFailure:
    found = _CODE.search(answer.read(_ERROR_BYTES_MAX))
    code = found[1].decode() if found else ""
    return StoreFailure(url, f"answers {answer.status} {code or answer.reason}", status=answer.status, code=code)


@contextmanager
def failures_of(url: str) -> Iterator[None]:
    """Turns what http.client raises into StoreFailure."""
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError) as error:
        # A name that can't be looked up is a UnicodeError, a ValueError, where it has an empty part.
        raise StoreFailure(url, f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from None

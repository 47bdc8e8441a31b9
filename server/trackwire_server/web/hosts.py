"""Turns requests away that look for another host here.

A page can have a name of its own lead to this machine (DNS rebinding), and is then to its browser of the same origin as
the server: it may read and write all that needs no token. It can't have the browser name another host than its own.
"""

import ipaddress
import json
import re
import socket
from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from trackwire_server.core.errors import shown
from trackwire_server.core.scopes import OPEN_PATHS

ANY = "*"
_LOCAL = "localhost"
_PORT = re.compile(r":[0-9]*$")


class Hosts:
    """Which hosts are this server: addresses, localhost and this machine's name, and those that match a pattern."""

    def __init__(self, patterns: Sequence[str] = (), names: Collection[str] = ()):
        self._patterns = tuple(pattern.lower() for pattern in patterns)
        self._names = {_LOCAL, socket.gethostname().lower(), *(name.lower() for name in names)}

    def has(self, said: str) -> bool:
        """Whether a Host header, with or without a port, names one of them."""
        whole = said.lower()
        name = _PORT.sub("", whole).rstrip(".")
        if name in self._names or name.endswith(f".{_LOCAL}") or _is_address(name):
            return True
        return any(fnmatchcase(form, pattern) for pattern in self._patterns for form in (name, whole))


class HostGuard:
    """An ASGI application around another one. Health is told to everybody."""

    def __init__(self, app: ASGIApp, hosts: Hosts, *, prefix: str = ""):
        self._app = app
        self._hosts = hosts
        self._open_paths = {*OPEN_PATHS, *(f"{prefix}{path}" for path in OPEN_PATHS)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or has it answered."""
        said = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), None)
        # Whoever says nothing is no browser.
        is_ours = said is None or scope["path"] in self._open_paths or self._hosts.has(said)
        answer = self._app if is_ours else _refusal(said or "")
        await answer(scope, receive, send)


def _refusal(said: str) -> Response:
    message = f"Host: {shown(said)}: is no name of this server; if it is one, give it to --allowed-hosts"
    # As clients of MLflow and of Connect read it.
    body = {"error_code": "PERMISSION_DENIED", "code": "permission_denied", "message": message}
    return Response(json.dumps(body), HTTPStatus.FORBIDDEN, media_type="application/json")


def _is_address(name: str) -> bool:
    # No DNS leads from one address to another.
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True

"""MLflow's rpcs over HTTP: finds the one that a path means, reads its request, and answers with JSON.

/api/2.0/mlflow/runs/create   and   /ajax-api/2.0/mlflow/runs/create
     └── one rpc each: its method and path, its request's type, and what answers it
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from trackwire_server.core.clock import random_id
from trackwire_server.core.errors import TrackwireError, retry_seconds_of
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.store_failures import StoreFailures
from trackwire_server.mlflow_api.errors import (
    ENDPOINT_NOT_FOUND,
    INTERNAL_ERROR,
    INVALID_PARAMETER_VALUE,
    MlflowError,
    error_of,
    not_implemented,
)
from trackwire_server.mlflow_api.reading import read_body, read_query

PREFIXES = ("/api/", "/ajax-api/")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
JSON_TYPE = "application/json"

# Counts a request of so many bytes while it is answered; raises Overloaded.
Admission: TypeAlias = Callable[[int], AbstractContextManager[None]]
Answer: TypeAlias = Mapping[str, Any]
EMPTY: Answer = {}
_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Rpc:
    """One rpc: `path` is what stands behind /api/, with {fields} of the request where they are part of it."""

    method: str
    path: str
    request: type[msgspec.Struct]
    handle: Callable[[Any], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class UnknownRpc:
    """One of MLflow's that this server does not have; `name` is what its clients call it."""

    method: str
    path: str
    name: str


class Endpoint:
    """An ASGI application that answers requests one by one; errors are told as MLflow's clients read them."""

    def __init__(self, answer: Callable[[Request], Awaitable[Response]], log: FilteringBoundLogger):
        self._answer_to = answer
        self._log = log
        self._store_failures = StoreFailures(log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        request = Request(scope, receive)
        try:
            response = await self._answer_to(request)
        except ClientDisconnect:
            return
        except TrackwireError as error:
            self._store_failures.tell(error, path=scope["path"])
            response = refusal(error)
        except MlflowError as error:
            response = error_response(error)
        except Exception:
            error_id = random_id()
            self._log.exception("request failed", path=scope["path"], error_id=error_id)
            words = f"internal error {error_id}: the server's log tells more under this id"
            response = error_response(MlflowError(INTERNAL_ERROR, words))
        await response(scope, receive, send)


class MlflowDoor(Endpoint):
    """The ASGI application of all rpcs. `unknown` are the names of what else MLflow has, at a path and all below it."""

    def __init__(
        self,
        rpcs: Iterable[Rpc | UnknownRpc],
        admitted: Admission,
        log: FilteringBoundLogger,
        *,
        unknown: Mapping[str, str] = _NOTHING,
    ):
        super().__init__(self._answer, log)
        self._admitted = admitted
        self._unknown = unknown
        self._fixed: dict[str, dict[str, Rpc | UnknownRpc]] = {}
        self._patterned: list[tuple[Sequence[str], Rpc | UnknownRpc]] = []
        for rpc in rpcs:
            if "{" in rpc.path:
                self._patterned.append((rpc.path.split("/"), rpc))
            else:
                self._fixed.setdefault(rpc.path, {}).setdefault(rpc.method, rpc)

    async def _answer(self, request: Request) -> Response:
        rpc, fields = self._find(_method_of(request), request.path_params["path"])
        if isinstance(rpc, UnknownRpc):
            raise not_implemented(rpc.name)
        if rpc.method == "GET":
            return json_response(await rpc.handle(_query_of(request, rpc, fields)))
        # From its first byte on: many large requests at once are turned away, not gathered in memory.
        with self._admitted(_announced_bytes(request)):
            return json_response(await rpc.handle(await _message(request, rpc, fields)))

    def _find(self, method: str, path: str) -> tuple[Rpc | UnknownRpc, Mapping[str, str]]:
        """The rpc at what stands behind the prefix, and the fields that are part of that."""
        found = self._fixed.get(path)
        if found is not None and method in found:
            return found[method], {}
        parts = path.split("/")
        methods = list(found or ())
        for pattern, rpc in self._patterned:
            fields = _fields_in(pattern, parts)
            if fields is not None:
                if rpc.method == method:
                    return rpc, fields
                methods.append(rpc.method)
        for branch, name in self._unknown.items():
            if path == branch or path.startswith(f"{branch}/"):
                raise not_implemented(name)
        hint = f": it takes {', '.join(methods)}" if methods else ""
        raise MlflowError(ENDPOINT_NOT_FOUND, f"{method} {path} is no endpoint of this server{hint}")


def json_response(answer: Answer) -> Response:
    """A message as JSON; numbers that are none must have been made text before."""
    return Response(msgspec.json.encode(answer), media_type=JSON_TYPE)


def error_response(error: MlflowError, retry_seconds: float | None = None) -> Response:
    """An error as MLflow's clients read it."""
    body = msgspec.json.encode({"error_code": error.code.name, "message": error.message})
    headers = {} if retry_seconds is None else {"Retry-After": f"{retry_seconds:.0f}"}
    return Response(body, error.code.status, headers, JSON_TYPE)


def refusal(error: TrackwireError) -> Response:
    """One of core's errors as MLflow's clients read it, for who answers in the door's place."""
    return error_response(error_of(error), retry_seconds_of(error))


def _method_of(request: Request) -> str:
    """HEAD is a GET whose answer stays without a body, which is the HTTP server's business."""
    return "GET" if request.method == "HEAD" else request.method


def _query_of(request: Request, rpc: Rpc, fields: Mapping[str, str]) -> msgspec.Struct:
    return read_query([*request.query_params.multi_items(), *fields.items()], rpc.request)


def _announced_bytes(request: Request) -> int:
    """The size of a request's body; of one in chunks, which doesn't tell it, the most that is read."""
    if "transfer-encoding" in request.headers:
        return LIMITS.message_bytes
    # The HTTP server has refused what is no number.
    return min(int(request.headers.get("content-length", "0")), LIMITS.message_bytes)


async def _message(request: Request, rpc: Rpc, fields: Mapping[str, str]) -> msgspec.Struct:
    if request.method in ("POST", "PUT"):
        _check_content_type(request.headers.get("content-type", ""))
    message = read_body(await _body(request), rpc.request)
    for field, value in fields.items():
        setattr(message, field, value)
    return message


def _check_content_type(content_type: str) -> None:
    if content_type.partition(";")[0].strip().lower() != JSON_TYPE:
        words = (
            f"Content-Type: {content_type!r}: must be {JSON_TYPE}" if content_type else "Content-Type header is missing"
        )
        raise MlflowError(INVALID_PARAMETER_VALUE, f"Bad Request. {words}.")


async def _body(request: Request) -> bytes:
    """The whole body, which must not be larger than a message may be."""
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > LIMITS.message_bytes:
            raise MlflowError(
                INVALID_PARAMETER_VALUE,
                f"the request's body has more than {LIMITS.message_bytes:,} bytes, the most allowed",
            )
    return bytes(parts)


def _fields_in(pattern: Sequence[str], parts: Sequence[str]) -> Mapping[str, str] | None:
    """The fields that a path holds where the pattern has them; None if it is another path."""
    if len(pattern) != len(parts):
        return None
    fields: dict[str, str] = {}
    for expected, found in zip(pattern, parts, strict=True):
        if expected.startswith("{") and found:
            fields[expected[1:-1]] = found
        elif expected != found:
            return None
    return fields

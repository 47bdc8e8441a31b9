"""The ASGI application of the HTTP port: what the server tells of itself, and the doors that it is given."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp

from trackwire_server.core.figures import CallFigures
from trackwire_server.core.readiness import Readiness
from trackwire_server.core.traces import CallTraces
from trackwire_server.web.figures import FigureDoor
from trackwire_server.web.requests import AroundRequests

# MLflow's client prints links to pages of its own server when a run ends.
_WHAT_IS_HERE = """\
MLflow's REST API is here, for its clients and its command line. There are no pages to look at; a run, in a shell:

  mlflow runs describe --run-id ID
  trackwire runs get ID
"""


@dataclass(frozen=True, slots=True)
class About:
    """What the server tells of itself; `figures` answers at /metrics, where there is that."""

    version: str
    readiness: Readiness
    calls: CallFigures
    figures: FigureDoor | None = None
    traces: CallTraces | None = None


def web_app(
    about: About,
    routes: Sequence[BaseRoute],
    *,
    prefix: str = "",
    guard: Callable[[ASGIApp], ASGIApp] | None = None,
) -> ASGIApp:
    """/health and /version as MLflow's server has them, /ready, and the routes of the doors below a prefix.

    Whoever looks after the server finds /health, /ready and /metrics without the prefix, too. What `guard` puts
    around all of it turns requests away; they are counted all the same.
    """
    own = list(_own(about))
    below: list[BaseRoute] = [Mount(prefix, routes=[*own, *routes])] if prefix else list(routes)
    # Each door answers for its own errors: a router is all that is needed around them.
    router = Router([*own, *below])
    return AroundRequests(router if guard is None else guard(router), about.calls, about.traces, prefix=prefix)


def _own(about: About) -> Iterator[BaseRoute]:
    async def say_what_is_here(_request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"Trackwire {about.version}\n\n{_WHAT_IS_HERE}")

    async def health(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("OK")

    async def ready(_request: Request) -> PlainTextResponse:
        reason = about.readiness.reason
        return PlainTextResponse(reason or "OK", HTTPStatus.SERVICE_UNAVAILABLE if reason else HTTPStatus.OK)

    async def say_version(_request: Request) -> PlainTextResponse:
        return PlainTextResponse(about.version)

    yield Route("/", say_what_is_here)
    yield Route("/health", health)
    yield Route("/ready", ready)
    yield Route("/version", say_version)
    if about.figures is not None:
        yield Route("/metrics", about.figures.answer)

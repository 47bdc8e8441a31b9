"""The ASGI application of the HTTP port: what the server tells of itself, the pages, and the doors that it is given."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp

from trackwire_server.core.figures import CallFigures
from trackwire_server.core.readiness import Readiness
from trackwire_server.core.traces import CallTraces
from trackwire_server.web.figures import FigureDoor
from trackwire_server.web.pages import WHAT_IS_HERE, Pages
from trackwire_server.web.requests import AroundRequests


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
    pages: Pages | None = None,
    prefix: str = "",
    guard: Callable[[ASGIApp], ASGIApp] | None = None,
) -> ASGIApp:
    """/health and /version as MLflow's server has them, /ready, and below a prefix the pages and the doors' routes.

    Whoever looks after the server finds /health, /ready and /metrics without the prefix, too. What `guard` puts
    around all of it turns requests away; they are counted all the same.
    """
    own = list(_own(about))
    front = [Route("/", _say_what_is_here)] if pages is None else list(pages.routes())
    all_routes: list[BaseRoute] = [*own, *front, *routes]
    if prefix:
        to_pages = _redirecting(f"{prefix}/")
        all_routes = [*own, Route("/", to_pages), Route(prefix, to_pages), Mount(prefix, routes=all_routes)]
    # Each door answers for its own errors: a router is all that is needed around them.
    router = Router(all_routes)
    return AroundRequests(router if guard is None else guard(router), about.calls, about.traces, prefix=prefix)


def _own(about: About) -> Iterator[BaseRoute]:
    async def health(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("OK")

    async def ready(_request: Request) -> PlainTextResponse:
        reason = about.readiness.reason
        return PlainTextResponse(reason or "OK", HTTPStatus.SERVICE_UNAVAILABLE if reason else HTTPStatus.OK)

    async def say_version(_request: Request) -> PlainTextResponse:
        return PlainTextResponse(about.version)

    yield Route("/health", health)
    yield Route("/ready", ready)
    yield Route("/version", say_version)
    if about.figures is not None:
        yield Route("/metrics", about.figures.answer)


async def _say_what_is_here(_request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"Trackwire\n\n{WHAT_IS_HERE}")


def _redirecting(place: str) -> Callable[[Request], Awaitable[Response]]:
    async def redirect(_request: Request) -> Response:
        # Without the host: a proxy may have another name for it, and speak TLS.
        return RedirectResponse(place)

    return redirect

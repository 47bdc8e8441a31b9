"""The ASGI application of the HTTP port: what the server tells of itself, and the doors that it is given."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp

if TYPE_CHECKING:
    from trackwire_server.web.prometheus import Telemetry

# MLflow's client prints links to pages of its own server when a run ends.
_WHAT_IS_HERE = """\
MLflow's REST API is here, for its clients and its command line. There are no pages to look at; a run, in a shell:

  mlflow runs describe --run-id ID
  trackwire runs get ID
"""


def web_app(
    version: str,
    routes: Sequence[BaseRoute],
    *,
    prefix: str = "",
    telemetry: "Telemetry | None" = None,
    guard: Callable[[ASGIApp], ASGIApp] | None = None,
) -> ASGIApp:
    """/health and /version as MLflow's server has them, a word at /, and the routes of the doors below a prefix.

    Whoever looks after the server finds /health and /metrics without the prefix, too. What `guard` puts around all of
    it turns requests away; they are counted all the same.
    """

    async def health(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("OK")

    async def say_version(_request: Request) -> PlainTextResponse:
        return PlainTextResponse(version)

    async def say_what_is_here(_request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"Trackwire {version}\n\n{_WHAT_IS_HERE}")

    own: list[BaseRoute] = [Route("/", say_what_is_here), Route("/health", health), Route("/version", say_version)]
    if telemetry is not None:
        own.append(Route("/metrics", telemetry.answer))
    below: list[BaseRoute] = [Mount(prefix, routes=[*own, *routes])] if prefix else list(routes)
    # Each door answers for its own errors: a router is all that is needed around them.
    router = Router([*own, *below])
    app = router if guard is None else guard(router)
    return app if telemetry is None else telemetry.around(app)

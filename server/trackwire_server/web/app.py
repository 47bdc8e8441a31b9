"""The ASGI application of the HTTP port: what the server tells of itself, and the doors that it is given."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp


def web_app(version: str, routes: Sequence[BaseRoute]) -> ASGIApp:
    """/health and /version as MLflow's server has them, and the routes of the doors."""

    async def health(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("OK")

    async def say_version(_request: Request) -> PlainTextResponse:
        return PlainTextResponse(version)

    return Starlette(routes=[Route("/health", health), Route("/version", say_version), *routes])

"""The HTTP port with all that it serves; nothing of it is loaded where it is off."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from structlog.typing import FilteringBoundLogger

from trackwire_server.announcement import installed_version
from trackwire_server.config import Config
from trackwire_server.core.figures import CallFigures
from trackwire_server.core.readiness import Readiness
from trackwire_server.core.scopes import RPC_PATHS
from trackwire_server.core.services import Services
from trackwire_server.core.traces import CallTraces
from trackwire_server.guarding import Guard
from trackwire_server.rpc.server import RpcServer
from trackwire_server.storage import Stores
from trackwire_server.workers.place import Place

if TYPE_CHECKING:
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

    from trackwire_server.web.figures import FigureDoor
    from trackwire_server.web.server import HttpServer


@dataclass(frozen=True, slots=True)
class Internals:
    """What a server tells of itself, beside the nouns."""

    stores: Stores
    rpc_server: RpcServer
    readiness: Readiness
    place: Place | None
    traces: CallTraces | None
    guard: Guard


async def open_http(
    config: Config, services: Services, internals: Internals, stack: AsyncExitStack, log: FilteringBoundLogger
) -> "HttpServer | None":
    """The port, bound; None where it is off."""
    if config.http_port is None:
        return None
    from trackwire_server.mlflow_api.app import mlflow_routes
    from trackwire_server.web.app import About, web_app
    from trackwire_server.web.pages import Pages
    from trackwire_server.web.server import HttpServer

    calls = CallFigures()
    figures = await _open_figures(services, internals, calls, stack) if config.prometheus else None
    about = About(installed_version(), internals.readiness, calls, figures, internals.traces)
    mlflow = mlflow_routes(services, log, serve_artifacts=config.serve_artifacts, artifacts_only=config.artifacts_only)
    routes = mlflow if config.artifacts_only else (_rpcs(internals.rpc_server), *mlflow)
    pages = None if config.artifacts_only else Pages()
    guard = internals.guard
    around = partial(_guarded, config=config, guard=guard)
    app = web_app(about, routes, pages=pages, prefix=config.static_prefix, guard=around)
    tls = None if guard.tls is None else guard.tls.context
    return HttpServer.bind(app, config.host, config.http_port, tls=tls, shares_port=config.workers > 1)


def _rpcs(server: RpcServer) -> "BaseRoute":
    """What gRPC answers, for browsers."""
    from starlette.routing import Route

    from trackwire_server.web.on_demand import OnDemand

    return Route(f"{RPC_PATHS}{{method:path}}", OnDemand(server.over_connect))


def _guarded(app: "ASGIApp", *, config: Config, guard: Guard) -> "ASGIApp":
    """An application behind what the settings have stand before it."""
    from trackwire_server.web.hosts import ANY, HostGuard, Hosts

    if guard.gate is not None:
        from trackwire_server.mlflow_api.door import refusal
        from trackwire_server.web.access import AccessGuard

        app = AccessGuard(app, guard.gate, refusal, prefix=config.static_prefix)
    # A page that has a name lead here has neither a certificate for it nor a token.
    is_open = guard.is_there and not config.allowed_hosts
    if is_open or ANY in config.allowed_hosts:
        return app
    return HostGuard(app, Hosts(config.allowed_hosts, names=[config.host]), prefix=config.static_prefix)


async def _open_figures(
    services: Services, internals: Internals, http: CallFigures, stack: AsyncExitStack
) -> "FigureDoor":
    """/metrics; of a worker its siblings' figures, too, to whom it tells its own."""
    from trackwire_server.web.figures import FigureDoor, Figures
    from trackwire_server.web.siblings import Siblings

    stores, place = internals.stores, internals.place
    figures = Figures(
        installed_version(), stores.kind, services.metrics, stores.pools, internals.rpc_server.calls, http
    )
    if place is None:
        return FigureDoor(figures)
    siblings = Siblings(place.folder, place.number, place.count)
    door = FigureDoor(figures, siblings)
    stack.callback((await siblings.tell(door.tell_sibling)).close)
    return door

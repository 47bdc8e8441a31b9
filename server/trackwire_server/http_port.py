"""The HTTP port with all that it serves; nothing of it is loaded where it is off."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from structlog.typing import FilteringBoundLogger

from trackwire_server.assembly import installed_version
from trackwire_server.config import Config
from trackwire_server.core.figures import CallFigures
from trackwire_server.core.readiness import Readiness
from trackwire_server.core.services import Services
from trackwire_server.storage import Stores

if TYPE_CHECKING:
    from trackwire_server.web.figures import Answer
    from trackwire_server.web.server import HttpServer


@dataclass(frozen=True, slots=True)
class Internals:
    """What a server tells of itself, beside the nouns."""

    stores: Stores
    rpcs: CallFigures
    readiness: Readiness


def open_http(
    config: Config, services: Services, internals: Internals, log: FilteringBoundLogger
) -> "HttpServer | None":
    """The port, bound; None where it is off."""
    if config.http_port is None:
        return None
    from trackwire_server.mlflow_api.app import mlflow_routes
    from trackwire_server.web.app import About, web_app
    from trackwire_server.web.server import HttpServer

    calls = CallFigures()
    figures = _figures(services, internals, calls) if config.prometheus else None
    about = About(installed_version(), internals.readiness, calls, figures)
    routes = mlflow_routes(services, log, serve_artifacts=config.serve_artifacts, artifacts_only=config.artifacts_only)
    return HttpServer.bind(web_app(about, routes, prefix=config.static_prefix), config.host, config.http_port)


def _figures(services: Services, internals: Internals, http: CallFigures) -> "Answer":
    from trackwire_server.web.figures import Figures, answer_with

    stores = internals.stores
    return answer_with(Figures(installed_version(), stores.kind, services.metrics, stores.pools, internals.rpcs, http))

"""All of MLflow's API in one application."""

from collections.abc import Sequence

from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from structlog.typing import FilteringBoundLogger

from trackwire_server.core.services import Services
from trackwire_server.mlflow_api.artifact_proxy import ArtifactProxy
from trackwire_server.mlflow_api.artifacts import ArtifactDoor
from trackwire_server.mlflow_api.door import METHODS, PREFIXES, MlflowDoor, Rpc
from trackwire_server.mlflow_api.experiments import ExperimentDoor
from trackwire_server.mlflow_api.metric_history import MetricHistoryDoor
from trackwire_server.mlflow_api.metrics import MetricDoor
from trackwire_server.mlflow_api.model_history import ModelHistoryDoor
from trackwire_server.mlflow_api.runs import RunDoor
from trackwire_server.mlflow_api.server_info import SERVER_INFO
from trackwire_server.mlflow_api.unknown_rpcs import UNKNOWN_RPCS


def mlflow_routes(services: Services, log: FilteringBoundLogger) -> Sequence[BaseRoute]:
    """What answers below /api/ and /ajax-api/, and the few paths of MLflow's pages that lie elsewhere."""
    artifacts = ArtifactDoor(services.artifacts, services.model_registry)
    rpcs = MlflowDoor((*rpcs_of(services), *UNKNOWN_RPCS), log)
    return (
        *artifacts.routes(log),
        *ArtifactProxy(services.artifacts).routes(log),
        *(Route(prefix + "{path:path}", rpcs, methods=METHODS) for prefix in PREFIXES),
        Route("//{path:path}", merge_slashes, methods=METHODS),
    )


async def merge_slashes(request: Request) -> Response:
    """Sends on, as MLflow's server does, who put a slash both at the end of its URL and before a path."""
    path = "/" + str(request.path_params["path"]).lstrip("/")
    return RedirectResponse(URL(path=path, query=request.url.query), status_code=308)


def rpcs_of(services: Services) -> Sequence[Rpc]:
    """What is answered, noun by noun."""
    return (
        *ExperimentDoor(services.experiments).rpcs(),
        *RunDoor(services.runs).rpcs(),
        *ModelHistoryDoor(services.runs).rpcs(),
        *MetricDoor(services.metrics, services.runs).rpcs(),
        *MetricHistoryDoor(services.metrics).rpcs(),
        *ArtifactDoor(services.artifacts, services.model_registry).rpcs(),
        SERVER_INFO,
    )

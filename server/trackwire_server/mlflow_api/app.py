"""All of MLflow's API in one application."""

from collections.abc import Iterator, Sequence

from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from structlog.typing import FilteringBoundLogger

from trackwire_server.core.services import Services
from trackwire_server.mlflow_api.artifact_places import ArtifactPlaces
from trackwire_server.mlflow_api.artifact_proxy import PROXY, ArtifactProxy
from trackwire_server.mlflow_api.artifacts import ArtifactDoor
from trackwire_server.mlflow_api.door import METHODS, PREFIXES, Endpoint, MlflowDoor, Rpc
from trackwire_server.mlflow_api.errors import NOT_IMPLEMENTED, MlflowError, not_implemented
from trackwire_server.mlflow_api.experiments import ExperimentDoor
from trackwire_server.mlflow_api.issues import IssueDoor
from trackwire_server.mlflow_api.logged_models import LoggedModelDoor
from trackwire_server.mlflow_api.metric_history import MetricHistoryDoor
from trackwire_server.mlflow_api.metrics import MetricDoor
from trackwire_server.mlflow_api.model_history import ModelHistoryDoor
from trackwire_server.mlflow_api.model_versions import ModelVersionDoor
from trackwire_server.mlflow_api.registered_models import RegisteredModelDoor
from trackwire_server.mlflow_api.run_inputs import RunInputDoor
from trackwire_server.mlflow_api.runs import RunDoor
from trackwire_server.mlflow_api.server_info import SERVER_INFO, tell_server_info
from trackwire_server.mlflow_api.unknown_rpcs import UNKNOWN_BRANCHES, UNKNOWN_PLACES, UNKNOWN_RPCS


def mlflow_routes(
    services: Services, log: FilteringBoundLogger, *, serve_artifacts: bool = True, artifacts_only: bool = False
) -> Sequence[BaseRoute]:
    """What answers below /api/ and /ajax-api/, and the few paths of MLflow's pages that lie elsewhere."""
    if serve_artifacts:
        proxy = ArtifactProxy(_places(services)).routes(log)
    else:
        proxy = _switched_off([f"{prefix}{PROXY}/{{path:path}}" for prefix in PREFIXES], "--no-serve-artifacts", log)
    if artifacts_only:
        told = [Route(prefix + SERVER_INFO.path, tell_server_info) for prefix in PREFIXES]
        return (*proxy, *told, *_switched_off(["/{path:path}"], "--artifacts-only", log))
    artifacts = ArtifactDoor(_places(services), services.model_registry)
    rpcs = MlflowDoor((*rpcs_of(services), *UNKNOWN_RPCS), services.metrics.admitted, log, unknown=UNKNOWN_BRANCHES)
    return (
        *artifacts.routes(log),
        *proxy,
        *(Route(f"{prefix}{{path:path}}", rpcs, methods=METHODS) for prefix in PREFIXES),
        *_unknown_places(log),
        Route("//{path:path}", merge_slashes, methods=METHODS),
    )


def _switched_off(paths: Sequence[str], flag: str, log: FilteringBoundLogger) -> Sequence[BaseRoute]:
    """What would answer here, were the server not told otherwise. No 503 as MLflow's: its clients would try again."""

    async def refuse(request: Request) -> Response:
        raise MlflowError(NOT_IMPLEMENTED, f"{request.method} {request.scope['path']} is switched off: {flag}")

    return tuple(Route(path, Endpoint(refuse, log), methods=METHODS) for path in paths)


def _unknown_places(log: FilteringBoundLogger) -> Iterator[BaseRoute]:
    """What of MLflow's lies beside its API and is not here."""

    def refusing(name: str) -> Endpoint:
        async def refuse(_request: Request) -> Response:
            raise not_implemented(name)

        return Endpoint(refuse, log)

    for place, name in UNKNOWN_PLACES.items():
        for path in (place, f"{place}/{{path:path}}"):
            yield Route(path, refusing(name), methods=METHODS)


async def merge_slashes(request: Request) -> Response:
    """Sends on, as MLflow's server does, who put a slash both at the end of its URL and before a path."""
    path = request.scope.get("root_path", "") + "/" + str(request.path_params["path"]).lstrip("/")
    return RedirectResponse(URL(path=path, query=request.url.query), status_code=308)


def _places(services: Services) -> ArtifactPlaces:
    return ArtifactPlaces(services.artifacts, services.model_artifacts)


def rpcs_of(services: Services) -> Sequence[Rpc]:
    """What is answered, noun by noun."""
    return (
        *ExperimentDoor(services.experiments).rpcs(),
        *RunDoor(services.runs).rpcs(),
        *RunInputDoor(services.runs).rpcs(),
        *ModelHistoryDoor(services.runs).rpcs(),
        *MetricDoor(services.metrics, services.runs).rpcs(),
        *MetricHistoryDoor(services.metrics).rpcs(),
        *ArtifactDoor(_places(services), services.model_registry).rpcs(),
        *LoggedModelDoor(services.logged_models).rpcs(),
        *IssueDoor(services.issues).rpcs(),
        SERVER_INFO,
        *RegisteredModelDoor(services.model_registry).rpcs(),
        *ModelVersionDoor(services.model_registry).rpcs(),
    )

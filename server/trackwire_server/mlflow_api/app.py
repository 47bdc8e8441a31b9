"""All of MLflow's API in one application."""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route
from structlog.typing import FilteringBoundLogger

from trackwire_server.core.services import Services
from trackwire_server.mlflow_api.door import METHODS, PREFIXES, MlflowDoor, Rpc
from trackwire_server.mlflow_api.experiments import ExperimentDoor
from trackwire_server.mlflow_api.metric_history import MetricHistoryDoor
from trackwire_server.mlflow_api.metrics import MetricDoor
from trackwire_server.mlflow_api.model_history import ModelHistoryDoor
from trackwire_server.mlflow_api.runs import RunDoor
from trackwire_server.mlflow_api.unknown_rpcs import UNKNOWN_RPCS


def mlflow_routes(services: Services, log: FilteringBoundLogger) -> Sequence[BaseRoute]:
    """What answers below /api/ and /ajax-api/."""
    door = MlflowDoor((*rpcs_of(services), *UNKNOWN_RPCS), log)
    return tuple(Route(prefix + "{path:path}", door, methods=METHODS) for prefix in PREFIXES)


def rpcs_of(services: Services) -> Sequence[Rpc]:
    """What is answered, noun by noun."""
    return (
        *ExperimentDoor(services.experiments).rpcs(),
        *RunDoor(services.runs).rpcs(),
        *ModelHistoryDoor(services.runs).rpcs(),
        *MetricDoor(services.metrics, services.runs).rpcs(),
        *MetricHistoryDoor(services.metrics).rpcs(),
    )

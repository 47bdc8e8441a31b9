"""`trackwire.MlflowClient`: MLflow's client of its low level, for scripts that use it. Each call asks the server."""

import os

from trackwire.errors import InvalidArgumentError
from trackwire.fluent.choices import get_tracking_uri
from trackwire.fluent.settings import destination
from trackwire.mlflow_client.artifacts import ArtifactMethods
from trackwire.mlflow_client.experiments import ExperimentMethods
from trackwire.mlflow_client.metrics import MetricMethods
from trackwire.mlflow_client.model_registry import ModelRegistryMethods
from trackwire.mlflow_client.runs import RunMethods


class MlflowClient(ExperimentMethods, RunMethods, MetricMethods, ArtifactMethods, ModelRegistryMethods):
    """Names, arguments and answers are those of `mlflow.MlflowClient`; `trackwire.Client` has more, and columns.

    What is written is on the server when the call returns, and `synchronous` changes nothing. What this process's
    runs have logged before is there too.
    """

    def __init__(self, tracking_uri: str | os.PathLike[str] | None = None, registry_uri: str | None = None) -> None:
        """`tracking_uri` is `host:port` or `grpc://host:port`; by default that of the module-level calls."""
        self._tracking_uri = None if tracking_uri is None else os.fspath(tracking_uri)
        if registry_uri is not None and destination(registry_uri).address != destination(self.tracking_uri).address:
            raise InvalidArgumentError(
                f"registry_uri: {registry_uri!r}: models are registered on the server of runs, {self.tracking_uri!r}",
                metadata={"field": "registry_uri", "value": registry_uri},
            )

    @property
    def tracking_uri(self) -> str:
        """Where it asks."""
        return get_tracking_uri() if self._tracking_uri is None else self._tracking_uri

    def __repr__(self) -> str:
        return f"trackwire.MlflowClient({self.tracking_uri!r})"

"""A Trackwire server as mlflow's model registry."""

from mlflow.store.model_registry.abstract_store import AbstractStore

from trackwire.mlflow_plugin.model_versions import ModelVersionMethods
from trackwire.mlflow_plugin.registered_models import RegisteredModelMethods


class RegistryStore(RegisteredModelMethods, ModelVersionMethods, AbstractStore):
    """Registered models and their versions over gRPC. It connects with its first call, and anew in a forked child."""

    def __init__(self, store_uri: str, tracking_uri: str | None = None) -> None:
        super().__init__(store_uri, tracking_uri)
        self._uri = store_uri

"""`grpc://HOST:PORT` and `grpcs://HOST:PORT` as tracking and registry URIs of the `mlflow` package.

mlflow finds these functions by the entry points of the installed distribution, at its own import: so nothing is loaded
here before a store is asked for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.store.artifact.artifact_repo import ArtifactRepository

    from trackwire.mlflow_plugin.registry_store import RegistryStore
    from trackwire.mlflow_plugin.tracking_store import TrackingStore


def open_tracking_store(store_uri: str, artifact_uri: str | None = None) -> "TrackingStore":
    """The store of experiments, runs and metrics at a URI. The server says where artifacts lie."""
    from trackwire.mlflow_plugin.tracking_store import TrackingStore

    return TrackingStore(store_uri, artifact_uri)


def open_registry_store(store_uri: str, tracking_uri: str | None = None) -> "RegistryStore":
    """The store of registered models at a URI."""
    from trackwire.mlflow_plugin.registry_store import RegistryStore

    return RegistryStore(store_uri, tracking_uri)


def open_artifact_repository(
    artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None
) -> "ArtifactRepository":
    """The files below a `trackwire-artifacts:/` URI."""
    from trackwire.mlflow_plugin.artifact_repository import TrackwireArtifactRepository

    return TrackwireArtifactRepository(artifact_uri, tracking_uri, registry_uri)


def open_proxied_artifact_repository(
    artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None
) -> "ArtifactRepository":
    """The files below an `mlflow-artifacts:/` URI: through gRPC where that is how the server is reached.

    mlflow's own class, whose name in the registry this takes, knows HTTP alone.
    """
    from mlflow.store.artifact.mlflow_artifacts_repo import MlflowArtifactsRepository
    from mlflow.tracking import get_tracking_uri

    from trackwire.mlflow_plugin.connections import is_ours

    if is_ours(tracking_uri or get_tracking_uri()):
        return open_artifact_repository(artifact_uri, tracking_uri, registry_uri)
    return MlflowArtifactsRepository(artifact_uri, tracking_uri, registry_uri)

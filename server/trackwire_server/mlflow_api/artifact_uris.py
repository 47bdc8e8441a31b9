"""Where artifacts lie, as MLflow's clients are told: what the server keeps itself they reach by its proxy."""

from trackwire_server.core.entities import ARTIFACT_SCHEME

PROXY_SCHEME = "mlflow-artifacts:/"


def uri_of(location: str) -> str:
    """The same place in MLflow's scheme."""
    if location.startswith(ARTIFACT_SCHEME):
        return PROXY_SCHEME + location.removeprefix(ARTIFACT_SCHEME)
    return location

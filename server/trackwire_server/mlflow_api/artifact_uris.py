"""Where artifacts lie, as MLflow's clients are told: what the server keeps itself they reach by its proxy."""

from trackwire_server.core.entities import ARTIFACT_SCHEME

PROXY_SCHEME = "mlflow-artifacts:/"


def uri_of(location: str) -> str:
    """The same place in MLflow's scheme."""
    if location.startswith(ARTIFACT_SCHEME):
        return PROXY_SCHEME + location.removeprefix(ARTIFACT_SCHEME)
    return location


def location_of(uri: str) -> str:
    """The same place as the server knows it; a URI that names a host is another server's."""
    if uri.startswith(PROXY_SCHEME) and not uri.startswith(f"{PROXY_SCHEME}/"):
        return ARTIFACT_SCHEME + uri.removeprefix(PROXY_SCHEME)
    return uri

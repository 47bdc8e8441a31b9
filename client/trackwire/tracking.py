"""What MLflow has in `mlflow.tracking`."""

from trackwire.fluent.active import get_tracking_uri, is_tracking_uri_set, set_tracking_uri
from trackwire.mlflow_client import MlflowClient

__all__ = ["MlflowClient", "get_tracking_uri", "is_tracking_uri_set", "set_tracking_uri"]

"""Errors under MLflow's names: a script that catches `mlflow.exceptions.MlflowException` catches ours."""

from trackwire.errors import TrackwireError

MlflowException = TrackwireError
RestException = TrackwireError

__all__ = ["MlflowException", "RestException"]

"""What mlflow's tracking store has and this server does not keep: told, where mlflow's base class would say nothing."""

from collections.abc import Sequence

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import NOT_IMPLEMENTED


class NotKept:
    """Methods whose bodies are empty in mlflow's AbstractStore. Its others raise NotImplementedError by themselves."""

    def link_traces_to_run(self, trace_ids: Sequence[str], run_id: str) -> None:
        """Raises MlflowException: there are no traces."""
        raise MlflowException(
            f"link_traces_to_run: run {run_id!r}: a Trackwire server keeps no traces", NOT_IMPLEMENTED
        )

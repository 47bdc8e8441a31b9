"""What mlflow's tracking store has and this server does not keep: told, where mlflow's base class would say nothing."""

from collections.abc import Sequence

from mlflow.entities import LoggedModel
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import NOT_IMPLEMENTED
from mlflow.store.entities.paged_list import PagedList


class NotKept:
    """Methods whose bodies are empty in mlflow's AbstractStore. Its others raise NotImplementedError by themselves."""

    def log_inputs(self, run_id: str, datasets: object = None, models: object = None) -> None:
        """Raises MlflowException: runs keep no inputs yet."""
        raise MlflowException(
            f"log_inputs: run {run_id!r}: a Trackwire server keeps no inputs of runs", NOT_IMPLEMENTED
        )

    def link_traces_to_run(self, trace_ids: Sequence[str], run_id: str) -> None:
        """Raises MlflowException: there are no traces."""
        raise MlflowException(
            f"link_traces_to_run: run {run_id!r}: a Trackwire server keeps no traces", NOT_IMPLEMENTED
        )

    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        datasets: object = None,
        max_results: int | None = None,
        order_by: object = None,
        page_token: str | None = None,
    ) -> PagedList[LoggedModel]:
        """None: the server keeps none. mlflow looks for them whenever it lists a folder of a run."""
        return PagedList([], None)

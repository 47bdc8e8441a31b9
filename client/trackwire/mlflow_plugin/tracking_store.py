"""A Trackwire server as mlflow's tracking store."""

from mlflow.store.tracking.abstract_store import AbstractStore

from trackwire.mlflow_plugin.evaluation_datasets import EvaluationDatasetMethods
from trackwire.mlflow_plugin.experiments import ExperimentMethods
from trackwire.mlflow_plugin.histories import Readings
from trackwire.mlflow_plugin.inputs import InputMethods
from trackwire.mlflow_plugin.issues import IssueMethods
from trackwire.mlflow_plugin.logged_models import LoggedModelMethods
from trackwire.mlflow_plugin.metrics import MetricMethods
from trackwire.mlflow_plugin.not_kept import NotKept, names_what_is_not_kept
from trackwire.mlflow_plugin.runs import RunMethods


@names_what_is_not_kept
class TrackingStore(
    ExperimentMethods,
    RunMethods,
    InputMethods,
    MetricMethods,
    LoggedModelMethods,
    IssueMethods,
    EvaluationDatasetMethods,
    NotKept,
    AbstractStore,
):
    """All of mlflow's nouns that a server keeps, over gRPC. Connects with its first call, anew in a forked child."""

    def __init__(self, store_uri: str, artifact_uri: str | None = None) -> None:
        super().__init__()
        self._uri = store_uri
        self._artifact_uri = artifact_uri
        self._readings = Readings()

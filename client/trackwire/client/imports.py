"""Imports: what was kept elsewhere is taken over as it stood there. All calls may be repeated."""

from collections.abc import Iterable

from trackwire.client.calls import Calls
from trackwire.v1 import imports_pb2 as pb
from trackwire.v1.evaluation_datasets_pb2 import EvaluationDataset, EvaluationDatasetRecord
from trackwire.v1.experiments_pb2 import Experiment
from trackwire.v1.issues_pb2 import Issue
from trackwire.v1.logged_models_pb2 import LoggedModel
from trackwire.v1.model_registry_pb2 import ModelVersion, RegisteredModel
from trackwire.v1.runs_pb2 import Run


class ImportMethods(Calls):
    """The client's methods for taking over what was kept elsewhere."""

    def import_experiment(self, experiment: Experiment) -> Experiment:
        """Takes over an experiment under its own id; AlreadyExistsError if another one has its id or its name."""
        request = pb.ImportExperimentRequest(experiment=experiment)
        return self._call(request, pb.ImportExperimentResponse, lambda response: response.experiment)

    def import_run(self, run: Run) -> Run:
        """Takes over a run, without its points and files; AlreadyExistsError if another one has its id."""
        request = pb.ImportRunRequest(run=run)
        return self._call(request, pb.ImportRunResponse, lambda response: response.run)

    def import_logged_model(self, logged_model: LoggedModel) -> LoggedModel:
        """Takes over a logged model, without its files; AlreadyExistsError if another one has its id."""
        request = pb.ImportLoggedModelRequest(logged_model=logged_model)
        return self._call(request, pb.ImportLoggedModelResponse, lambda response: response.logged_model)

    def import_registered_model(self, registered_model: RegisteredModel) -> RegisteredModel:
        """Takes over a registered model, without its versions; AlreadyExistsError if another one has its name."""
        request = pb.ImportRegisteredModelRequest(registered_model=registered_model)
        return self._call(request, pb.ImportRegisteredModelResponse, lambda response: response.registered_model)

    def import_model_version(self, model_version: ModelVersion) -> ModelVersion:
        """Takes over a version under its own number, with its stage and aliases."""
        request = pb.ImportModelVersionRequest(model_version=model_version)
        return self._call(request, pb.ImportModelVersionResponse, lambda response: response.model_version)

    def import_issue(self, issue: Issue) -> Issue:
        """Takes over an issue; AlreadyExistsError if another one has its id."""
        request = pb.ImportIssueRequest(issue=issue)
        return self._call(request, pb.ImportIssueResponse, lambda response: response.issue)

    def import_evaluation_dataset(self, dataset: EvaluationDataset) -> EvaluationDataset:
        """Takes over an evaluation dataset, without its records; AlreadyExistsError if another one has its id."""
        request = pb.ImportEvaluationDatasetRequest(dataset=dataset)
        return self._call(request, pb.ImportEvaluationDatasetResponse, lambda response: response.dataset)

    def import_evaluation_dataset_records(
        self, dataset_id: str, records: Iterable[EvaluationDatasetRecord]
    ) -> EvaluationDataset:
        """Takes over up to 100,000 records, all or none; AlreadyExistsError if another one has the id of one."""
        request = pb.ImportEvaluationDatasetRecordsRequest(dataset_id=dataset_id, records=records)
        return self._call(request, pb.ImportEvaluationDatasetRecordsResponse, lambda response: response.dataset)

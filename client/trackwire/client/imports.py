"""Imports: what was kept elsewhere is taken over as it stood there. All calls may be repeated."""

from trackwire.client.calls import Calls
from trackwire.v1 import imports_pb2 as pb
from trackwire.v1.experiments_pb2 import Experiment
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

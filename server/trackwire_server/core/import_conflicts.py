"""Whether what is here is what comes from elsewhere: it has the same id and was made at the same time."""

from datetime import UTC, datetime

from trackwire_server.core.entities import DEFAULT_EXPERIMENT_ID, Experiment, ModelVersion, RegisteredModel, Run
from trackwire_server.core.errors import AlreadyExists, shown
from trackwire_server.core.evaluation_dataset_entities import EvaluationDataset, EvaluationRecord
from trackwire_server.core.issue_entities import Issue
from trackwire_server.core.logged_model_entities import LoggedModel


def check_same_experiment(here: Experiment, there: Experiment) -> None:
    """Raises AlreadyExists. "0" is everywhere from the start, and the same."""
    if here.experiment_id == DEFAULT_EXPERIMENT_ID or here.creation_time_ms == there.creation_time_ms:
        return
    raise _taken("experiment", there.experiment_id, "experiment.experiment_id", _experiment(here), _experiment(there))


def check_same_name(here_id: str, there: Experiment) -> None:
    """Raises AlreadyExists if the name is that of an experiment with another id."""
    if here_id != there.experiment_id:
        here = f"the one with the id {shown(here_id)}"
        coming = f"the one with the id {shown(there.experiment_id)}"
        raise _taken("experiment", there.name, "experiment.name", here, coming)


def check_same_run(here: Run, there: Run) -> None:
    """Raises AlreadyExists."""
    if (here.experiment_id, here.start_time_ms) != (there.experiment_id, there.start_time_ms):
        raise _taken("run", there.run_id, "run.run_id", _run(here), _run(there))


def check_same_logged_model(here: LoggedModel, there: LoggedModel) -> None:
    """Raises AlreadyExists."""
    if (here.experiment_id, here.creation_time_ms) != (there.experiment_id, there.creation_time_ms):
        raise _taken("logged model", there.model_id, "logged_model.model_id", _logged_model(here), _logged_model(there))


def check_same_registered_model(here: RegisteredModel, there: RegisteredModel) -> None:
    """Raises AlreadyExists."""
    if here.creation_time_ms != there.creation_time_ms:
        times = f"one made at {_time(here.creation_time_ms)}", f"one made at {_time(there.creation_time_ms)}"
        raise _taken("registered model", there.name, "registered_model.name", *times)


def check_same_version(here: ModelVersion, there: ModelVersion) -> None:
    """Raises AlreadyExists."""
    if here.creation_time_ms != there.creation_time_ms:
        name = f"{there.name}/{there.version}"
        raise _taken("model version", name, "model_version.version", _version(here), _version(there))


def check_same_issue(here: Issue, there: Issue) -> None:
    """Raises AlreadyExists."""
    if (here.experiment_id, here.creation_time_ms) != (there.experiment_id, there.creation_time_ms):
        raise _taken("issue", there.issue_id, "issue.issue_id", _issue(here), _issue(there))


def check_same_evaluation_dataset(here: EvaluationDataset, there: EvaluationDataset) -> None:
    """Raises AlreadyExists."""
    if here.creation_time_ms != there.creation_time_ms:
        said = _evaluation_dataset(here), _evaluation_dataset(there)
        raise _taken("evaluation dataset", there.dataset_id, "dataset.dataset_id", *said)


def check_same_evaluation_record(field: str, here: EvaluationRecord, there: EvaluationRecord) -> None:
    """Raises AlreadyExists; `field` is that of the record's id."""
    if (here.dataset_id, here.creation_time_ms) != (there.dataset_id, there.creation_time_ms):
        said = _evaluation_record(here), _evaluation_record(there)
        raise _taken("evaluation dataset record", there.record_id, field, *said)


def _taken(kind: str, name: str, field: str, here: str, coming: str) -> AlreadyExists:
    return AlreadyExists(kind, name, field=field, hint=f"here it is {here}; what is to be imported is {coming}")


def _experiment(experiment: Experiment) -> str:
    return f"{shown(experiment.name)}, made at {_time(experiment.creation_time_ms)}"


def _run(run: Run) -> str:
    return f"{shown(run.run_name)} of experiment {shown(run.experiment_id)}, started at {_time(run.start_time_ms)}"


def _logged_model(model: LoggedModel) -> str:
    return f"{shown(model.name)} of experiment {shown(model.experiment_id)}, made at {_time(model.creation_time_ms)}"


def _issue(issue: Issue) -> str:
    return f"{shown(issue.name)} of experiment {shown(issue.experiment_id)}, made at {_time(issue.creation_time_ms)}"


def _evaluation_dataset(dataset: EvaluationDataset) -> str:
    return f"{shown(dataset.name)}, made at {_time(dataset.creation_time_ms)}"


def _evaluation_record(record: EvaluationRecord) -> str:
    return f"one of evaluation dataset {shown(record.dataset_id)}, made at {_time(record.creation_time_ms)}"


def _version(version: ModelVersion) -> str:
    return f"of {shown(version.source)}, made at {_time(version.creation_time_ms)}"


def _time(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC"

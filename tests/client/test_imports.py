"""What is taken over by the client stands on the server as it was sent."""

import pytest

from trackwire.client import Client
from trackwire.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError
from trackwire.v1.evaluation_datasets_pb2 import EvaluationDataset, EvaluationDatasetRecord
from trackwire.v1.experiments_pb2 import LIFECYCLE_STAGE_ACTIVE, LIFECYCLE_STAGE_DELETED, Experiment
from trackwire.v1.issues_pb2 import ISSUE_STATUS_RESOLVED, Issue
from trackwire.v1.logged_models_pb2 import LOGGED_MODEL_STATUS_READY, LoggedModel
from trackwire.v1.model_registry_pb2 import (
    MODEL_STAGE_STAGING,
    MODEL_VERSION_STATUS_READY,
    ModelVersion,
    RegisteredModel,
)
from trackwire.v1.runs_pb2 import RUN_STATUS_FAILED, Run

OLD_MS = 1_600_000_000_000


def test_imports_live_as_the_specification_says(client: Client) -> None:
    experiment = Experiment(
        experiment_id="99000",
        workspace="default",
        name="taken over",
        artifact_location="s3://old/99000",
        lifecycle_stage=LIFECYCLE_STAGE_ACTIVE,
        creation_time_ms=OLD_MS,
    )
    assert client.import_experiment(experiment) == experiment == client.get_experiment("99000")
    run = Run(
        run_id="taken-over",
        experiment_id="99000",
        status=RUN_STATUS_FAILED,
        start_time_ms=OLD_MS,
        end_time_ms=OLD_MS + 1,
        lifecycle_stage=LIFECYCLE_STAGE_DELETED,
        deleted_time_ms=OLD_MS + 2,
        artifact_uri="s3://old/99000/taken-over/artifacts",
        params={"lr": "0.1"},
    )
    assert client.import_run(run) == client.import_run(run) == run == client.get_run("taken-over")
    model = LoggedModel(
        model_id="m-taken-over",
        experiment_id="99000",
        name="net",
        artifact_uri="s3://old/99000/models/m-taken-over/artifacts",
        status=LOGGED_MODEL_STATUS_READY,
        creation_time_ms=OLD_MS,
    )
    assert client.import_logged_model(model) == model == client.get_logged_model("m-taken-over")
    registered = RegisteredModel(name="taken over", workspace="default", creation_time_ms=OLD_MS)
    assert client.import_registered_model(registered) == registered
    version = ModelVersion(
        name="taken over",
        version=7,
        source="s3://old/model",
        status=MODEL_VERSION_STATUS_READY,
        current_stage=MODEL_STAGE_STAGING,
        aliases=["champion"],
        creation_time_ms=OLD_MS,
    )
    assert client.import_model_version(version) == version
    assert client.get_model_version_by_alias("taken over", "champion") == version
    issue = Issue(
        issue_id="iss-taken-over",
        experiment_id="99000",
        name="slow",
        description="It takes long.",
        status=ISSUE_STATUS_RESOLVED,
        creation_time_ms=OLD_MS,
        last_update_time_ms=OLD_MS,
    )
    assert client.import_issue(issue) == issue == client.get_issue("iss-taken-over")
    dataset = EvaluationDataset(
        dataset_id="d-taken-over", name="qa", creation_time_ms=OLD_MS, last_update_time_ms=OLD_MS, digest="0123abcd"
    )
    taken = client.import_evaluation_dataset(dataset)
    assert (taken.name, taken.creation_time_ms, taken.digest) == ("qa", OLD_MS, "0123abcd")
    record = EvaluationDatasetRecord(record_id="dr-taken-over", inputs='{"q":1}', creation_time_ms=OLD_MS)
    assert client.import_evaluation_dataset_records("d-taken-over", [record]).record_count == 1
    [listed] = client.list_evaluation_dataset_records("d-taken-over")
    assert (listed.record_id, listed.inputs, listed.creation_time_ms) == ("dr-taken-over", '{"q":1}', OLD_MS)
    with pytest.raises(AlreadyExistsError, match="'other'"):
        client.import_experiment(Experiment(experiment_id="99000", name="other"))
    with pytest.raises(InvalidArgumentError, match=r"run\.run_id"):
        client.import_run(Run(experiment_id="99000"))
    with pytest.raises(NotFoundError, match="99001"):
        client.import_run(Run(run_id="r", experiment_id="99001"))

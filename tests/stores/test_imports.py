"""What every ImportStore does."""

from dataclasses import replace

import pytest
from tests.conftest import NOW_MS
from tests.stores.conftest import Stores, new_run

from trackwire_server.core.entities import (
    RUN_NAME_TAG,
    Experiment,
    LifecycleStage,
    ModelStage,
    ModelVersion,
    ModelVersionStatus,
    NewExperiment,
    NewModelVersion,
    NewRegisteredModel,
    RegisteredModel,
    Run,
    RunSelection,
    RunStatus,
)
from trackwire_server.core.errors import AlreadyExists, NotFound
from trackwire_server.core.issue_entities import Issue, IssueSeverity, IssueStatus
from trackwire_server.core.logged_model_entities import LoggedModel, LoggedModelStatus
from trackwire_server.core.run_inputs import Dataset, DatasetInput, ModelOutput, RunInputs, RunOutputs

DELETED, ACTIVE = LifecycleStage.DELETED, LifecycleStage.ACTIVE
OLD_MS = 1_600_000_000_000
FILE_STORE_ID = "826371932812381234"
DATASET = Dataset("digits", "d1", "local", "/data/digits", "{}", "{}")

EXPERIMENT = Experiment(
    experiment_id="7",
    name="vision",
    artifact_location="s3://bucket/7",
    lifecycle_stage=ACTIVE,
    creation_time_ms=OLD_MS,
    last_update_time_ms=OLD_MS + 5,
    tags={"team": "red", "mlflow.note.content": "of hands"},
)
RUN = Run(
    run_id="0" * 31 + "a",
    run_name="calm-otter",
    experiment_id="7",
    user_id="ann",
    status=RunStatus.FAILED,
    start_time_ms=OLD_MS + 10,
    end_time_ms=OLD_MS + 20,
    lifecycle_stage=ACTIVE,
    artifact_uri="s3://bucket/7/elsewhere",
    parent_run_id="parent",
    params={"lr": "0.1"},
    tags={RUN_NAME_TAG: "calm-otter", "a": "b"},
    inputs=RunInputs((DatasetInput(DATASET, {"mlflow.data.context": "training"}),), ("m-in",)),
    outputs=RunOutputs((ModelOutput("m-out", 3),)),
)
LOGGED_MODEL = LoggedModel(
    model_id="m-1",
    experiment_id="7",
    name="net",
    artifact_uri="s3://bucket/7/models/m-1/artifacts",
    creation_time_ms=OLD_MS + 11,
    last_update_time_ms=OLD_MS + 12,
    model_type="agent",
    source_run_id=RUN.run_id,
    status=LoggedModelStatus.UPLOAD_FAILED,
    status_message="no room",
    tags={"a": "b"},
    params={"depth": "3"},
)
ISSUE = Issue(
    issue_id="iss-1",
    experiment_id="7",
    name="slow",
    description="It takes long.",
    creation_time_ms=OLD_MS + 13,
    last_update_time_ms=OLD_MS + 14,
    status=IssueStatus.RESOLVED,
    severity=IssueSeverity.HIGH,
    root_causes=("b", "a"),
    categories=("latency", "cost", "latency"),
    source_run_id=RUN.run_id,
    created_by="ann",
    last_updated_by="bob",
    last_seen_time_ms=OLD_MS,
    metadata={"a": "b"},
)
MODEL = RegisteredModel("digits", OLD_MS + 1, OLD_MS + 9, "of hands", {"team": "red"})
VERSION = ModelVersion(
    name="digits",
    version=4,
    source="s3://bucket/7/models/m-1/artifacts",
    creation_time_ms=OLD_MS + 2,
    last_update_time_ms=OLD_MS + 3,
    description="the best",
    run_id=RUN.run_id,
    run_link="https://elsewhere/run",
    user_id="ann",
    status=ModelVersionStatus.FAILED_REGISTRATION,
    status_message="no files",
    current_stage=ModelStage.PRODUCTION,
    aliases=("champion", "newest"),
    tags={"a": "b"},
    model_id="m-1",
    storage_location="s3://other/place",
)


async def test_experiment_is_taken_over_whole_and_may_be_again(stores: Stores) -> None:
    assert await stores.imports.import_experiment(EXPERIMENT) == EXPERIMENT
    assert await stores.experiments.get_experiment("7") == EXPERIMENT
    changed = replace(EXPERIMENT, name="sound", tags={"x": "y"}, lifecycle_stage=DELETED, last_update_time_ms=NOW_MS)
    assert await stores.imports.import_experiment(changed) == changed
    assert await stores.experiments.get_experiment("7") == changed
    assert await stores.garbage.deleted_experiments(before_ms=NOW_MS) == ["7"]
    assert await stores.imports.import_experiment(EXPERIMENT) == EXPERIMENT
    assert not await stores.garbage.deleted_experiments(before_ms=NOW_MS)


async def test_default_experiment_is_the_same_everywhere(stores: Stores) -> None:
    theirs = replace(EXPERIMENT, experiment_id="0", name="Ours", artifact_location="")
    taken = await stores.imports.import_experiment(theirs)
    assert taken == replace(theirs, artifact_location="trackwire-artifacts:/0")


@pytest.mark.parametrize("taken", ["7", FILE_STORE_ID, "9" * 18])
async def test_numbers_made_later_are_above_those_taken_over(stores: Stores, taken: str) -> None:
    await stores.imports.import_experiment(replace(EXPERIMENT, experiment_id=taken))
    await stores.imports.import_experiment(replace(EXPERIMENT, experiment_id="3", name="lower"))
    made = await stores.experiments.create_experiment(NewExperiment("new", NOW_MS))
    assert int(made.experiment_id) == int(taken) + 1
    await stores.imports.import_run(replace(RUN, experiment_id=taken))
    assert (await stores.runs.get_run(RUN.run_id, RunSelection())).experiment_id == taken


async def test_experiment_of_another_time_is_not_replaced(stores: Stores) -> None:
    made = await stores.experiments.create_experiment(NewExperiment("ours", NOW_MS))
    with pytest.raises(AlreadyExists, match=r"'ours'.*'vision'"):
        await stores.imports.import_experiment(replace(EXPERIMENT, experiment_id=made.experiment_id))
    with pytest.raises(AlreadyExists, match=r"id '1'.*id '7'"):
        await stores.imports.import_experiment(replace(EXPERIMENT, name="ours"))
    assert await stores.experiments.get_experiment(made.experiment_id) == made


async def test_run_is_taken_over_whole_and_may_be_again(stores: Stores) -> None:
    with pytest.raises(NotFound, match="experiment '7'"):
        await stores.imports.import_run(RUN)
    await stores.imports.import_experiment(EXPERIMENT)
    assert await stores.imports.import_run(RUN) == RUN
    assert await stores.runs.get_run(RUN.run_id, RunSelection()) == RUN
    changed = replace(
        RUN,
        status=RunStatus.RUNNING,
        end_time_ms=None,
        params={"lr": "0.2", "depth": "3"},
        tags={"c": "d"},
        inputs=RunInputs((DatasetInput(replace(DATASET, digest="d2")),)),
        outputs=RunOutputs(),
    )
    assert await stores.imports.import_run(changed) == changed
    page = await stores.run_inputs.search_run_datasets(["7"], page_size=10, after=None)
    assert [(found.digest, found.context) for found in page.items] == [("d2", "")]
    assert await stores.imports.import_run(RUN) == RUN


async def test_run_without_a_place_for_files_gets_one(stores: Stores) -> None:
    await stores.imports.import_experiment(EXPERIMENT)
    taken = await stores.imports.import_run(replace(RUN, artifact_uri=""))
    assert taken.artifact_uri == f"s3://bucket/7/{RUN.run_id}/artifacts"
    model = await stores.imports.import_logged_model(replace(LOGGED_MODEL, artifact_uri=""))
    assert model.artifact_uri == "s3://bucket/7/models/m-1/artifacts"


async def test_deleted_run_keeps_the_time_of_its_deletion(stores: Stores) -> None:
    await stores.imports.import_experiment(replace(EXPERIMENT, lifecycle_stage=DELETED))
    deleted = replace(RUN, lifecycle_stage=DELETED, deleted_time_ms=NOW_MS)
    assert await stores.imports.import_run(deleted) == deleted
    assert await stores.imports.import_run(replace(deleted, deleted_time_ms=NOW_MS + 9)) == deleted
    assert await stores.garbage.deleted_runs(before_ms=NOW_MS, after="", limit=10) == [(RUN.run_id, "7")]
    assert await stores.imports.import_run(RUN) == RUN


async def test_run_of_another_experiment_or_time_is_not_replaced(stores: Stores) -> None:
    await stores.imports.import_experiment(EXPERIMENT)
    run, _ = await stores.runs.create_run(new_run(RUN.run_id, start_time_ms=RUN.start_time_ms))
    with pytest.raises(AlreadyExists, match=r"experiment '0'.*experiment '7'"):
        await stores.imports.import_run(RUN)
    with pytest.raises(AlreadyExists, match=r"started at 2020.*\.010 UTC.*\.011 UTC"):
        await stores.imports.import_run(replace(RUN, experiment_id="0", start_time_ms=RUN.start_time_ms + 1))
    assert await stores.runs.get_run(RUN.run_id, RunSelection()) == run


async def test_logged_model_is_taken_over_whole_and_may_be_again(stores: Stores) -> None:
    with pytest.raises(NotFound, match="experiment '7'"):
        await stores.imports.import_logged_model(LOGGED_MODEL)
    await stores.imports.import_experiment(EXPERIMENT)
    assert await stores.imports.import_logged_model(LOGGED_MODEL) == LOGGED_MODEL
    assert await stores.logged_models.get_logged_model("m-1") == LOGGED_MODEL
    changed = replace(LOGGED_MODEL, name="other", params={}, tags={"x": "y"}, status=LoggedModelStatus.READY)
    assert await stores.imports.import_logged_model(changed) == changed
    with pytest.raises(AlreadyExists, match=r"'other' of experiment '7'"):
        await stores.imports.import_logged_model(replace(LOGGED_MODEL, creation_time_ms=1))
    await stores.logged_models.delete_logged_model("m-1", now_ms=NOW_MS)
    with pytest.raises(NotFound):
        await stores.imports.import_logged_model(LOGGED_MODEL)


async def test_registered_model_is_taken_over_without_its_versions(stores: Stores) -> None:
    sent = replace(MODEL, aliases={"x": 9}, latest_versions=(VERSION,))
    assert await stores.imports.import_registered_model(sent) == MODEL
    await stores.imports.import_model_version(VERSION)
    changed = replace(MODEL, description="", tags={}, last_update_time_ms=NOW_MS)
    taken = await stores.imports.import_registered_model(changed)
    assert taken == replace(changed, aliases={"champion": 4, "newest": 4}, latest_versions=(VERSION,))
    assert await stores.registered_models.get_registered_model("digits") == taken
    with pytest.raises(AlreadyExists, match="registered model 'digits'"):
        await stores.imports.import_registered_model(replace(MODEL, creation_time_ms=1))


async def test_version_is_taken_over_whole_and_may_be_again(stores: Stores) -> None:
    with pytest.raises(NotFound, match="registered model 'digits'"):
        await stores.imports.import_model_version(VERSION)
    await stores.imports.import_registered_model(MODEL)
    assert await stores.imports.import_model_version(VERSION) == VERSION
    assert await stores.model_versions.get_model_version("digits", 4) == VERSION
    changed = replace(VERSION, aliases=("champion",), tags={}, current_stage=ModelStage.ARCHIVED, description="")
    assert await stores.imports.import_model_version(changed) == changed
    with pytest.raises(AlreadyExists, match="model version 'digits/4'"):
        await stores.imports.import_model_version(replace(VERSION, creation_time_ms=1))


async def test_versions_made_later_are_above_those_taken_over(stores: Stores) -> None:
    await stores.registered_models.create_registered_model(NewRegisteredModel("digits", NOW_MS))
    await stores.imports.import_model_version(VERSION)
    await stores.imports.import_model_version(replace(VERSION, version=2, aliases=("champion",)))
    made = await stores.model_versions.create_model_version(NewModelVersion("digits", "s3://new", NOW_MS))
    assert made.version == 5
    whole = await stores.registered_models.get_registered_model("digits")
    assert whole.aliases == {"champion": 2, "newest": 4}
    assert [version.version for version in whole.latest_versions] == [4, 5]


async def test_issue_is_taken_over_whole_and_may_be_again(stores: Stores) -> None:
    with pytest.raises(NotFound, match="experiment '7'"):
        await stores.imports.import_issue(ISSUE)
    await stores.imports.import_experiment(replace(EXPERIMENT, lifecycle_stage=DELETED))
    assert await stores.imports.import_issue(ISSUE) == ISSUE
    assert await stores.issues.get_issue("iss-1") == ISSUE
    changed = replace(
        ISSUE,
        name="fast",
        status=IssueStatus.PENDING,
        severity=None,
        root_causes=(),
        categories=("cost",),
        source_run_id="",
        last_seen_time_ms=None,
        metadata={"c": "d"},
    )
    assert await stores.imports.import_issue(changed) == changed
    assert await stores.issues.get_issue("iss-1") == changed


async def test_issue_of_another_experiment_or_time_is_not_replaced(stores: Stores) -> None:
    await stores.imports.import_experiment(EXPERIMENT)
    await stores.imports.import_issue(ISSUE)
    for other in (replace(ISSUE, experiment_id="0"), replace(ISSUE, creation_time_ms=1)):
        with pytest.raises(AlreadyExists, match=r"issue 'iss-1'.*'slow' of experiment '7'"):
            await stores.imports.import_issue(other)
    assert await stores.issues.get_issue("iss-1") == ISSUE

"""The model registry under MLflow's names."""

import pytest

import trackwire as mlflow
from trackwire.client import Client
from trackwire.errors import InvalidArgumentError, NotFoundError
from trackwire.user import user_name

pytestmark = pytest.mark.usefixtures("online")


@pytest.fixture
def run_id(client: Client, experiment_id: str) -> str:
    run_id = client.create_run(experiment_id).run_id
    client.upload_bytes(run_id, b"model", "model/model.pkl")
    return run_id


def test_model_is_registered_with_its_lineage(run_id: str) -> None:
    version = mlflow.register_model(f"runs:/{run_id}/model", "digits", tags={"stage": 1})
    assert (version.name, version.version, version.run_id) == ("digits", "1", run_id)
    assert (version.source, version.status) == (f"runs:/{run_id}/model", "READY")
    assert (version.current_stage, version.tags, version.aliases) == ("None", {"stage": "1"}, [])
    assert version.user_id == user_name()
    assert version.creation_timestamp == version.last_updated_timestamp > 0
    again = mlflow.register_model(f"runs:/{run_id}/model/", "digits", 0)
    assert (again.version, again.source) == ("2", version.source)
    assert mlflow.get_model_version("digits", "1") == version == mlflow.get_model_version("digits", 1)


def test_file_and_whole_run_can_be_registered(run_id: str) -> None:
    assert mlflow.register_model(f"runs:/{run_id}/model/model.pkl", "a file").source.endswith("/model.pkl")
    assert mlflow.register_model(mlflow.get_run(run_id).info.artifact_uri + "/model", "own").run_id == run_id


def test_version_of_another_model_is_registered_with_its_source(run_id: str) -> None:
    first = mlflow.register_model(f"runs:/{run_id}/model", "from")
    mlflow.set_registered_model_alias("from", "best", first.version)
    copied = mlflow.register_model("models:/from@best", "to")
    assert (copied.name, copied.source, copied.run_id) == ("to", first.source, run_id)
    part = mlflow.register_model("models:/from/1/model.pkl", "to")
    assert (part.version, part.source) == ("2", f"{first.source}/model.pkl")


def test_what_is_not_there_is_not_registered(client: Client, run_id: str) -> None:
    with pytest.raises(NotFoundError, match="has no artifact 'models'"):
        mlflow.register_model(f"runs:/{run_id}/models", "never made")
    with pytest.raises(NotFoundError, match="nowhere"):
        mlflow.register_model("runs:/nowhere/model", "never made")
    with pytest.raises(NotFoundError):
        mlflow.register_model("models:/nowhere/1", "never made")
    with pytest.raises(InvalidArgumentError, match="artifact_uri"):
        mlflow.register_model("s3://bucket/model", "never made")
    with pytest.raises(NotFoundError):
        client.get_registered_model("never made")


def test_artifacts_of_a_bucket_are_registered_unseen(client: Client) -> None:
    elsewhere = client.create_experiment("bucket", artifact_location="s3://bucket/folder").experiment_id
    run = client.create_run(elsewhere)
    assert mlflow.register_model(f"runs:/{run.run_id}/model", "of a bucket").run_id == run.run_id


def test_registry_is_searched(run_id: str) -> None:
    for name in ("search-b", "search-a", "search-a"):
        mlflow.register_model(f"runs:/{run_id}/model", name)
    mlflow.set_registered_model_alias("search-a", "champion", "2")
    mlflow.set_model_version_tag("search-a", "2", "checked", True)
    models = mlflow.search_registered_models(filter_string="name LIKE 'search-%'")
    assert [model.name for model in models] == ["search-a", "search-b"]
    assert models[0].aliases == {"champion": "2"}
    assert [version.version for version in models[0].latest_versions] == ["2"]
    assert len(mlflow.search_registered_models(max_results=1)) == 1
    found = mlflow.search_model_versions(
        filter_string=f"name = 'search-a' AND run_id = '{run_id}'", order_by=["version_number DESC"]
    )
    assert [(version.version, version.aliases, version.tags) for version in found] == [
        ("2", ["champion"], {"checked": "True"}),
        ("1", [], {}),
    ]
    assert mlflow.get_model_version_by_alias("search-a", "champion").version == "2"
    mlflow.delete_registered_model_alias("search-a", "champion")
    with pytest.raises(NotFoundError, match="champion"):
        mlflow.get_model_version_by_alias("search-a", "champion")


def test_version_that_is_no_number_is_refused() -> None:
    for call in (
        lambda: mlflow.get_model_version("digits", "latest"),
        lambda: mlflow.set_registered_model_alias("digits", "a", "one"),
        lambda: mlflow.set_model_version_tag("digits", "", "k", "v"),
    ):
        with pytest.raises(InvalidArgumentError, match=r"version: '.*': must be a number"):
            call()

"""MLflow's examples of the model registry by `MlflowClient`."""

from itertools import count

import pytest

import trackwire as mlflow
from trackwire import MlflowClient

pytestmark = pytest.mark.usefixtures("online")

_numbers = count()


@pytest.fixture
def client() -> MlflowClient:
    return MlflowClient()


@pytest.fixture
def name() -> str:
    return f"RandomForestRegression-{next(_numbers)}"


def logged_model() -> str:
    """A run with what a model's files could be."""
    with mlflow.start_run() as run:
        mlflow.log_params({"n_estimators": 3, "random_state": 42})
        mlflow.log_text("weights", "sklearn-model/model.txt")
    return run.info.run_id


def test_registered_model_lives(client: MlflowClient, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    def print_registered_model_info(rm: mlflow.entities.RegisteredModel) -> None:
        print(f"tags: {rm.tags}")
        print(f"description: {rm.description}")

    client.create_registered_model(name, {"nlp.framework1": "Spark NLP"}, "This model classifies.")
    print_registered_model_info(client.get_registered_model(name))
    client.set_registered_model_tag(name, "nlp.framework2", "VADER")
    client.delete_registered_model_tag(name, "nlp.framework1")
    client.update_registered_model(name, "It classifies tone.")
    print_registered_model_info(client.rename_registered_model(name, f"{name}-renamed"))
    assert capsys.readouterr().out == (
        "tags: {'nlp.framework1': 'Spark NLP'}\n"
        "description: This model classifies.\n"
        "tags: {'nlp.framework2': 'VADER'}\n"
        "description: It classifies tone.\n"
    )
    found = client.search_registered_models(filter_string=f"name LIKE '{name}%'")
    assert [each.name for each in found] == [f"{name}-renamed"]
    client.delete_registered_model(f"{name}-renamed")
    assert client.search_registered_models(filter_string=f"name LIKE '{name}%'") == []
    with pytest.raises(mlflow.MlflowException, match="description: is required"):
        client.update_registered_model(name)


def test_versions_are_made_found_and_deleted(client: MlflowClient, name: str) -> None:
    client.create_registered_model(name)
    run_ids = [logged_model(), logged_model()]
    for number, run_id in enumerate(run_ids, start=1):
        mv = client.create_model_version(name, f"runs:/{run_id}/sklearn-model", run_id, description=f"try {number}")
        assert (mv.name, mv.version, mv.status, mv.current_stage) == (name, str(number), "READY", "None")
        assert (mv.run_id, mv.description) == (run_id, f"try {number}")
    assert client.get_model_version_download_uri(name, mv.version) == f"runs:/{run_ids[1]}/sklearn-model"
    assert client.get_model_version_stages(name, mv.version) == ["None", "Staging", "Production", "Archived"]
    assert client.update_model_version(name, mv.version, "better").description == "better"
    results = client.search_model_versions(f"name='{name}'", order_by=["version_number"], max_results=1)
    rest = client.search_model_versions(
        f"name='{name}'", order_by=["version_number"], max_results=1, page_token=results.token
    )
    assert [res.version for res in (*results, *rest)] == ["1", "2"]
    assert [res.version for res in client.search_model_versions(f"run_id='{run_ids[0]}'")] == ["1"]
    assert [m.version for m in client.get_latest_versions(name, stages=["None"])] == ["2"]
    client.delete_model_version(name, mv.version)
    assert [m.version for m in client.get_latest_versions(name, stages=["None"])] == ["1"]


def test_stages_aliases_and_tags(client: MlflowClient, name: str) -> None:
    client.create_registered_model(name)
    run_id = logged_model()
    for _ in range(2):
        mv = client.create_model_version(name, f"runs:/{run_id}/sklearn-model", run_id, tags={"t": "1", "t1": 2})
    assert mv.tags == {"t": "1", "t1": "2"}
    assert client.transition_model_version_stage(name, "1", "staging").current_stage == "Staging"
    client.transition_model_version_stage(name, mv.version, "Staging", archive_existing_versions=True)
    assert client.get_model_version(name, "1").current_stage == "Archived"

    client.set_model_version_tag(name, mv.version, "u", 3)
    client.set_model_version_tag(name, key="v", value="4", stage="Staging")
    client.delete_model_version_tag(name, mv.version, "t")
    client.delete_model_version_tag(name, key="t1", stage="Staging")
    assert client.get_model_version(name, mv.version).tags == {"u": "3", "v": "4"}
    with pytest.raises(mlflow.MlflowException, match="version, stage: give exactly one"):
        client.set_model_version_tag(name, key="v", value="4")
    with pytest.raises(mlflow.MlflowException, match="in the stage 'Production'"):
        client.delete_model_version_tag(name, key="v", stage="Production")

    client.set_registered_model_alias(name, "champion", mv.version)
    assert client.get_model_version_by_alias(name, "champion").version == mv.version
    assert client.get_registered_model(name).aliases == {"champion": mv.version}
    client.delete_registered_model_alias(name, "champion")
    with pytest.raises(mlflow.MlflowException) as missing:
        client.get_model_version_by_alias(name, "champion")
    assert missing.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_version_is_copied_to_another_model(client: MlflowClient, name: str) -> None:
    mv_src = mlflow.register_model(f"runs:/{logged_model()}/sklearn-model", name, tags={"t": "1"})
    mv_copy = client.copy_model_version(f"models:/{name}/{mv_src.version}", f"{name}-production")
    assert (mv_copy.name, mv_copy.version, mv_copy.tags) == (f"{name}-production", "1", {"t": "1"})
    assert (mv_copy.source, mv_copy.run_id) == (mv_src.source, mv_src.run_id)
    text = mlflow.artifacts.load_text(f"models:/{name}-production/1/model.txt")
    assert text == "weights"

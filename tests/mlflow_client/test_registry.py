"""The model registry."""

from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from tests.conftest import ServerProcess

from trackwire.client import Client


@pytest.fixture(params=["grpc", "http"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


@pytest.fixture
def with_files(client: MlflowClient, run_id: str) -> str:
    """A run with the files of a model below `model`."""
    client.log_text(run_id, "flavors: {}", "model/MLmodel")
    client.log_text(run_id, "weights", "model/weights.txt")
    return run_id


def versions_of(client: MlflowClient, filter_string: str) -> list[tuple[str, str]]:
    return [(found.name, found.version) for found in client.search_model_versions(filter_string)]


def test_model_goes_through_its_life(client: MlflowClient, with_files: str, model_name: str, tmp_path: Path) -> None:
    first = mlflow.register_model(f"runs:/{with_files}/model", model_name, tags={"n": "1"})
    second = mlflow.register_model(f"runs:/{with_files}/model", model_name)
    assert (first.version, second.version) == ("1", "2")
    assert (first.run_id, first.tags, first.status, first.current_stage) == (with_files, {"n": "1"}, "READY", "None")
    artifact_uri = client.get_run(with_files).info.artifact_uri
    assert client.get_model_version_download_uri(model_name, "2") == f"{artifact_uri}/model"
    there = mlflow.artifacts.download_artifacts(f"models:/{model_name}/2", dst_path=str(tmp_path))
    assert Path(there, "weights.txt").read_text() == "weights"

    client.update_model_version(model_name, "1", "the first")
    client.set_model_version_tag(model_name, "1", "checked", "yes")
    client.delete_model_version_tag(model_name, "1", "n")
    found = client.get_model_version(model_name, "1")
    assert (found.description, found.tags) == ("the first", {"checked": "yes"})

    client.delete_model_version(model_name, "1")
    assert versions_of(client, f"name = '{model_name}'") == [(model_name, "2")]
    client.delete_registered_model(model_name)
    assert versions_of(client, f"name = '{model_name}'") == []


def test_registered_model_is_changed_and_renamed(client: MlflowClient, with_files: str, model_name: str) -> None:
    client.create_registered_model(model_name, tags={"team": "red"}, description="of digits")
    mlflow.register_model(f"runs:/{with_files}/model", model_name)
    client.set_registered_model_alias(model_name, "best", "1")
    client.set_registered_model_tag(model_name, "owner", "ann")
    client.delete_registered_model_tag(model_name, "team")
    client.update_registered_model(model_name, "of letters")
    client.rename_registered_model(model_name, f"{model_name}-2")
    found = client.get_registered_model(f"{model_name}-2")
    assert (found.description, found.tags, found.aliases) == ("of letters", {"owner": "ann"}, {"best": "1"})
    assert [version.name for version in found.latest_versions] == [f"{model_name}-2"]
    with pytest.raises(MlflowException) as told:
        client.get_registered_model(model_name)
    assert told.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_aliases(client: MlflowClient, with_files: str, model_name: str) -> None:
    for _ in range(3):
        mlflow.register_model(f"runs:/{with_files}/model", model_name)
    client.set_registered_model_alias(model_name, "best", 2)
    assert client.get_model_version_by_alias(model_name, "best").version == "2"
    assert client.get_model_version(model_name, "2").aliases == ["best"]
    assert mlflow.artifacts.load_text(f"models:/{model_name}@best/weights.txt") == "weights"
    client.delete_registered_model_alias(model_name, "best")
    with pytest.raises(MlflowException) as told:
        client.get_model_version_by_alias(model_name, "best")
    assert told.value.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_stages(client: MlflowClient, with_files: str, model_name: str) -> None:
    for _ in range(3):
        mlflow.register_model(f"runs:/{with_files}/model", model_name)
    client.transition_model_version_stage(model_name, "1", "Production")
    moved = client.transition_model_version_stage(model_name, "2", "production", archive_existing_versions=True)
    assert moved.current_stage == "Production"
    latest = {found.current_stage: found.version for found in client.get_latest_versions(model_name)}
    assert latest == {"None": "3", "Production": "2", "Archived": "1"}
    assert [found.version for found in client.get_latest_versions(model_name, ["Production"])] == ["2"]
    assert mlflow.artifacts.load_text(f"models:/{model_name}/Production/weights.txt") == "weights"
    with pytest.raises(MlflowException) as told:
        client.transition_model_version_stage(model_name, "1", "Nowhere")
    assert told.value.error_code == "INVALID_PARAMETER_VALUE"


def test_copy_has_the_files_of_its_origin(client: MlflowClient, with_files: str, model_name: str) -> None:
    mlflow.register_model(f"runs:/{with_files}/model", model_name, tags={"n": "1"})
    copy = client.copy_model_version(f"models:/{model_name}/1", f"{model_name}-copy")
    again = client.copy_model_version(f"models:/{model_name}-copy/1", f"{model_name}-copy")
    assert (copy.version, again.version, again.tags, again.run_id) == ("1", "2", {"n": "1"}, with_files)
    origin = client.get_model_version_download_uri(model_name, "1")
    assert client.get_model_version_download_uri(f"{model_name}-copy", "2") == origin
    assert mlflow.artifacts.load_text(f"models:/{model_name}-copy/2/weights.txt") == "weights"


def test_version_that_trackwire_registered_is_found(
    live: ServerProcess, client: MlflowClient, with_files: str, model_name: str
) -> None:
    with Client(live.address) as own:
        own.create_registered_model(model_name)
        own.create_model_version(model_name, f"runs:/{with_files}/model")
    assert mlflow.artifacts.load_text(f"models:/{model_name}/1/weights.txt") == "weights"


def test_searches_find_pages_and_leave_prompts_out(client: MlflowClient, with_files: str, model_name: str) -> None:
    for number in range(3):
        client.create_registered_model(f"{model_name}-{number}", tags={"even": str(number % 2 == 0)})
        mlflow.register_model(f"runs:/{with_files}/model", f"{model_name}-{number}", tags={"number": str(number)})
    mlflow.genai.register_prompt(f"{model_name}-prompt", "Say {{word}}")
    like = f"name LIKE '{model_name}-%'"
    page = client.search_registered_models(like, max_results=2, order_by=["name DESC"])
    rest = client.search_registered_models(like, max_results=2, order_by=["name DESC"], page_token=page.token)
    assert [found.name[-1] for found in [*page, *rest]] == ["2", "1", "0"]
    assert not rest.token
    assert len(client.search_registered_models(f"{like} AND tags.even = 'True'")) == 2
    assert len(client.search_registered_models()) >= 3
    assert len(versions_of(client, like)) == 3
    assert versions_of(client, f"run_id = '{with_files}' AND tags.number = '1'") == [(f"{model_name}-1", "1")]
    assert versions_of(client, f"name IN ('{model_name}-0', '{model_name}-2') AND version_number > 1") == []


def test_prompts(client: MlflowClient, model_name: str) -> None:
    mlflow.genai.register_prompt(model_name, "Say {{word}}", commit_message="first", tags={"team": "red"})
    mlflow.genai.register_prompt(model_name, "Shout {{word}}")
    mlflow.genai.set_prompt_alias(model_name, "loud", 2)
    assert mlflow.genai.load_prompt(f"prompts:/{model_name}/1").format(word="yes") == "Say yes"
    assert mlflow.genai.load_prompt(f"prompts:/{model_name}@loud").template == "Shout {{word}}"
    assert mlflow.genai.load_prompt(f"prompts:/{model_name}/9", allow_missing=True) is None
    assert [prompt.name for prompt in mlflow.genai.search_prompts(f"name = '{model_name}'")] == [model_name]


def test_name_is_taken_once(client: MlflowClient, model_name: str) -> None:
    client.create_registered_model(model_name)
    with pytest.raises(MlflowException) as told:
        client.create_registered_model(model_name)
    assert told.value.error_code == "RESOURCE_ALREADY_EXISTS"


def test_version_must_be_a_number(client: MlflowClient, model_name: str) -> None:
    with pytest.raises(MlflowException, match=r"version.*must be an? (number|integer)") as told:
        client.get_model_version(model_name, "one")
    assert told.value.error_code == "INVALID_PARAMETER_VALUE"

"""The model registry by MLflow's own client over http://."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

# It would tell its makers of every call.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from tests.mlflow_api.conftest import Rest

IS_PROMPT = "tag.`mlflow.prompt.is_prompt`"


@pytest.fixture
def client(rest: Rest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MlflowClient]:
    """MLflow's client; nothing of what it chooses outlives the test."""
    for name in ("TRACKING_URI", "REGISTRY_URI", "RUN_ID", "EXPERIMENT_NAME", "EXPERIMENT_ID", "ACTIVE_MODEL_ID"):
        monkeypatch.setenv(f"MLFLOW_{name}", "")
        monkeypatch.delenv(f"MLFLOW_{name}")
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(rest.url)
    yield MlflowClient()
    mlflow.set_tracking_uri("")
    os.environ.pop("MLFLOW_TRACKING_URI", None)


@pytest.fixture
def name() -> str:
    """A name that no model has."""
    return f"model-{uuid.uuid4().hex}"


@pytest.fixture
def three(client: MlflowClient, name: str) -> str:
    """A registered model with three versions, each of a run of its own."""
    client.create_registered_model(name)
    for number in range(3):
        run_id = client.create_run("0").info.run_id
        tags = {"number": str(number), "even": str(number % 2 == 0)}
        client.create_model_version(name, f"runs:/{run_id}/model", run_id, tags)
    return name


def error_code(told: pytest.ExceptionInfo[MlflowException]) -> str:
    return str(told.value.error_code)


def test_model_is_registered_described_and_renamed(client: MlflowClient, name: str) -> None:
    run = client.create_run("0")
    source = f"{run.info.artifact_uri}/model"
    version = mlflow.register_model(source, name, tags={"n": "1"})
    assert (version.version, version.source, version.tags) == ("1", source, {"n": "1"})
    assert (version.status, version.current_stage, version.aliases) == ("READY", "None", [])
    assert client.get_model_version_download_uri(name, "1") == source

    client.update_registered_model(name, "of digits")
    client.set_registered_model_tag(name, "team", "vision")
    client.set_registered_model_tag(name, "empty", "")
    client.set_registered_model_alias(name, "best", "1")
    client.update_model_version(name, "1", "the first")
    client.rename_registered_model(name, f"{name} 2")
    found = client.get_registered_model(f"{name} 2")
    assert (found.description, found.tags, found.aliases) == (
        "of digits",
        {"team": "vision", "empty": ""},
        {"best": "1"},
    )
    (latest,) = found.latest_versions
    assert (latest.name, latest.description, latest.aliases) == (f"{name} 2", "the first", ["best"])
    client.delete_registered_model_tag(f"{name} 2", "empty")
    assert client.get_registered_model(f"{name} 2").tags == {"team": "vision"}
    with pytest.raises(MlflowException, match=f"Registered Model with name={name} not found") as told:
        client.get_registered_model(name)
    assert error_code(told) == "RESOURCE_DOES_NOT_EXIST"
    with pytest.raises(MlflowException, match="already exists") as told:
        client.create_registered_model(f"{name} 2")
    assert error_code(told) == "RESOURCE_ALREADY_EXISTS"


def test_version_of_a_runs_source_comes_from_that_run(client: MlflowClient, name: str) -> None:
    client.create_registered_model(name)
    run_id = client.create_run("0").info.run_id
    assert client.create_model_version(name, f"runs:/{run_id}/model").run_id == run_id


def test_aliases(client: MlflowClient, three: str) -> None:
    client.set_registered_model_alias(three, "champion", "2")
    client.set_registered_model_alias(three, "champion", "3")
    client.set_registered_model_alias(three, "other", "3")
    found = client.get_model_version_by_alias(three, "champion")
    assert (found.version, sorted(found.aliases)) == ("3", ["champion", "other"])
    assert client.get_registered_model(three).aliases == {"champion": "3", "other": "3"}
    client.delete_registered_model_alias(three, "champion")
    client.delete_registered_model_alias(three, "champion")
    with pytest.raises(MlflowException, match="Registered model alias champion not found") as told:
        client.get_model_version_by_alias(three, "champion")
    assert error_code(told) == "INVALID_PARAMETER_VALUE"
    assert client.get_model_version_by_alias(three, "latest").version == "3"
    client.delete_model_version(three, "3")
    assert client.get_registered_model(three).aliases == {}


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_stages(client: MlflowClient, three: str) -> None:
    assert client.get_model_version_stages(three, "1") == ["None", "Staging", "Production", "Archived"]
    client.transition_model_version_stage(three, "1", "production")
    moved = client.transition_model_version_stage(three, "2", "Production", archive_existing_versions=True)
    assert moved.current_stage == "Production"
    latest = {found.current_stage: found.version for found in client.get_latest_versions(three)}
    assert latest == {"None": "3", "Production": "2", "Archived": "1"}
    assert [found.version for found in client.get_latest_versions(three, ["production"])] == ["2"]
    with pytest.raises(MlflowException) as told:
        client.transition_model_version_stage(three, "1", "Nowhere")
    assert error_code(told) == "INVALID_PARAMETER_VALUE"


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_tags_of_versions(client: MlflowClient, three: str) -> None:
    client.set_model_version_tag(three, "1", "checked", "yes")
    client.transition_model_version_stage(three, "2", "Staging")
    client.set_model_version_tag(three, stage="Staging", key="staged", value="")
    client.delete_model_version_tag(three, "1", "number")
    assert client.get_model_version(three, "1").tags == {"checked": "yes", "even": "True"}
    assert client.get_model_version(three, "2").tags == {"number": "1", "even": "False", "staged": ""}


@pytest.mark.parametrize(
    ("filter_string", "found"),
    [
        ("", ["a 0", "a 1", "B 2"]),
        ("name = '{0}a 1'", ["a 1"]),
        ("name != '{0}a 1'", ["a 0", "B 2"]),
        ("name LIKE '{0}a%'", ["a 0", "a 1"]),
        ("name LIKE '{0}b%'", []),
        ("name ILIKE '{0}b%'", ["B 2"]),
        ("name IN ('{0}a 1', '{0}B 2', 'x')", ["a 1", "B 2"]),
        ("name NOT IN ('{0}a 1')", ["a 0", "B 2"]),
        ("tags.even = 'True'", ["a 0", "B 2"]),
        ("tag.even != 'True'", ["a 1"]),
        ("tags.even LIKE 'T%'", ["a 0", "B 2"]),
        ("tags.even ILIKE 'f%'", ["a 1"]),
        ("tags.even = 'True' AND name ILIKE '%B 2'", ["B 2"]),
    ],
)
def test_models_are_found_by_every_operator(
    client: MlflowClient, name: str, filter_string: str, found: list[str]
) -> None:
    for number, ending in enumerate(("a 0", "a 1", "B 2")):
        client.create_registered_model(f"{name}{ending}", tags={"even": str(number % 2 == 0)})
    mine = " AND ".join(part for part in (filter_string.format(name), f"name LIKE '{name}%'") if part)
    pages = [client.search_registered_models(mine, max_results=1, order_by=["last_updated_timestamp ASC"])]
    while pages[-1].token:
        token = pages[-1].token
        pages.append(
            client.search_registered_models(
                mine, max_results=1, order_by=["last_updated_timestamp ASC"], page_token=token
            )
        )
    assert sorted(model.name.removeprefix(name) for page in pages for model in page) == sorted(found)
    descending = client.search_registered_models(f"name LIKE '{name}%'", order_by=["name DESC"])
    assert [model.name.removeprefix(name) for model in descending] == ["a 1", "a 0", "B 2"]


@pytest.mark.parametrize(
    ("filter_string", "found"),
    [
        ("", ["3", "2", "1"]),
        ("name = '{0}' AND version_number = 2", ["2"]),
        ("version_number != 2", ["3", "1"]),
        ("version_number > 1", ["3", "2"]),
        ("version_number >= 2", ["3", "2"]),
        ("version_number < 2", ["1"]),
        ("version_number <= 2", ["2", "1"]),
        ("run_id = '{1}'", ["2"]),
        ("run_id != '{1}'", ["3", "1"]),
        ("run_id IN ('{1}', 'x')", ["2"]),
        ("run_id NOT IN ('{1}')", ["3", "1"]),
        ("source_path = 'runs:/{1}/model'", ["2"]),
        ("source_path LIKE '%/{1}/%'", ["2"]),
        ("source_path ILIKE 'RUNS:%'", ["3", "2", "1"]),
        ("tags.number = '0'", ["1"]),
        ("tags.number != '0'", ["3", "2"]),
        ("tags.even LIKE 'F%'", ["2"]),
        ("tag.even ILIKE 't%' AND tags.number = '2'", ["3"]),
    ],
)
def test_versions_are_found_by_every_operator(
    client: MlflowClient, three: str, filter_string: str, found: list[str]
) -> None:
    run_id = client.get_model_version(three, "2").run_id
    mine = " AND ".join(part for part in (filter_string.format(three, run_id), f"name = '{three}'") if part)
    order_by = ["version_number DESC"]
    first = client.search_model_versions(mine, max_results=2, order_by=order_by)
    rest = client.search_model_versions(mine, max_results=2, order_by=order_by, page_token=first.token)
    both = [*first, *rest] if first.token else first
    assert [version.version for version in both] == found


def test_malformed_filter_is_refused(client: MlflowClient) -> None:
    for search in (client.search_registered_models, client.search_model_versions):
        with pytest.raises(MlflowException, match="filter") as told:
            search("name = ")
        assert error_code(told) == "INVALID_PARAMETER_VALUE"


def test_copy_has_the_files_of_its_origin(client: MlflowClient, three: str) -> None:
    client.set_registered_model_alias(three, "champion", "2")
    origin = client.get_model_version(three, "2")
    copy = client.copy_model_version(f"models:/{three}@champion", f"{three} copy")
    again = client.copy_model_version(f"models:/{three} copy/1", f"{three} copy")
    assert (copy.version, copy.source, copy.run_id, copy.tags) == (
        "1",
        f"models:/{three}/2",
        origin.run_id,
        origin.tags,
    )
    assert again.version == "2"
    client.delete_registered_model(three)
    for version in ("1", "2"):
        assert client.get_model_version_download_uri(f"{three} copy", version) == origin.source


def test_deleted_is_gone(client: MlflowClient, three: str) -> None:
    client.delete_model_version(three, "3")
    with pytest.raises(MlflowException, match=rf"Model Version \(name={three}, version=3\) not found") as told:
        client.get_model_version(three, "3")
    assert error_code(told) == "RESOURCE_DOES_NOT_EXIST"
    assert client.create_model_version(three, "s3://bucket/model").version == "4"
    client.delete_registered_model(three)
    assert client.search_model_versions(f"name = '{three}'") == []
    with pytest.raises(MlflowException):
        client.delete_registered_model(three)


def test_version_must_be_a_number(client: MlflowClient, three: str) -> None:
    with pytest.raises(MlflowException, match="Parameter 'version' must be an integer, got 'one'") as told:
        client.get_model_version(three, "one")
    assert error_code(told) == "INVALID_PARAMETER_VALUE"


def test_prompts_are_no_models(client: MlflowClient, name: str) -> None:
    client.create_registered_model(f"{name} model")
    mlflow.genai.register_prompt(name, "Say {{word}}", commit_message="first", tags={"team": "red"})
    mlflow.genai.register_prompt(name, "Shout {{word}}")
    mlflow.genai.set_prompt_alias(name, "loud", 2)
    assert mlflow.genai.load_prompt(f"prompts:/{name}/1").format(word="yes") == "Say yes"
    assert mlflow.genai.load_prompt(f"prompts:/{name}@loud").template == "Shout {{word}}"
    assert mlflow.genai.load_prompt(f"prompts:/{name}/9", allow_missing=True) is None
    assert [prompt.name for prompt in mlflow.genai.search_prompts(f"name = '{name}'")] == [name]
    found = client.search_registered_models(f"name LIKE '{name}%'")
    assert [model.name for model in found] == [f"{name} model"]
    assert client.search_model_versions(f"name LIKE '{name}%'") == []
    asked = client.search_model_versions(f"name LIKE '{name}%' AND {IS_PROMPT} = 'true'")
    assert {version.version for version in asked} == {"1", "2"}

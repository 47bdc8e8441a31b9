"""Experiments under MLflow's names."""

import pytest

import trackwire as mlflow
from trackwire.client import Client
from trackwire.errors import AlreadyExistsError, FailedPreconditionError, InvalidArgumentError, NotFoundError

pytestmark = pytest.mark.usefixtures("online")


def test_experiment_lives_as_mlflows_does() -> None:
    made = mlflow.create_experiment("life", tags={"team": "red", "year": 2})
    assert isinstance(made, str)
    found = mlflow.get_experiment(made)
    assert (found.experiment_id, found.name, found.lifecycle_stage) == (made, "life", "active")
    assert found.tags == {"team": "red", "year": "2"}
    assert found.artifact_location.endswith(made)
    assert found.creation_time == found.last_update_time > 0
    assert mlflow.get_experiment_by_name("life") == found == mlflow.get_experiment(int(made))
    assert mlflow.get_experiment_by_name("nobody's") is None
    with pytest.raises(AlreadyExistsError, match="life"):
        mlflow.create_experiment("life")
    with pytest.raises(NotFoundError, match="987654"):
        mlflow.get_experiment("987654")
    mlflow.delete_experiment(made)
    assert mlflow.get_experiment_by_name("life").lifecycle_stage == "deleted"
    with pytest.raises(NotFoundError):
        mlflow.delete_experiment(made)


def test_artifact_location_is_passed_on() -> None:
    made = mlflow.create_experiment("elsewhere", "s3://bucket/folder")
    assert mlflow.get_experiment(made).artifact_location == "s3://bucket/folder"


def test_experiments_are_searched() -> None:
    ids = [mlflow.create_experiment(f"search-{number}", tags={"n": str(number)}) for number in range(3)]
    mlflow.delete_experiment(ids[2])

    def names(**arguments: object) -> list[str]:
        return [each.name for each in mlflow.search_experiments(**arguments)]

    ours = "name LIKE 'search-%'"
    assert names(filter_string=ours) == ["search-1", "search-0"]
    assert names(filter_string=ours, view_type=mlflow.ViewType.ALL, order_by=["name"]) == [
        "search-0",
        "search-1",
        "search-2",
    ]
    assert names(filter_string=ours, view_type=mlflow.ViewType.DELETED_ONLY) == ["search-2"]
    assert names(filter_string=ours, max_results=1) == ["search-1"]
    assert "Default" in names()
    with pytest.raises(InvalidArgumentError, match="max_results"):
        names(max_results=-1)


def test_tags_go_to_the_chosen_experiment(client: Client, experiment_id: str) -> None:
    mlflow.set_experiment_tag("release.version", 2)
    mlflow.set_experiment_tags({"a": 1.5, "b": None})
    mlflow.set_experiment_tags({})
    tags = dict(client.get_experiment(experiment_id).tags)
    assert tags == {"release.version": "2", "a": "1.5", "b": "None"}


def test_tags_go_to_the_default_experiment_without_a_choice(client: Client) -> None:
    mlflow.set_experiment_tag("whose", "default's")
    assert client.get_experiment("0").tags["whose"] == "default's"


def test_tagging_makes_the_experiment_that_was_set(client: Client) -> None:
    mlflow.set_experiment("set and tagged")
    mlflow.set_experiment_tag("k", "v")
    assert client.get_experiment_by_name("set and tagged").tags["k"] == "v"
    mlflow.set_experiment(experiment_id=client.create_experiment("by id").experiment_id)
    mlflow.set_experiment_tag("k", "w")
    assert client.get_experiment_by_name("by id").tags["k"] == "w"


def test_experiment_that_was_set_is_there_for_whoever_asks() -> None:
    mlflow.set_experiment("set and asked for")
    assert mlflow.get_experiment_by_name("set and asked for").lifecycle_stage == "active"


def test_deleted_experiment_takes_no_tags(client: Client, experiment_id: str) -> None:
    client.delete_experiment(experiment_id)
    with pytest.raises(FailedPreconditionError, match="deleted"):
        mlflow.set_experiment_tag("k", "v")

"""MLflow's filters, orders and pages."""

from collections.abc import Callable

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Param, ViewType


@pytest.fixture(params=["grpc", "http"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


Search = Callable[..., list[str]]


@pytest.fixture(scope="module")
def names() -> tuple[str, ...]:
    return ("ada", "bob", "cid")


@pytest.fixture
def search(client: MlflowClient, experiment_id: str, names: tuple[str, ...]) -> Search:
    """`search(filter)` gives the names of runs that match, of three: ada, bob and cid."""
    for number, name in enumerate(names):
        with mlflow.start_run(run_name=name):
            mlflow.log_metric("loss", number / 2)
            mlflow.log_metric("a b", number)
            mlflow.log_param("lr", f"0.{number}")
            mlflow.set_tags({"team": name.upper(), "mlflow.note.content": f"of {name}"})
            if number:
                mlflow.log_param("late", "yes")
                mlflow.set_tag("late", "yes")

    def found(filter_string: str = "", order_by: list[str] | None = None) -> list[str]:
        runs = client.search_runs([experiment_id], filter_string, order_by=order_by or ["attributes.run_name ASC"])
        return [run.info.run_name for run in runs]

    return found


FILTERS = [
    ("", "ada bob cid"),
    ("metrics.loss > 0.5", "cid"),
    ("metrics.loss >= 0.5", "bob cid"),
    ("metrics.loss = 0.5", "bob"),
    ("metrics.loss != 0.5", "ada cid"),
    ("metrics.loss < 0.5", "ada"),
    ("metric.loss <= 0.5", "ada bob"),
    ("metrics.`a b` = 2", "cid"),
    ('metrics."a b" = 2', "cid"),
    ("params.lr = '0.1'", "bob"),
    ("params.lr != '0.1'", "ada cid"),
    ("parameters.lr LIKE '0.%'", "ada bob cid"),
    ("param.late ILIKE 'YES'", "bob cid"),
    ("params.late IS NULL", "ada"),
    ("params.late IS NOT NULL", "bob cid"),
    ("tags.team = 'ADA'", "ada"),
    ("tag.team != 'ADA'", "bob cid"),
    ("tags.late != 'no'", "bob cid"),
    ("tags.late != 'yes'", ""),
    ("tags.missing != 'x'", ""),
    ("tag.`not there` != 'x' AND metrics.loss > 0", ""),
    ("tags.`mlflow.prompt.is_prompt` != 'true'", "ada bob cid"),
    ("tags.team LIKE 'b%'", ""),
    ("tags.team ILIKE 'b%'", "bob"),
    ("tags.`mlflow.note.content` = 'of cid'", "cid"),
    ("tags.missing IS NULL", "ada bob cid"),
    ("attributes.status = 'FINISHED'", "ada bob cid"),
    ("run_name LIKE '%d%'", "ada cid"),
    ("run_name = 'bob' and metrics.loss > 0", "bob"),
    ("attributes.start_time > 0 AND end_time > 0", "ada bob cid"),
    ("user_id != 'nobody at all'", "ada bob cid"),
    ("artifact_uri LIKE '%-artifacts:%'", "ada bob cid"),
]


def test_filters_find_what_they_say(search: Search) -> None:
    assert {text: " ".join(search(text)) for text, _ in FILTERS} == dict(FILTERS)


def test_filters_beyond_mlflows_language_ask_for_the_tag_too(search: Search) -> None:
    assert search("tags.late != 'no' OR run_name = 'nobody'") == ["bob", "cid"]
    assert search("(tags.late != 'no')") == ["bob", "cid"]
    assert search("tags.late NOT IN ('no')") == ["bob", "cid"]
    assert search("NOT tags.late = 'yes'") == ["ada"]


def test_run_ids_are_listed(client: MlflowClient, search: Search, experiment_id: str) -> None:
    ids = {run.info.run_name: run.info.run_id for run in client.search_runs([experiment_id])}
    assert search(f"attributes.run_id IN ('{ids['ada']}', '{ids['cid']}')") == ["ada", "cid"]
    assert search(f"run_id NOT IN ('{ids['ada']}')") == ["bob", "cid"]


def test_orders(search: Search) -> None:
    assert search(order_by=["metrics.loss DESC"]) == ["cid", "bob", "ada"]
    assert search(order_by=["params.late ASC", "tags.team DESC"]) == ["cid", "bob", "ada"]
    assert search(order_by=["attribute.start_time"]) == ["ada", "bob", "cid"]


def test_pages_of_runs_join_without_gaps(client: MlflowClient, experiment_id: str) -> None:
    made = [client.create_run(experiment_id).info.run_id for _ in range(7)]
    page = client.search_runs([experiment_id], max_results=3)
    found = [run.info.run_id for run in page]
    while page.token is not None:
        page = client.search_runs([experiment_id], max_results=2, page_token=page.token)
        found += [run.info.run_id for run in page]
    assert sorted(found) == sorted(made)
    assert len(mlflow.search_runs([experiment_id], max_results=5)) == 5


def test_no_experiment_has_no_runs(client: MlflowClient) -> None:
    assert list(client.search_runs([])) == []


def test_experiments_are_searched(client: MlflowClient, model_name: str) -> None:
    for number in range(5):
        client.create_experiment(f"{model_name}-{number}", tags={"even": str(number % 2 == 0)})
    like = f"name LIKE '{model_name}-%'"
    page = client.search_experiments(filter_string=like, order_by=["name DESC"], max_results=3)
    assert [found.name[-1] for found in page] == ["4", "3", "2"]
    rest = client.search_experiments(filter_string=like, order_by=["name DESC"], max_results=3, page_token=page.token)
    assert ([found.name[-1] for found in rest], rest.token) == (["1", "0"], None)
    even = client.search_experiments(filter_string=f"{like} AND tags.even = 'True'", order_by=["name"])
    assert [found.name[-1] for found in even] == ["0", "2", "4"]
    client.set_experiment_tag(even[0].experiment_id, "team", "red")
    not_blue = client.search_experiments(filter_string=f"{like} AND tags.team != 'blue'")
    assert [found.name[-1] for found in not_blue] == ["0"]
    client.delete_experiment(even[0].experiment_id)
    views = (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL)
    assert [len(client.search_experiments(view, filter_string=like)) for view in views] == [4, 1, 5]


def test_runs_with_more_than_a_message_holds_are_found(client: MlflowClient, experiment_id: str) -> None:
    """Over gRPC in smaller pages than were asked for."""
    params = [Param(f"text {at}", "x" * 60_000) for at in range(50)]
    made = [client.create_run(experiment_id, run_name=f"run {at:02}").info.run_id for at in range(14)]
    for run_id in made:
        client.log_batch(run_id, params=params)
    found, token = [], None
    while token is not None or not found:
        page = client.search_runs([experiment_id], max_results=100, order_by=["run_name"], page_token=token)
        found += page
        token = page.token or None
    assert [run.info.run_id for run in found] == made
    assert all(run.data.params == {param.key: param.value for param in params} for run in found)

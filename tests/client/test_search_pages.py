"""Searches page by page by both clients: of which tags a negation holds, whose a token is, and how large a page."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.client.live_server import live_server
from tests.conftest import ServerProcess

from trackwire.client import Client
from trackwire.errors import InvalidArgumentError, ResourceExhaustedError

NAMES = ("blue", "none", "red")


@pytest.fixture(scope="module")
def live(client_type: type[Client], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server for each kind of client: they make things of the same names."""
    with live_server(tmp_path_factory.mktemp("live")) as server:
        yield server


@pytest.fixture
def client(client_type: type[Client], live: ServerProcess) -> Iterator[Client]:
    with client_type(live.address) as client:
        yield client


def make_experiments(client: Client, tags: dict[str, dict[str, str]]) -> Callable[..., Any]:
    for name, of_it in tags.items():
        client.create_experiment(name, tags=of_it)
    return lambda text, **options: client.search_experiments_page(f"{text} AND name IN {NAMES}", **options)


def make_runs(client: Client, tags: dict[str, dict[str, str]]) -> Callable[..., Any]:
    experiment_id = client.create_experiment("of runs").experiment_id
    for name, of_it in tags.items():
        client.create_run(experiment_id, run_name=name, tags=of_it)
    return lambda text, **options: client.search_runs_page(experiment_id, text, **options)


def make_logged_models(client: Client, tags: dict[str, dict[str, str]]) -> Callable[..., Any]:
    for name, of_it in tags.items():
        client.create_logged_model("0", name=name, tags=of_it)
    return lambda text, **options: client.search_logged_models_page("0", text, **options)


def make_registered_models(client: Client, tags: dict[str, dict[str, str]]) -> Callable[..., Any]:
    for name, of_it in tags.items():
        client.create_registered_model(name, tags=of_it)
    return lambda text, **options: client.search_registered_models_page(f"{text} AND name IN {NAMES}", **options)


def make_model_versions(client: Client, tags: dict[str, dict[str, str]]) -> Callable[..., Any]:
    for name, of_it in tags.items():
        client.create_registered_model(f"of {name}")
        client.create_model_version(f"of {name}", "s3://bucket/model", tags=of_it)
    return client.search_model_versions_page


def make_evaluation_datasets(client: Client, tags: dict[str, dict[str, str]]) -> Callable[..., Any]:
    for name, of_it in tags.items():
        client.create_evaluation_dataset(name, tags=of_it)
    return lambda text, **options: client.search_evaluation_datasets_page((), text, **options)


SEARCHES = [
    ("experiments", make_experiments, "name"),
    ("runs", make_runs, "run_name"),
    ("logged_models", make_logged_models, "name"),
    ("registered_models", make_registered_models, "name"),
    ("model_versions", make_model_versions, "name"),
    ("datasets", make_evaluation_datasets, "name"),
]


@pytest.mark.parametrize(("noun", "make", "name"), SEARCHES, ids=[noun for noun, *_ in SEARCHES])
def test_negation_asks_for_a_tag_where_that_is_wanted(
    client: Client, noun: str, make: Callable[..., Callable[..., Any]], name: str
) -> None:
    search = make(client, {each: {} if each == "none" else {"colour": each} for each in NAMES})

    def found(text: str, **options: object) -> list[str]:
        page = search(text, order_by=name, **options)
        return [getattr(entry, name).removeprefix("of ") for entry in getattr(page, noun)]

    assert found("tags.colour != 'red'") == ["blue", "none"]
    assert found("tags.colour != 'red'", tags_required=True) == ["blue"]
    assert found("tags.colour NOT LIKE 'r%'", tags_required=True) == ["blue"]
    assert found("tags.colour IS NULL", tags_required=True) == ["none"]

    for tags_required in (False, True):
        options = {"tags_required": tags_required, "order_by": name, "page_size": 1}
        token = search("tags.colour != 'grey'", **options).next_page_token
        assert token
        with pytest.raises(InvalidArgumentError, match="page_token"):
            search("tags.colour != 'grey'", **{**options, "tags_required": not tags_required}, page_token=token)
        second = search("tags.colour != 'grey'", **options, page_token=token)
        [entry] = getattr(second, noun)
        assert getattr(entry, name).removeprefix("of ") == ("red" if tags_required else "none")


def test_what_is_large_comes_in_pages_that_fit_into_a_message(client: Client) -> None:
    experiment_id = client.create_experiment("of large issues").experiment_id
    causes = ["x" * 65_536] * 100
    made = [client.create_issue(experiment_id, f"issue {at}", "slow", root_causes=causes).issue_id for at in range(7)]
    with pytest.raises(ResourceExhaustedError, match="a message may have 33,619,968: ask for less at a time") as raised:
        client.search_issues_page(experiment_id, order_by="name")
    assert (raised.value.reason, raised.value.metadata["limit"]) == ("ANSWER_TOO_LARGE", "33619968")
    first = client.search_issues_page(experiment_id, order_by="name", page_size=4)
    rest = client.search_issues_page(experiment_id, order_by="name", page_size=2, page_token=first.next_page_token)
    assert [issue.issue_id for issue in [*first.issues, *rest.issues]] == made[:6]
    assert [issue.issue_id for issue in client.search_issues(experiment_id, order_by="name")] == made

"""Issues, which MLflow's clients ask the tracking store for."""

from collections.abc import Callable

import pytest
from mlflow import MlflowClient
from mlflow.entities.issue import IssueSeverity, IssueStatus
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.abstract_store import AbstractStore
from mlflow.tracing.client import TracingClient

import trackwire


@pytest.fixture(params=["grpc", "http"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


@pytest.fixture
def store(uri: str) -> AbstractStore:
    """What MLflow's clients call."""
    return TracingClient(uri).store


def test_issue_goes_through_its_life(store: AbstractStore, experiment_id: str, run_id: str) -> None:
    made = store.create_issue(
        experiment_id,
        "slow",
        "Answers take a minute.",
        severity=IssueSeverity.HIGH,
        root_causes=["no cache"],
        source_run_id=run_id,
        categories=["latency", "cost"],
        created_by="ada",
    )
    assert made.issue_id.startswith("iss-")
    assert (made.experiment_id, made.name, made.description) == (experiment_id, "slow", "Answers take a minute.")
    assert (made.status, made.severity, made.source_run_id) == (IssueStatus.PENDING, IssueSeverity.HIGH, run_id)
    assert (made.root_causes, made.categories, made.created_by) == (["no cache"], ["latency", "cost"], "ada")
    assert (made.trace_count, made.created_timestamp) == (None, made.last_updated_timestamp)
    assert store.get_issue(made.issue_id) == made
    changed = store.update_issue(made.issue_id, status=IssueStatus.RESOLVED, name="slower", severity=IssueSeverity.LOW)
    assert (changed.status, changed.name, changed.severity) == (IssueStatus.RESOLVED, "slower", IssueSeverity.LOW)
    assert (changed.description, changed.categories) == (made.description, made.categories)
    assert store.update_issue(made.issue_id, name="", description="").name == "slower"


def test_issue_of_few_words_has_nothing_more(store: AbstractStore, experiment_id: str) -> None:
    made = store.create_issue(experiment_id, "slow", "It is.", status=IssueStatus.REJECTED)
    assert made.status == IssueStatus.REJECTED
    assert (made.severity, made.root_causes, made.source_run_id) == (None, None, None)
    assert (made.categories, made.created_by) == (None, None)


def test_issues_are_searched(store: AbstractStore, experiment_id: str) -> None:
    for name, severity in (("a", IssueSeverity.LOW), ("b", IssueSeverity.HIGH), ("c", None)):
        store.create_issue(experiment_id, name, "It is.", severity=severity)
    found = store.search_issues(experiment_id)
    assert ([issue.name for issue in found], found.token) == (["b", "a", "c"], None)
    store.update_issue(found[0].issue_id, status=IssueStatus.RESOLVED)
    assert [issue.name for issue in store.search_issues(experiment_id, "status != 'resolved'")] == ["a", "c"]
    first = store.search_issues(experiment_id, max_results=2, include_trace_count=True)
    assert [(issue.name, issue.trace_count) for issue in first] == [("b", 0), ("a", 0)]
    rest = store.search_issues(experiment_id, max_results=2, page_token=first.token)
    assert ([issue.name for issue in rest], rest.token) == (["c"], None)
    assert found[0].issue_id in {issue.issue_id for issue in store.search_issues()}


@pytest.mark.parametrize(
    ("call", "code", "words"),
    [
        (lambda store: store.get_issue("iss-0"), "RESOURCE_DOES_NOT_EXIST", "iss-0"),
        (lambda store: store.update_issue("iss-0", name="x"), "RESOURCE_DOES_NOT_EXIST", "iss-0"),
        (lambda store: store.create_issue("123456", "a", "b"), "RESOURCE_DOES_NOT_EXIST", "123456"),
        (lambda store: store.create_issue("0", "", "b"), "INVALID_PARAMETER_VALUE", "name"),
        (lambda store: store.create_issue("0", "a", "b", status="open"), "INVALID_PARAMETER_VALUE", "status"),
        (lambda store: store.create_issue("0", "a", "b", severity="worst"), "INVALID_PARAMETER_VALUE", "severity"),
        (lambda store: store.search_issues("0", "traces > 1"), "INVALID_PARAMETER_VALUE", "filter"),
        (lambda store: store.search_issues("0", max_results=0), "INVALID_PARAMETER_VALUE", "max_results"),
        (lambda store: store.search_issues("0", page_token="x"), "INVALID_PARAMETER_VALUE", "page_token"),
    ],
)
def test_what_is_wrong_is_told(
    store: AbstractStore, call: Callable[[AbstractStore], object], code: str, words: str
) -> None:
    with pytest.raises(MlflowException, match=words) as told:
        call(store)
    assert told.value.error_code == code


class TestWhatNewerVersionsAskFor:
    """By grpc:// alone: over HTTP it is MLflow's own store that asks, and the installed one may be older."""

    @pytest.fixture(params=["grpc"])
    def scheme(self, request: pytest.FixtureRequest) -> str:
        """One."""
        return str(request.param)

    def test_more_is_kept(self, store: AbstractStore, uri: str, client: MlflowClient, experiment_id: str) -> None:
        issue_id = f"iss-{client.create_run(experiment_id).info.run_id}"
        said = {"issue_id": issue_id, "last_seen_timestamp": 5, "metadata": {"a": "b", "c": "d"}}
        assert store.create_issue(experiment_id, "slow", "It is.", **said).issue_id == issue_id
        more = {"categories": ["cost"], "last_seen_timestamp": 6, "last_updated_by": "bob"}
        changed = store.update_issue(issue_id, **more, metadata={"e": "f"}, delete_metadata_keys=["a"])
        assert changed.categories == ["cost"]
        with trackwire.Client(uri) as ours:
            kept = ours.get_issue(issue_id)
        assert (kept.last_seen_time_ms, kept.last_updated_by) == (6, "bob")
        assert dict(kept.metadata) == {"c": "d", "e": "f"}

    def test_more_is_searched_for(self, store: AbstractStore, experiment_id: str) -> None:
        store.create_issue(experiment_id, "It's slow", "It is.", severity=IssueSeverity.LOW, categories=["Latency"])
        store.create_issue(experiment_id, "wrong", "It is.", severity=IssueSeverity.HIGH, status=IssueStatus.RESOLVED)

        def names(filter_string: str = "", **asked: object) -> list[str]:
            return [issue.name for issue in store.search_issues(experiment_id, filter_string, **asked)]

        assert names(name="it's") == ["It's slow"]
        assert names(statuses=[IssueStatus.RESOLVED, "rejected"]) == ["wrong"]
        assert names(severities=["low"]) == ["It's slow"]
        assert names(categories=["latency", "cost"]) == ["It's slow"]
        assert names("name = 'wrong' OR name LIKE 'It%'", statuses=["pending"], view="full") == ["It's slow"]
        assert names(order_by=["name DESC"]) == ["wrong", "It's slow"]
        assert store.search_issues(experiment_id, max_results=1, include_total_count=True).total_count == 2

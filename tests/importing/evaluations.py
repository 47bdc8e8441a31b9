"""Evaluation datasets and issues of a store of MLflow's: made by mlflow's own functions, and all that they say."""

import json
import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing

from mlflow.entities import EvaluationDataset, Issue, ViewType
from mlflow.entities.issue import IssueSeverity, IssueStatus
from mlflow.genai import datasets
from mlflow.store.tracking.abstract_store import AbstractStore
from mlflow.tracking._tracking_service.utils import _get_store

QUESTIONS, EMPTY = "questions", "empty"


def evaluate(experiment_id: str, gone: str, run_id: str) -> None:
    """Makes two datasets and three issues where mlflow's tracking URI is."""
    questions = datasets.create_dataset(QUESTIONS, [experiment_id, gone], {"team": "red", "mlflow.user": "ann"})
    questions.merge_records(
        [
            {
                "inputs": {"q": "wie groß\n?", "context": {"tries": [1, 2.5, None]}},
                "expectations": {"answer": 42, "worst": math.nan},
                "tags": {"mlflow.user": "ann", "level": "easy"},
                "source": {"source_type": "TRACE", "source_data": {"trace_id": "tr-1"}},
            },
            {"inputs": {"q": "text"}, "outputs": "is no object", "tags": {"mlflow.user": "ann"}},
            {"inputs": {"q": "nothing"}, "outputs": None, "expectations": {}},
            {"inputs": {}, "outputs": {}, "source": {"source_type": "DOCUMENT", "source_data": {"doc_uri": "s3://x"}}},
        ]
    )
    questions.merge_records([{"inputs": {"q": "wrong"}}])
    # One that changes, and one that goes.
    questions.merge_records([{"inputs": {"q": "text"}, "outputs": [1], "tags": {"mlflow.user": "bob", "n": 1}}])
    store = _get_store()
    [wrong] = [each for each in _records(store, questions.dataset_id) if each.inputs == {"q": "wrong"}]
    store.delete_dataset_records(questions.dataset_id, [wrong.dataset_record_id])
    datasets.create_dataset(EMPTY, [])
    store.create_issue(
        experiment_id,
        "slow",
        "Answers take a minute.",
        severity=IssueSeverity.HIGH,
        root_causes=["no cache", "far away"],
        source_run_id=run_id,
        categories=["latency", "cost"],
        created_by="ann",
    )
    wrong_one = store.create_issue(experiment_id, "wrong", "ä\n")
    store.update_issue(wrong_one.issue_id, status=IssueStatus.REJECTED, severity=IssueSeverity.NOT_AN_ISSUE)
    store.create_issue(gone, "of what is gone", "It was slow, too.")


def evaluations(store: AbstractStore) -> Iterator[tuple[tuple[str, ...], object]]:
    """All that a store says of them, by kind and id."""
    for issue in _issues(store):
        yield ("issue", issue.issue_id), issue.to_dictionary()
    for dataset in store.search_datasets():
        yield ("evaluation dataset", dataset.dataset_id), _said(store, dataset)
        records = [json.dumps(record.to_dict(), sort_keys=True) for record in _records(store, dataset.dataset_id)]
        yield ("records", dataset.dataset_id), records


def dataset_named(store: AbstractStore, name: str) -> EvaluationDataset:
    """The only dataset of a name."""
    [found] = [dataset for dataset in store.search_datasets() if dataset.name == name]
    return found


def issue_named(store: AbstractStore, name: str) -> Issue:
    """The only issue of a name."""
    [found] = [issue for issue in _issues(store) if issue.name == name]
    return found


def change_rows(uri: str, statement: str, *values: object) -> None:
    """Changes what mlflow's own functions would never write."""
    with closing(sqlite3.connect(uri.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute(statement, values)


def _issues(store: AbstractStore) -> Iterator[Issue]:
    for experiment in store.search_experiments(ViewType.ALL, max_results=100):
        yield from store.search_issues(experiment.experiment_id)


def _records(store: AbstractStore, dataset_id: str):  # type: ignore[no-untyped-def]  # mlflow's own entities
    return store._load_dataset_records(dataset_id)[0]


def _said(store: AbstractStore, dataset: EvaluationDataset) -> object:
    return (
        (dataset.name, dataset.tags, dataset.digest, dataset.created_time, dataset.last_update_time),
        (dataset.created_by, dataset.last_updated_by),
        [json.loads(text) if text else None for text in (dataset.schema, dataset.profile)],
        sorted(store.get_dataset_experiment_ids(dataset.dataset_id)),
    )

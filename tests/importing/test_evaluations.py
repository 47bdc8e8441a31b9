"""Evaluation datasets and issues of MLflow's, and what becomes of them when they change or can't be asked for."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from mlflow.entities.issue import IssueSeverity, IssueStatus
from mlflow.store.tracking.abstract_store import AbstractStore
from mlflow.tracking._tracking_service.utils import _get_store
from tests.conftest import ServerProcess
from tests.importing.comparing import contents
from tests.importing.conftest import Command
from tests.importing.evaluations import EMPTY, QUESTIONS, change_rows, dataset_named, issue_named
from tests.importing.filling import Filled
from tests.importing.test_imports import counted

from trackwire.client import Client
from trackwire.v1.evaluation_datasets_pb2 import EvaluationDataset
from trackwire.v1.issues_pb2 import Issue

# mlflow and its libraries warn each other.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
AWAY = ("/api/3.0/mlflow/datasets", "/api/3.0/mlflow/issues")


@pytest.fixture
def store(own_sqlite_store: Filled) -> AbstractStore:
    """The source, as mlflow's clients ask it."""
    found: AbstractStore = _get_store(own_sqlite_store.uri)
    return found


def record_of(store: AbstractStore, dataset_id: str, question: str) -> str:
    """The id of a record."""
    [found] = [each for each in store._load_dataset_records(dataset_id)[0] if each.inputs.get("q") == question]
    return str(found.dataset_record_id)


def unordered(found: Mapping[tuple[str, ...], object]) -> Mapping[tuple[str, ...], object]:
    """The same whatever the order of the records: one that came late is the last."""
    return {key: sorted(said) if isinstance(said, list) else said for key, said in found.items()}


def test_all_of_them_are_counted(sqlite_store: Filled, import_mlflow: Command) -> None:
    kinds = ("issues", "evaluation_datasets", "evaluation_records")
    counts = counted(import_mlflow(sqlite_store.uri, "--json").stdout)
    assert [(counts[kind]["at_source"], counts[kind]["copied"]) for kind in kinds] == [(3, 3), (2, 2), (4, 4)]
    rows = import_mlflow(sqlite_store.uri, "--dry-run").stdout.splitlines()
    assert [row.split()[-1] for row in rows if row.startswith(("issues", "evaluation"))] == ["3", "2", "4"]


def test_what_has_changed_at_the_source_is_made_equal(
    own_sqlite_store: Filled, store: AbstractStore, target: ServerProcess, import_mlflow: Command
) -> None:
    assert import_mlflow(own_sqlite_store.uri).returncode == 0
    questions, empty = dataset_named(store, QUESTIONS).dataset_id, dataset_named(store, EMPTY).dataset_id
    # One changes, one goes, one is another with the same inputs, and one is new.
    gone, again = record_of(store, questions, "text"), record_of(store, questions, "nothing")
    store.delete_dataset_records(questions, [gone, again])
    changed = {"inputs": {}, "outputs": "now", "tags": {"mlflow.user": "eve"}}
    new = [{"inputs": {"q": "nothing"}, "outputs": 1}, {"inputs": {"q": "new"}}]
    store.upsert_dataset_records(questions, [changed, *new])
    store.delete_dataset_tag(questions, "team")
    store.remove_dataset_from_experiments(questions, [own_sqlite_store.experiment_id])
    store.add_dataset_to_experiments(empty, ["0", own_sqlite_store.experiment_id])
    slow = issue_named(store, "slow").issue_id
    store.update_issue(slow, status=IssueStatus.RESOLVED, name="fast", severity=IssueSeverity.LOW)
    counts = counted(import_mlflow(own_sqlite_store.uri, "--json").stdout)
    assert counts["evaluation_records"] == {"at_source": 4, "copied": 3, "there_already": 1, "failed": 0}
    assert (counts["evaluation_datasets"]["copied"], counts["issues"]["copied"]) == (2, 1)
    assert contents(target.url) == contents(own_sqlite_store.uri)


def test_what_was_added_here_gives_way(own_sqlite_store: Filled, client: Client, import_mlflow: Command) -> None:
    assert import_mlflow(own_sqlite_store.uri).returncode == 0
    [dataset] = client.search_evaluation_datasets(filter_string=f"name = '{QUESTIONS}'")
    before = list(client.list_evaluation_dataset_records(dataset.dataset_id))
    client.upsert_evaluation_dataset_records(dataset.dataset_id, [{"inputs": {"q": "ours"}}])
    client.upsert_evaluation_dataset_records(dataset.dataset_id, [{"inputs": {"q": "text"}, "outputs": "ours"}])
    assert import_mlflow(own_sqlite_store.uri).returncode == 0
    assert list(client.list_evaluation_dataset_records(dataset.dataset_id)) == before
    assert client.get_evaluation_dataset(dataset.dataset_id) == dataset


def test_one_experiment_brings_what_belongs_to_it(sqlite_store: Filled, client: Client, import_mlflow: Command) -> None:
    assert import_mlflow(sqlite_store.uri, "--experiment", "gone").returncode == 0
    assert [issue.name for issue in client.search_issues()] == ["of what is gone"]
    [dataset] = client.search_evaluation_datasets()
    gone = str(int(sqlite_store.experiment_id) + 1)
    assert (dataset.name, dataset.record_count, dataset.experiment_ids) == (QUESTIONS, 4, [gone])
    assert import_mlflow(sqlite_store.uri, "--experiment", "vision").returncode == 0
    both = [sqlite_store.experiment_id, gone]
    assert client.get_evaluation_dataset(dataset.dataset_id).experiment_ids == both
    # What another import has said is kept.
    assert import_mlflow(sqlite_store.uri, "--experiment", "gone").returncode == 0
    assert client.get_evaluation_dataset(dataset.dataset_id).experiment_ids == both


def test_what_is_refused_is_named_and_the_rest_comes(
    own_sqlite_store: Filled, store: AbstractStore, target: ServerProcess, client: Client, import_mlflow: Command
) -> None:
    uri = own_sqlite_store.uri
    dataset = dataset_named(store, QUESTIONS)
    record_id, issue_id = record_of(store, dataset.dataset_id, "text"), issue_named(store, "slow").issue_id
    long = "UPDATE evaluation_dataset_records SET created_by = ? WHERE dataset_record_id = ?"
    change_rows(uri, long, "x" * 257, record_id)
    change_rows(uri, "UPDATE issues SET description = ? WHERE issue_id = ?", "x" * 65_537, issue_id)
    done = import_mlflow(uri, "--json")
    assert done.returncode == 1
    refused = json.loads(done.stdout)
    assert refused["evaluation_records"] == {"at_source": 4, "copied": 3, "there_already": 0, "failed": 1}
    assert (refused["issues"]["copied"], refused["issues"]["failed"]) == (2, 1)
    assert (refused["evaluation_datasets"]["copied"], refused["evaluation_datasets"]["failed"]) == (1, 1)
    of_issue, of_dataset = refused["failures"]
    assert f"issue {issue_id}: issue.description: " in of_issue
    assert of_dataset.startswith(f"evaluation dataset {dataset.dataset_id} is not whole: record {record_id}: ")
    assert "created_by: " in of_dataset
    here = client.get_evaluation_dataset(dataset.dataset_id)
    assert (here.record_count, here.digest == dataset.digest) == (3, False)
    change_rows(uri, long, "ann", record_id)
    change_rows(uri, "UPDATE issues SET description = ? WHERE issue_id = ?", "short", issue_id)
    assert import_mlflow(uri).returncode == 0
    assert unordered(contents(target.url)) == unordered(contents(uri))
    assert client.get_evaluation_dataset(dataset.dataset_id).digest == dataset.digest


def test_others_with_the_same_id_are_named(
    own_sqlite_store: Filled, store: AbstractStore, client: Client, import_mlflow: Command
) -> None:
    dataset_id, issue_id = dataset_named(store, QUESTIONS).dataset_id, issue_named(store, "slow").issue_id
    ours = client.import_evaluation_dataset(EvaluationDataset(dataset_id=dataset_id, name="ours", creation_time_ms=1))
    client.import_issue(Issue(issue_id=issue_id, experiment_id="0", name="ours", description="d"))
    done = import_mlflow(own_sqlite_store.uri)
    assert done.returncode == 1
    assert f"evaluation dataset '{dataset_id}' exists already: here it is 'ours', made at 1970" in done.stdout
    assert f"issue '{issue_id}' exists already: here it is 'ours' of experiment '0', made at 1970" in done.stdout
    assert client.get_evaluation_dataset(dataset_id) == ours
    assert client.get_issue(issue_id).name == "ours"
    assert client.search_issues_page(include_total_count=True).total_count == 3


def test_experiment_that_does_not_come_is_named_with_the_dataset(
    own_sqlite_store: Filled, store: AbstractStore, client: Client, import_mlflow: Command
) -> None:
    assert client.create_experiment("ours").experiment_id == own_sqlite_store.experiment_id
    done = import_mlflow(own_sqlite_store.uri)
    assert done.returncode == 1
    dataset_id = dataset_named(store, QUESTIONS).dataset_id
    words = f"experiment {own_sqlite_store.experiment_id} did not come over"
    assert f"evaluation dataset {dataset_id} is not whole: {words}" in done.stdout
    here = client.get_evaluation_dataset(dataset_id)
    assert (here.record_count, list(here.experiment_ids)) == (4, [str(int(own_sqlite_store.experiment_id) + 1)])


@pytest.fixture(params=["ENDPOINT_NOT_FOUND", "NOT_IMPLEMENTED"])
def refusal(request: pytest.FixtureRequest) -> str:
    """How a server says that it has no issues: MLflow's own if it is older, and if its store is a folder."""
    return str(request.param)


@pytest.fixture
def older_server(http_store: Filled, refusal: str) -> Iterator[str]:
    """The URL of a server that has all of another one's but issues and evaluation datasets."""

    class Older(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            if self.path.startswith(AWAY):
                # A folder's datasets are answered by a 500, for which mlflow's client asks again for minutes.
                of_folder = 501 if "issues" in self.path else 500
                self._say(404 if refusal == "ENDPOINT_NOT_FOUND" else of_folder, b"<!doctype html>")
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or None
            kind = {"Content-Type": self.headers.get("Content-Type", "text/plain")}
            asked = urllib.request.Request(http_store.uri + self.path, body, kind, method=self.command)
            try:
                with urllib.request.urlopen(asked, timeout=60) as answer:
                    status, said = answer.status, answer.read()
            except urllib.error.HTTPError as error:
                status, said = error.code, error.read()
            self._say(status, said)

        def _say(self, status: int, said: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = _answer  # noqa: N815  # http.server's names

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Older) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_server_that_does_not_serve_them_is_no_failure(
    older_server: str, refusal: str, client: Client, import_mlflow: Command
) -> None:
    done = import_mlflow(older_server)
    assert done.returncode == 0, done.stdout + done.stderr
    for kind in ("issues", "evaluation datasets"):
        assert f"not asked: {kind}: the source does not serve them ({refusal})" in done.stdout
    assert "verified: equal" in done.stdout
    assert list(client.search_registered_models())
    document = json.loads(import_mlflow(older_server, "--dry-run", "--json").stdout)
    assert document["not_asked"].keys() == {"issues", "evaluation_datasets"}

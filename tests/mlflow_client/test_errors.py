"""What goes wrong, by MLflow's codes and in the server's words."""

import re
from collections.abc import Callable, Sequence

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from tests.conftest import ServerProcess

from trackwire.client.status import ERRORS_BY_CODE
from trackwire.errors import TrackwireError
from trackwire.mlflow_plugin.errors import mlflow_error

MISSING = "0" * 32


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.get_run(MISSING),
        lambda client: client.log_metric(MISSING, "loss", 1.0),
        lambda client: client.log_param(MISSING, "lr", 1),
        lambda client: client.set_tag(MISSING, "team", "red"),
        lambda client: client.get_metric_history(MISSING, "loss"),
        lambda client: client.update_run(MISSING, status="FINISHED"),
        lambda client: client.delete_run(MISSING),
        lambda client: client.list_artifacts(MISSING),
        lambda client: client.get_experiment("123456"),
        lambda client: client.delete_experiment("123456"),
        lambda client: client.create_run("123456"),
        lambda client: client.get_registered_model("missing"),
        lambda client: client.get_model_version("missing", "1"),
    ],
)
def test_what_is_missing_does_not_exist(client: MlflowClient, call: Callable[[MlflowClient], object]) -> None:
    with pytest.raises(MlflowException, match="does not exist") as told:
        call(client)
    assert told.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    assert isinstance(told.value.__cause__, TrackwireError)


def test_param_is_not_changed(client: MlflowClient, run_id: str) -> None:
    client.log_param(run_id, "lr", 0.1)
    client.log_param(run_id, "lr", 0.1)
    expected = (
        f"Changing param values is not allowed. Param with key='lr' was already logged with value='0.1' for run"
        f" ID='{run_id}'. Attempted logging new value '0.2'."
    )
    with pytest.raises(MlflowException, match=re.escape(expected)) as told:
        client.log_param(run_id, "lr", 0.2)
    assert told.value.error_code == "INVALID_PARAMETER_VALUE"


def test_changed_param_keeps_the_batch_from_being_stored(client: MlflowClient, run_id: str) -> None:
    client.log_param(run_id, "lr", 0.1)
    with pytest.raises(MlflowException, match="Changing param values"):
        client.log_batch(
            run_id, [Metric("loss", 1.0, 1, 0)], [Param("lr", "0.2"), Param("new", "1")], [RunTag("team", "red")]
        )
    found = client.get_run(run_id).data
    assert (found.params, found.metrics) == ({"lr": "0.1"}, {})
    assert "team" not in found.tags


BAD_BATCHES: list[tuple[Sequence[Metric], Sequence[Param], Sequence[RunTag], str]] = [
    ([Metric("a\n", 1.0, 1, 0)], [], [], r"key: 'a\\n': may only have"),
    ([Metric("../a", 1.0, 1, 0)], [], [], "key: '../a': must be a clean relative path"),
    ([Metric("a", "high", 1, 0)], [], [], r"^metrics\['a'\]: must be a number, not str"),
    ([Metric("a", 1.0, -1, 0)], [], [], "time_ms: -1: must be 0 to"),
    ([Metric("a", 1.0, 1, 2**63)], [], [], "step: 9223372036854775808: must be"),
    ([Metric("a", 1.0, 1, 0.5)], [], [], r"metrics\['a'\]: step: 0.5: must be an int"),
    ([Metric("a", 1.0, 1, 0, model_id="m" * 65)], [], [], "model_id: .* at most 64 are allowed"),
    ([], [Param("p", "x" * 70_000)], [], r"params\['p'\]: .* at most 65,536 are allowed"),
    ([], [Param("p", "1"), Param("p", "2")], [], "Duplicate parameter keys"),
    ([], [], [RunTag("t" * 251, "1")], "has 251 characters, at most 250"),
    ([], [], [RunTag("t", "half \ud800")], "surrogate"),
]


@pytest.mark.parametrize(("metrics", "params", "tags", "words"), BAD_BATCHES)
def test_bad_batch_is_refused_whole(
    client: MlflowClient,
    run_id: str,
    metrics: Sequence[Metric],
    params: Sequence[Param],
    tags: Sequence[RunTag],
    words: str,
) -> None:
    good = ([Metric("good", 1.0, 1, 0)], [Param("good", "1")], [RunTag("good", "1")])
    with pytest.raises(MlflowException, match=words) as told:
        client.log_batch(run_id, [*good[0], *metrics], [*good[1], *params], [*good[2], *tags])
    assert told.value.error_code == "INVALID_PARAMETER_VALUE"
    found = client.get_run(run_id).data
    assert (found.metrics, found.params, list(found.tags)) == ({}, {}, ["mlflow.runName"])


def test_deleted_run_rejects_what_is_logged(client: MlflowClient, run_id: str) -> None:
    client.delete_run(run_id)
    with pytest.raises(MlflowException, match="is deleted: restore it") as told:
        client.log_metric(run_id, "loss", 1.0)
    assert told.value.error_code == "INVALID_PARAMETER_VALUE"


def test_experiment_is_made_once(client: MlflowClient, model_name: str) -> None:
    client.create_experiment(model_name)
    with pytest.raises(MlflowException) as told:
        client.create_experiment(model_name)
    assert told.value.error_code == "RESOURCE_ALREADY_EXISTS"


def test_filter_that_is_wrong_says_where(client: MlflowClient, experiment_id: str) -> None:
    with pytest.raises(MlflowException, match="takes a number, and 'high' is text") as told:
        client.search_runs([experiment_id], "metrics.acc > 'high'")
    assert told.value.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize("max_results", [0, -1, 50_001])
def test_size_of_a_page_has_limits(client: MlflowClient, experiment_id: str, max_results: int) -> None:
    with pytest.raises(MlflowException) as told:
        client.search_runs([experiment_id], max_results=max_results)
    assert told.value.error_code == "INVALID_PARAMETER_VALUE"


def test_token_that_nobody_gave_out_is_refused(uri: str, run_id: str) -> None:
    store = mlflow.tracking._tracking_service.utils._get_store(uri)
    for token in ("5", "x:y", ":3"):
        with pytest.raises(MlflowException, match="is not a token"):
            store.get_metric_history(run_id, "loss", max_results=5, page_token=token)


def test_what_is_not_kept_is_told(uri: str, run_id: str) -> None:
    store = mlflow.tracking._tracking_service.utils._get_store(uri)
    for name, call in (
        ("link_traces_to_run", lambda: store.link_traces_to_run([], run_id)),
        ("search_traces", lambda: mlflow.search_traces(locations=["0"])),
        ("get_scorer", lambda: store.get_scorer("0", "name")),
    ):
        with pytest.raises(MlflowException, match=f"{name}: a Trackwire server does not keep this") as told:
            call()
        assert told.value.error_code == "NOT_IMPLEMENTED"
        assert isinstance(told.value, NotImplementedError)


def test_server_that_is_away_is_told() -> None:
    client = MlflowClient("grpc://127.0.0.1:9")
    with pytest.raises(MlflowException, match="no Trackwire server answers") as told:
        client.get_experiment("0")
    assert told.value.error_code == "TEMPORARILY_UNAVAILABLE"


@pytest.mark.parametrize(
    ("scheme", "port", "words"),
    [("grpc", "http", "speaks HTTP: a server has another port for gRPC"), ("grpcs", "grpc", "does not speak TLS")],
)
def test_scheme_of_another_port_is_told(live: ServerProcess, scheme: str, port: str, words: str) -> None:
    address = live.address if port == "grpc" else live.url.removeprefix("http://")
    with pytest.raises(MlflowException, match=f"{address} {words}") as told:
        MlflowClient(f"{scheme}://{address}").get_experiment("0")
    assert told.value.error_code == "TEMPORARILY_UNAVAILABLE"


@pytest.mark.parametrize("uri", ["grpc://", "grpc://host/path", "grpcs://host:0", "grpc:host:1"])
def test_address_that_is_none_is_told(uri: str) -> None:
    scheme = "grpcs" if uri.startswith("grpcs") else "grpc"
    expected = f"tracking_uri: '{uri}': expected {scheme}://host:port, such as {scheme}://127.0.0.1:5051"
    with pytest.raises(MlflowException, match=re.escape(expected)) as told:
        MlflowClient(uri).get_experiment("0")
    assert told.value.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize("kind", ERRORS_BY_CODE.values())
def test_each_error_has_a_code_of_mlflows(kind: type[TrackwireError]) -> None:
    told = mlflow_error(kind("what happened"))
    assert (told.error_code, told.message) == (kind("").error_code, "what happened")

"""Which server is asked, by which client, and what is said where there is none."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.client.live_server import live_server
from tests.client.media.conftest import FreshPython

import trackwire as mlflow
from trackwire.errors import FailedPreconditionError, UnavailableError
from trackwire.queries import server
from trackwire.spool.stream import open_streams

# Each name that `trackwire` gives for reads, and its module.
EXPORTED = {
    name: module
    for name in mlflow.__all__
    if (module := getattr(getattr(mlflow, name), "__module__", "")).startswith("trackwire.queries.")
}
READS: dict[str, Callable[[], object]] = {
    "create_experiment": lambda: mlflow.create_experiment("e"),
    "delete_experiment": lambda: mlflow.delete_experiment("1"),
    "delete_experiment_tag": lambda: mlflow.delete_experiment_tag("k"),
    "delete_registered_model_alias": lambda: mlflow.delete_registered_model_alias("m", "a"),
    "delete_run": lambda: mlflow.delete_run("run"),
    "download_artifacts": lambda: mlflow.download_artifacts("runs:/run/file"),
    "get_experiment": lambda: mlflow.get_experiment("0"),
    "get_experiment_by_name": lambda: mlflow.get_experiment_by_name("Default"),
    "get_metric_history": lambda: mlflow.get_metric_history("run", "loss"),
    "get_model_version": lambda: mlflow.get_model_version("m", 1),
    "get_model_version_by_alias": lambda: mlflow.get_model_version_by_alias("m", "a"),
    "get_parent_run": lambda: mlflow.get_parent_run("run"),
    "get_run": lambda: mlflow.get_run("run"),
    "list_artifacts": lambda: mlflow.list_artifacts(run_id="run"),
    "load_dict": lambda: mlflow.load_dict("runs:/run/file"),
    "load_image": lambda: mlflow.load_image("runs:/run/file"),
    "load_table": lambda: mlflow.load_table("table.json"),
    "load_text": lambda: mlflow.load_text("runs:/run/file"),
    "register_model": lambda: mlflow.register_model("runs:/run/model", "m"),
    "restore_experiment": lambda: mlflow.restore_experiment("1"),
    "restore_run": lambda: mlflow.restore_run("run"),
    "search_experiments": lambda: mlflow.search_experiments(),
    "search_model_versions": lambda: mlflow.search_model_versions(),
    "search_registered_models": lambda: mlflow.search_registered_models(),
    "search_runs": lambda: mlflow.search_runs(),
    "set_experiment_tag": lambda: mlflow.set_experiment_tag("k", "v"),
    "set_experiment_tags": lambda: mlflow.set_experiment_tags({"k": "v"}),
    "set_model_version_tag": lambda: mlflow.set_model_version_tag("m", 1, "k", "v"),
    "set_registered_model_alias": lambda: mlflow.set_registered_model_alias("m", "a", 1),
}


def test_every_function_is_tried() -> None:
    assert set(EXPORTED) - {"ViewType"} == set(READS)


@pytest.mark.parametrize("name", READS)
def test_without_a_server_one_line_says_what_to_do(name: str, offline: Path) -> None:
    with pytest.raises(FailedPreconditionError) as caught:
        READS[name]()
    said = str(caught.value)
    assert said.startswith(f"{name}: no server is configured")
    assert f"runs lie in {offline}" in said
    assert "set_tracking_uri" in said
    assert "`trackwire server`" in said
    assert "`trackwire sync`" in said
    assert "\n" not in said
    assert caught.value.reason == "NO_SERVER"


def test_mode_and_folder_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow.set_tracking_uri(tmp_path / "elsewhere")
    with pytest.raises(FailedPreconditionError, match=f"runs lie in {tmp_path / 'elsewhere'}"):
        mlflow.get_run("run")
    monkeypatch.setenv("TRACKWIRE_MODE", "disabled")
    with pytest.raises(FailedPreconditionError, match=r"TRACKWIRE_MODE=disabled .* runs are not kept"):
        mlflow.get_run("run")
    monkeypatch.setenv("TRACKWIRE_MODE", "offline")
    mlflow.set_tracking_uri("127.0.0.1:9")
    with pytest.raises(FailedPreconditionError, match="TRACKWIRE_MODE=offline means that no server is asked"):
        mlflow.get_run("run")


def test_server_that_does_not_answer_is_named() -> None:
    mlflow.set_tracking_uri("127.0.0.1:9")
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:9"):
        mlflow.get_experiment("0")


def test_one_client_serves_all_threads(online: str) -> None:
    found: list[object] = []
    barrier = threading.Barrier(8)

    def read() -> None:
        barrier.wait()
        found.append(server.client_for("read"))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1
    assert server.client_for("read").address == online


def test_reads_follow_the_tracking_uri(online: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow.create_experiment("only on the first")
    first = server.client_for("read")
    with live_server(tmp_path) as other:
        mlflow.set_tracking_uri(other.address)
        assert mlflow.get_experiment_by_name("only on the first") is None
        mlflow.set_tracking_uri(f"grpc://{online}")
        assert server.client_for("read") is first
        assert mlflow.get_experiment_by_name("only on the first") is not None
        monkeypatch.setattr("trackwire.fluent.choices._tracking_uri", None)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", other.address)
        assert server.client_for("read").address == other.address


@pytest.mark.usefixtures("online")
def test_forked_child_reads_by_a_client_of_its_own() -> None:
    parents = server.client_for("read")
    assert mlflow.get_experiment("0").name == "Default"
    # Held by a thread that the child doesn't have.
    with server._making:
        pid = os.fork()
        if pid == 0:
            right = mlflow.get_experiment("0").name == "Default" and server.client_for("read") is not parents
            os._exit(0 if right else 1)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert mlflow.get_experiment("0").name == "Default"


@pytest.mark.usefixtures("online", "experiment_id")
def test_reads_find_what_the_active_run_has_just_logged() -> None:
    with mlflow.start_run(run_name="outer") as run:
        for step in range(5):
            run.log_metric("loss", 1 / (step + 1), step)
            history = mlflow.get_metric_history(run.info.run_id, "loss")
            assert [point.step for point in history] == list(range(step + 1))
        run.log_params({"lr": 0.1})
        frame = mlflow.search_runs()
        assert list(frame["params.lr"]) == ["0.1"]
        assert list(frame["status"]) == ["RUNNING"]
    assert mlflow.get_run(run.info.run_id).info.status == "FINISHED"


@pytest.mark.usefixtures("online", "experiment_id")
def test_reads_find_the_outer_run_too() -> None:
    with mlflow.start_run() as outer:
        outer.log_params({"whose": "outer"})
        with mlflow.start_run(nested=True) as inner:
            outer.set_tags({"late": "yes"})
            assert mlflow.get_parent_run(inner.info.run_id).data.params == {"whose": "outer"}
            assert mlflow.get_run(outer.info.run_id).data.tags["late"] == "yes"


@pytest.mark.usefixtures("online", "experiment_id")
def test_reads_find_what_other_threads_have_logged() -> None:
    logged, read = threading.Event(), threading.Event()
    ids: list[str] = []

    def train() -> None:
        with mlflow.start_run() as run:
            run.log_params({"whose": "the thread's"})
            ids.append(run.info.run_id)
            logged.set()
            assert read.wait(60)

    thread = threading.Thread(target=train)
    thread.start()
    assert logged.wait(60)
    found = mlflow.search_runs(output_format="list")
    read.set()
    thread.join()
    assert [(run.info.run_id, run.data.params) for run in found] == [(ids[0], {"whose": "the thread's"})]


@pytest.mark.usefixtures("online", "experiment_id")
def test_forked_child_that_reads_joins_no_run_of_another_thread(offline: Path) -> None:
    begun, over = threading.Event(), threading.Event()

    def train() -> None:
        with mlflow.start_run(run_id="of-the-thread"):
            begun.set()
            assert over.wait(60)

    thread = threading.Thread(target=train)
    thread.start()
    assert begun.wait(60)
    mlflow.get_experiment("0")
    pid = os.fork()
    if pid == 0:
        mlflow.get_experiment("0")
        streams = [place.run_id for place in open_streams(offline)]
        os._exit(streams.count("of-the-thread"))
    _, status = os.waitpid(pid, 0)
    over.set()
    thread.join()
    assert os.waitstatus_to_exitcode(status) == 1


def test_import_costs_next_to_nothing(fresh_python: FreshPython) -> None:
    modules = ", ".join(sorted(set(EXPORTED.values())))
    heavy = ("pandas", "grpc", "google.protobuf", "numpy", "PIL")
    assert fresh_python(f"import {modules}\nprint([name for name in {heavy} if name in sys.modules])") == "[]"

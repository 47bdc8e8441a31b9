"""Where runs go and into which experiment: arguments before variables, TRACKWIRE_ before MLFLOW_."""

from pathlib import Path

import pytest

from trackwire.errors import InvalidArgumentError
from trackwire.fluent.settings import (
    Destination,
    ExperimentChoice,
    destination,
    experiment_choice,
    file_system_of,
    variable,
)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TRACKING_URI", "EXPERIMENT_NAME", "EXPERIMENT_ID", "MODE", "SPOOL_DIR"):
        for prefix in ("TRACKWIRE_", "MLFLOW_"):
            monkeypatch.delenv(prefix + name, raising=False)
    monkeypatch.chdir(tmp_path)


def spool(tmp_path: Path) -> Path:
    return tmp_path / ".trackwire" / "spool"


def test_without_a_server_all_stays_below_the_working_directory(tmp_path: Path) -> None:
    assert destination(None) == Destination("offline", spool(tmp_path), is_by_default=True)


@pytest.mark.parametrize("uri", ["host:5051", "grpc://host:5051", "host"])
def test_address_means_online(uri: str, tmp_path: Path) -> None:
    assert destination(uri) == Destination("online", spool(tmp_path), "host:5051")


def test_variables_are_read_under_both_names_and_ours_comes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "theirs:1")
    assert destination(None).address == "theirs:1"
    monkeypatch.setenv("TRACKWIRE_TRACKING_URI", "ours:2")
    assert destination(None).address == "ours:2"
    assert destination("argument:3").address == "argument:3"
    assert destination("") == Destination("offline", spool(tmp_path))
    assert variable("TRACKING_URI") == "ours:2"


def test_mode_by_argument_comes_before_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRACKWIRE_MODE", "offline")
    assert destination("host:1") == Destination("offline", spool(tmp_path))
    assert destination("host:1", "online") == Destination("online", spool(tmp_path), "host:1")
    assert destination("host:1", "disabled") == Destination("disabled", spool(tmp_path))


@pytest.mark.parametrize(("field", "argument"), [("mode", "on"), ("TRACKWIRE_MODE", None)])
def test_unknown_mode_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, field: str, argument: str | None) -> None:
    monkeypatch.setenv("TRACKWIRE_MODE", "on")
    with pytest.raises(InvalidArgumentError, match=f"{field}: 'on': must be one of online, offline, disabled"):
        destination("host:1", argument)


def test_online_without_a_server_says_what_to_do() -> None:
    with pytest.raises(InvalidArgumentError, match="needs a server: set_tracking_uri"):
        destination(None, "online")


def test_bad_address_names_where_it_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://tracking.example/")
    with pytest.raises(InvalidArgumentError, match=r"MLFLOW_TRACKING_URI: 'https://tracking.example/': speaks HTTP"):
        destination(None)
    with pytest.raises(InvalidArgumentError, match="tracking_uri: 'a b'"):
        destination("a b")


def test_folder_as_uri_is_a_spool_that_waits(tmp_path: Path) -> None:
    assert destination(f"file://{tmp_path}/runs%20of%20mine") == Destination("offline", tmp_path / "runs of mine")
    assert destination(str(tmp_path)) == Destination("offline", tmp_path)


def test_spool_may_be_put_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRACKWIRE_SPOOL_DIR", str(tmp_path / "elsewhere"))
    assert destination("host:1") == Destination("online", tmp_path / "elsewhere", "host:1")


def test_spool_is_elsewhere_where_the_working_directory_takes_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Whoever runs the tests may be allowed to write everywhere.
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != tmp_path)
    found = destination("host:5051")
    assert tmp_path not in found.spool.parents
    assert found.notice == f"{tmp_path} can't be written to: the spool is {found.spool}"


def test_kind_of_a_file_system_is_that_of_the_innermost_mount(tmp_path: Path) -> None:
    assert file_system_of(Path("/proc/self/nowhere")) == "proc"
    assert file_system_of(tmp_path / "not" / "there") == file_system_of(tmp_path) != ""


def test_experiment_is_chosen_in_the_order_that_people_know(monkeypatch: pytest.MonkeyPatch) -> None:
    assert experiment_choice(None, None) == ExperimentChoice()
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "7")
    assert experiment_choice(None, None) == ExperimentChoice(experiment_id="7")
    monkeypatch.setenv("TRACKWIRE_EXPERIMENT_NAME", "digits")
    assert experiment_choice(None, None) == ExperimentChoice(name="digits")
    assert experiment_choice(None, ExperimentChoice(name="chosen")) == ExperimentChoice(name="chosen")
    assert experiment_choice("3", ExperimentChoice(name="chosen")) == ExperimentChoice(experiment_id="3")

"""Files that a run logs, without a server: they lie in the spool as they were at the call."""

import json
import os
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tests.client.offline_training import without_server
from tests.client.spooled import KIND, files_of, points_of, run_records, tags_of
from tests.conftest import ROOT

import trackwire
from trackwire.errors import FailedPreconditionError, InvalidArgumentError
from trackwire.spool.stream import open_streams


def test_files_are_kept_as_they_were_at_the_call(spool: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights.bin"
    folder = tmp_path / "plots"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.txt").write_text("a")
    weights.write_bytes(b"first")
    with trackwire.start_run() as run:
        trackwire.log_artifact(weights)
        trackwire.log_artifact(str(weights), "models/best")
        weights.write_bytes(b"changed")
        weights.unlink()
        trackwire.log_artifacts(folder, "plots")
        trackwire.log_artifact(folder)
        (folder / "deep" / "a.txt").unlink()
        trackwire.log_text("héllo\r\n", "notes/hello.txt")
        trackwire.log_dict({"lr": 0.1}, "config.json")
        trackwire.log_dict({"lr": 0.1}, "config.yaml")
    assert files_of(spool, run.info.run_id) == {
        "weights.bin": b"first",
        "models/best/weights.bin": b"first",
        "plots/deep/a.txt": b"a",
        "notes/hello.txt": "héllo\r\n".encode(),
        "config.json": b'{\n  "lr": 0.1\n}',
        "config.yaml": b"lr: 0.1\n",
    }


def test_images_and_their_series(spool: Path) -> None:
    with trackwire.start_run() as run:
        trackwire.log_image(np.zeros((4, 4, 3), np.uint8), "black.png")
        trackwire.log_image(np.ones((8, 8)), key="val/sample", step=3, timestamp=1_700_000_000_000)
        with pytest.raises(InvalidArgumentError, match="either an artifact_file or a key"):
            trackwire.log_image(np.ones((8, 8)))
        with pytest.raises(TypeError, match=r"image: must be a numpy\.ndarray"):
            trackwire.log_image([[1, 2]], "list.png")
    files = files_of(spool, run.info.run_id)
    assert files.pop("black.png").startswith(b"\x89PNG")
    image, thumbnail = sorted(files, key=len)
    assert image.startswith("images/val~sample+step+3+timestamp+1700000000000+")
    assert files[thumbnail][8:12] == b"WEBP"
    assert tags_of(run_records(spool, run.info.run_id))["mlflow.loggedImages"] == "True"
    assert not list(spool.glob("streams/*/files/*.new"))


def test_table_grows_with_each_call(spool: Path) -> None:
    with trackwire.start_run() as run:
        trackwire.log_table({"question": ["why?"], "score": [0.5]}, "eval/table.json")
        trackwire.log_table({"question": ["how?"], "score": [float("nan")]}, "eval/table.json")
        trackwire.log_table({"a": [1]}, "other.json")
    files = files_of(spool, run.info.run_id)
    assert json.loads(files["eval/table.json"]) == {
        "columns": ["question", "score"],
        "data": [["why?", 0.5], ["how?", None]],
    }
    tables = json.loads(tags_of(run_records(spool, run.info.run_id))["mlflow.loggedArtifacts"])
    assert [table["path"] for table in tables] == ["eval/table.json", "other.json"]


def test_table_has_the_rows_of_all_threads(spool: Path) -> None:
    def log(number: int) -> None:
        run.log_table({"number": [number]}, f"{number % 2}.json")

    with trackwire.start_run() as run, ThreadPoolExecutor(8) as threads:
        list(threads.map(log, range(100)))
    files = files_of(spool, run.info.run_id)
    for rest in range(2):
        assert sorted(json.loads(files[f"{rest}.json"])["data"]) == [[number] for number in range(rest, 100, 2)]
    tables = json.loads(tags_of(run_records(spool, run.info.run_id))["mlflow.loggedArtifacts"])
    assert sorted(table["path"] for table in tables) == ["0.json", "1.json"]


def test_table_begins_anew_where_the_spool_was_deleted(
    spool: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with trackwire.start_run() as run:
        run.log_table({"a": [1]}, "table.json")
        run.flush()
        shutil.rmtree(tmp_path / ".trackwire")
        run.log_metric("loss", 1.0)
        run.flush()
        for number in (2, 3):
            run.log_table({"a": [number]}, "table.json")
    assert json.loads(files_of(spool, run.info.run_id)["table.json"])["data"] == [[2], [3]]
    assert len([record for record in caplog.records if "are replaced" in record.message]) == 1


def test_child_forked_while_a_table_grows_logs_tables_too(tmp_path: Path) -> None:
    script = """
import os, signal, threading
import trackwire
class Slow(dict):
    def items(self):
        entered.set()
        forked.wait()
        return super().items()
entered, forked = threading.Event(), threading.Event()
with trackwire.start_run(run_id="r", console=False) as run:
    thread = threading.Thread(target=run.log_table, args=(Slow(a=[1]), "parent.json"))
    thread.start()
    entered.wait()
    if child := os.fork():
        forked.set()
        thread.join()
        assert os.waitpid(child, 0)[1] == 0
    else:
        signal.alarm(20)
        run.log_table({"a": [2]}, "child.json")
        run.flush()
        os._exit(0)
"""
    (tmp_path / "train.py").write_text(script)
    subprocess.run([sys.executable, "train.py"], cwd=tmp_path, env=without_server(), check=True, timeout=60)
    files = files_of(tmp_path / ".trackwire" / "spool", "r")
    assert {path: json.loads(table)["data"] for path, table in files.items()} == {
        "parent.json": [[1]],
        "child.json": [[2]],
    }


def test_table_of_a_run_that_another_process_began_says_offline_what_it_replaces(
    spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with trackwire.start_run(run_id="r"):
        trackwire.log_table({"a": [1]}, "table.json")
        trackwire.log_table({"a": [2]}, "table.json")
    assert json.loads(files_of(spool, "r")["table.json"])["data"] == [[1], [2]]
    [told] = [record.message for record in caplog.records if "are replaced" in record.message]
    assert "'table.json'" in told


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("", "must be relative .*: it is empty"),
        ("/abs.txt", "must be relative .*: it is absolute"),
        ("../../b.txt", r"must be relative .*: it has '\.\.' as a part"),
        ("a/../b.txt", r"must be relative .*: it has '\.\.' as a part"),
        ("a//b.txt", "must be relative .*: it has an empty part"),
        ("%2e%2e/b.txt", r"it has '\.\.' as a part once decoded to '\.\./b.txt'"),
        ("a\\b.txt", "must be relative .*: it has a backslash"),
        ("a\nb.txt", "must be relative .*: it has a control character"),
        ("x" * 256, "256 bytes, at most 255"),
        ("x/" * 600 + "y", "1,201 characters, at most 1,024"),
    ],
)
def test_path_that_no_server_takes_is_told_at_the_call(spool: Path, path: str, why: str) -> None:
    with trackwire.start_run() as run, pytest.raises(InvalidArgumentError, match=why):
        run.log_text("text", path)


def test_file_that_is_not_there_is_told_at_the_call(spool: Path) -> None:
    with trackwire.start_run() as run:
        with pytest.raises(FileNotFoundError):
            run.log_artifact("missing.bin")
        with pytest.raises(NotADirectoryError, match="missing"):
            run.log_artifacts("missing")
    with pytest.raises(FailedPreconditionError, match="has ended"):
        run.log_text("late", "late.txt")


def test_what_is_no_file_is_refused_and_never_waited_for(spool: Path, tmp_path: Path) -> None:
    # Relative to where the test runs: the path of a socket is short.
    pipe, socket_path = tmp_path / "pipe", Path("socket")
    os.mkfifo(pipe)
    with socket.socket(socket.AF_UNIX) as bound, trackwire.start_run() as run:
        bound.bind(socket_path.name)
        for path, kind in ((pipe, "a pipe"), (socket_path, "a socket"), (Path("/dev/zero"), "a character device")):
            with pytest.raises(InvalidArgumentError, match=f"local_path: '{path}': must be a file, not {kind}"):
                run.log_artifact(path)
    assert files_of(spool, run.info.run_id) == {}


def test_what_a_folder_cannot_give_costs_nothing_beside_it(
    spool: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    for name in ("a.txt", "m.txt", "z.txt"):
        (folder / name).write_text(name)
    os.mkfifo(folder / "b.pipe")
    (folder / "c.link").symlink_to("nowhere")
    (folder / "d\\e.txt").write_text("")
    (folder / os.fsdecode(b"f\xff.txt")).write_text("")
    (folder / "g\n.txt").write_text("")
    with trackwire.start_run() as run:
        run.log_artifacts(folder)
        run.log_artifact(folder, "deep")
        assert run._recorder.losses.files == 10
    kept = {name: name.encode() for name in ("a.txt", "m.txt", "z.txt")}
    assert files_of(spool, run.info.run_id) == kept | {f"deep/results/{name}": text for name, text in kept.items()}
    told = [record.message for record in caplog.records if "left out" in record.message]
    assert len(told) == 2
    assert f"5 of the entries below '{folder}'" in told[0]
    for name in ("b.pipe': must be a file, not a pipe", "c.link'", "'d\\\\e.txt'", "f\\xff.txt", "'g\\n.txt'"):
        assert name in told[0]


@pytest.mark.parametrize("named", ["", "logs/spool"])
def test_spool_is_no_artifact(
    spool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, named: str
) -> None:
    if named:
        monkeypatch.setenv("TRACKWIRE_SPOOL_DIR", named)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.txt").write_text("a")
    (tmp_path / "logs" / ".trackwire").mkdir()
    (tmp_path / "logs" / ".trackwire" / "server.json").write_text("{}")
    with trackwire.start_run() as run:
        for _ in range(3):
            run.log_text("note", "notes/note.txt")
            run.log_artifacts(".")
            run.log_artifacts(tmp_path / "logs", "logs")
    files = files_of(tmp_path / named if named else spool, run.info.run_id)
    assert files == {"logs/a.txt": b"a", "notes/note.txt": b"note"}
    assert not [record for record in caplog.records if "left out" in record.message]


def test_folder_that_cannot_be_listed_is_told(spool: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_text("a")
    # Deeper than a path may be long.
    below = os.open(tmp_path / "data", os.O_RDONLY)
    for _ in range(20):
        os.mkdir("x" * 250, dir_fd=below)
        above, below = below, os.open("x" * 250, os.O_RDONLY, dir_fd=below)
        os.close(above)
    os.close(below)
    with trackwire.start_run() as run:
        run.log_artifacts(tmp_path / "data")
        assert run._recorder.losses.files == 1
    assert files_of(spool, run.info.run_id) == {"a.txt": b"a"}
    assert [record.message for record in caplog.records if "File name too long" in record.message]


def test_many_files_that_are_left_out_are_told_in_one_line(
    spool: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "links").mkdir()
    for number in range(1_012):
        (tmp_path / "links" / f"{number:04}").symlink_to("nowhere")
    with trackwire.start_run() as run:
        run.log_artifacts(tmp_path / "links")
    [told] = [record.message for record in caplog.records if "left out" in record.message]
    assert told.count("No such file") == 10
    assert told.endswith("0009'; and 1,002 more")


def test_folder_of_the_artifacts_that_no_server_takes_is_told_at_the_call(spool: Path, tmp_path: Path) -> None:
    with trackwire.start_run() as run:
        for path in ("../x", "/", "a//b"):
            with pytest.raises(InvalidArgumentError, match="must be relative"):
                run.log_artifacts(tmp_path, path)


def test_file_that_the_spool_cannot_keep_is_counted_and_told_once(
    spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with trackwire.start_run() as run:
        run.log_metric("loss", 1.0)
        run.flush()
        [place] = open_streams(spool)
        place.files_folder.rmdir()
        place.files_folder.write_text("in the way")
        for number in range(3):
            run.log_text("text", f"{number}.txt")
        assert run._recorder.losses.files == 3
    assert len([record for record in caplog.records if "can't be kept" in record.message]) == 1


def test_run_says_where_it_came_from_and_its_own_word_wins(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    with trackwire.start_run(tags={"mlflow.source.name": "train.py"}) as run:
        run.set_tag("mlflow.source.type", "PROJECT")
    tags = tags_of(run_records(spool, run.info.run_id))
    assert tags["mlflow.user"] == "ada"
    assert tags["mlflow.source.type"] == "PROJECT"
    assert "mlflow.source.name" not in tags


def test_other_run_is_named_by_its_id_and_neither_made_nor_ended(spool: Path) -> None:
    with trackwire.start_run() as run:
        trackwire.log_metric("loss", 1.0, run_id="another")
        trackwire.log_params({"lr": 1}, run_id="another")
        trackwire.log_text("text", "a.txt", run_id=run.info.run_id)
    trackwire.fluent.active._end_all()
    kinds = [record.kind for record in run_records(spool, "another")]
    assert KIND.CREATE_RUN not in kinds
    assert KIND.UPDATE_RUN not in kinds
    assert {KIND.INGEST, KIND.LOG_PARAMS} <= set(kinds)
    assert list(files_of(spool, run.info.run_id)) == ["a.txt"]


def test_artifact_uri_needs_no_server(spool: Path) -> None:
    with trackwire.start_run() as run:
        assert trackwire.get_artifact_uri() == f"runs:/{run.info.run_id}"
        assert trackwire.get_artifact_uri("plots/loss.png") == f"runs:/{run.info.run_id}/plots/loss.png"


def test_child_of_multiprocessing_writes_all_that_it_said(tmp_path: Path) -> None:
    script = """
import multiprocessing, sys, os
import trackwire
run = trackwire.start_run(run_id="r")
def work(number):
    for step in range(100):
        trackwire.log_metric(f"child/{number}", float(step), step)
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    children = [context.Process(target=work, args=(number,)) for number in range(4)]
    for child in children: child.start()
    for child in children: child.join(60); assert child.exitcode == 0, child.exitcode
"""
    (tmp_path / "train.py").write_text(script)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TRACKWIRE_", "MLFLOW_"))}
    environment["PYTHONPATH"] = str(ROOT / "client")
    subprocess.run([sys.executable, "train.py", "fork"], cwd=tmp_path, env=environment, check=True, timeout=60)
    points = points_of(run_records(tmp_path / ".trackwire" / "spool", "r"))
    assert len(points) == len(set(points)) == 400

"""What a training prints, kept beside what it logs; on the terminal nothing is different."""

import contextlib
import io
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.client.offline_training import without_server
from tests.client.spooled import files_of, run_records, statuses
from tests.conftest import ServerProcess

import trackwire
from trackwire.console import capture
from trackwire.errors import InvalidArgumentError
from trackwire.fluent import console

TIMEOUT_SECONDS = 60


def printed(spool: Path, run_id: str) -> list[str]:
    """All lines that were captured of a run without their times; in the order of their parts."""
    return [line for part in parts_of(spool, run_id) for line in part]


def parts_of(spool: Path, run_id: str) -> list[list[str]]:
    parts = {path: text for path, text in files_of(spool, run_id).items() if path.startswith("console/")}
    return [[line[25:] for line in parts[path].decode().splitlines()[1:]] for path in sorted(parts)]


PROGRAM = """
import logging, subprocess, sys
# Has held the stream since long before the run.
logging.basicConfig(format="%(message)s")
import trackwire
streams = sys.stdout, sys.stderr
with trackwire.start_run(run_id="r", mode="offline"):
    assert streams == (sys.stdout, sys.stderr)
    for stream in streams:
        print(stream.isatty(), stream.fileno(), stream.encoding, stream.errors, stream.line_buffering, file=stream)
    for percent in range(0, 101, 10):
        print(f"\\r{percent} %", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    logging.warning("by a logger")
    sys.stdout.writelines(["a\\n", "b\\n"])
    sys.stdout.flush()
    sys.stdout.buffer.write(b"below the stream\\n")
    sys.stdout.flush()
    subprocess.run(["echo", "by another process"])
    print("\\x1b[31mred\\x1b[0m", "\\u00e9", sep="|")
    print("half", end="")
print("after")
assert streams == (sys.stdout, sys.stderr)
assert not any("write" in vars(stream) for stream in streams)
assert "grpc" not in sys.modules
"""


def run_program(folder: Path, program: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    folder.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=without_server() | environment,
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
        check=True,
    )


def run_on_terminal(folder: Path, program: str, **environment: str) -> bytes:
    """All that a terminal gets to see of it."""
    folder.mkdir(exist_ok=True)
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=folder,
        env=without_server() | environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = []
    # The last of its holders is gone: Linux says EIO.
    with contextlib.suppress(OSError):
        while data := os.read(ours, 65_536):
            seen.append(data)
    os.close(ours)
    assert process.wait(TIMEOUT_SECONDS) == 0, b"".join(seen)
    return b"".join(seen)


def test_terminal_sees_the_same_bytes_in_the_same_order(tmp_path: Path) -> None:
    off = run_on_terminal(tmp_path / "off", PROGRAM, TRACKWIRE_CONSOLE="off")
    on = run_on_terminal(tmp_path / "on", PROGRAM, TRACKWIRE_CONSOLE="on")
    assert on == off
    assert b"True 1 utf-8" in on
    assert b"\r90 %\r100 %" in on
    assert printed(tmp_path / "on" / ".trackwire" / "spool", "r")[-1] == "out half"
    assert not files_of(tmp_path / "off" / ".trackwire" / "spool", "r")


def test_pipes_get_the_same_bytes_and_the_captured_copy_is_readable(tmp_path: Path) -> None:
    off = run_program(tmp_path / "off", PROGRAM)
    on = run_program(tmp_path / "on", PROGRAM, TRACKWIRE_CONSOLE="on")
    assert (on.stdout, on.stderr) == (off.stdout, off.stderr)
    streams = [line.rsplit(" ", 3)[0] for line in on.stdout.decode().splitlines()[:1]]
    assert streams == ["False 1"]
    found = printed(tmp_path / "on" / ".trackwire" / "spool", "r")
    assert found[0].startswith("out False 1 utf-8")
    assert found[1].startswith("err False 2 utf-8")
    # What goes below the stream isn't seen.
    assert found[2:] == ["err 100 %", "err by a logger", "out a", "out b", "out red|é", "out half"]


def test_run_that_says_so_captures_whatever_the_environment_says(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, argument, captured in (
        ("", None, True),
        ("", False, False),
        ("off", None, False),
        ("off", True, True),
        ("on", False, False),
        ("on", None, True),
    ):
        monkeypatch.setenv("TRACKWIRE_CONSOLE", variable)
        with trackwire.start_run(console=argument) as run:
            print("hello")
        assert printed(spool, run.info.run_id) == (["out hello"] if captured else [])
    with trackwire.start_run(console=True, mode="disabled"):
        assert "write" not in vars(sys.stdout)


@pytest.mark.parametrize(
    ("variable", "argument", "told"),
    [
        ("yes", None, "TRACKWIRE_CONSOLE: 'yes': must be one of on, off"),
        ("on", "on", "console: 'on': must be True, False or None"),
        ("on", 1, "console: 1: must be True, False or None"),
    ],
)
def test_other_values_are_refused_before_a_run_is_made(
    spool: Path, monkeypatch: pytest.MonkeyPatch, variable: str, argument: object, told: str
) -> None:
    monkeypatch.setenv("TRACKWIRE_CONSOLE", variable)
    with pytest.raises(InvalidArgumentError, match=told):
        trackwire.start_run(console=argument)  # type: ignore[arg-type]  # what is refused
    assert trackwire.active_run() is None
    assert not spool.exists()


def test_innermost_run_of_a_thread_gets_what_the_thread_prints(spool: Path) -> None:
    with trackwire.start_run(run_id="outer", console=True):
        print("outer begins")
        with trackwire.start_run(run_id="inner", nested=True):
            print("inner")
        with trackwire.start_run(run_id="silent", nested=True, console=False):
            print("silent")
        print("outer ends")
    print("after")
    assert printed(spool, "outer") == ["out outer begins", "out outer ends"]
    assert printed(spool, "inner") == ["out inner"]
    assert printed(spool, "silent") == []


def test_runs_of_threads_get_what_their_threads_print(spool: Path) -> None:
    def train(number: int) -> None:
        with trackwire.start_run(run_id=f"thread-{number}", console=True):
            for step in range(200):
                print(f"{number}: {step}")

    threads = [threading.Thread(target=train, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "write" not in vars(sys.stdout)
    for number in range(4):
        assert printed(spool, f"thread-{number}") == [f"out {number}: {step}" for step in range(200)]


def test_thread_without_a_run_prints_into_the_one_that_was_started_last(spool: Path) -> None:
    with trackwire.start_run(run_id="first", console=True), trackwire.start_run(run_id="last", nested=True):
        thread = threading.Thread(target=print, args=("by a thread",))
        thread.start()
        thread.join()
    assert printed(spool, "last") == ["out by a thread"]


def test_part_is_there_while_the_run_goes_on(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "FIRST_PART_SECONDS", 0.0)
    monkeypatch.setattr(console, "TURN_SECONDS", 0.01)
    with trackwire.start_run(console=True) as run:
        for number in range(2):
            print(f"line {number}")
            deadline = time.monotonic() + TIMEOUT_SECONDS
            while len(list(spool.glob("streams/*/files/*"))) <= number:
                assert time.monotonic() < deadline
                time.sleep(0.01)
    assert parts_of(spool, run.info.run_id) == [["out line 0"], ["out line 1"]]


def test_output_that_is_redirected_is_not_printed(spool: Path) -> None:
    with trackwire.start_run(console=True) as run:
        with contextlib.redirect_stdout(io.StringIO()) as kept:
            print("elsewhere")
        print("here")
    assert kept.getvalue() == "elsewhere\n"
    assert printed(spool, run.info.run_id) == ["out here"]


class Shouting:
    """What some libraries put in the place of a stream."""

    def __init__(self, below: io.TextIOBase) -> None:
        self.below = below

    def write(self, text: str) -> int:
        return self.below.write(text.upper())

    def flush(self) -> None:
        self.below.flush()


def test_who_wraps_a_stream_meanwhile_keeps_what_they_have(
    spool: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    below = sys.stdout
    with trackwire.start_run(console=True) as first:
        print("bare")
        monkeypatch.setattr(sys, "stdout", Shouting(below))
        print("wrapped")
        with trackwire.start_run(nested=True) as inner:
            print("wrapped again")
    assert isinstance(sys.stdout, Shouting)
    print("after")
    assert "write" not in vars(below)
    assert capsys.readouterr().out == "bare\nWRAPPED\nWRAPPED AGAIN\nAFTER\n"
    assert printed(spool, first.info.run_id) == ["out bare", "out WRAPPED"]
    # Heard where it was printed, once.
    assert printed(spool, inner.info.run_id) == ["out wrapped again"]


def test_stream_that_cannot_be_tapped_is_told_once_and_stays(
    spool: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Bare:
        __slots__ = ("text",)

        def __init__(self) -> None:
            self.text = ""

        def write(self, text: str) -> int:
            self.text += text
            return len(text)

    monkeypatch.setattr(console._streams, "_untappable_is_told", False)
    bare = Bare()
    monkeypatch.setattr(sys, "stdout", bare)
    monkeypatch.setattr(sys, "stderr", None)
    for _ in range(2):
        with trackwire.start_run(console=True):
            print("hello")
    assert bare.text == "hello\n" * 2
    [told] = caplog.records
    assert "what is written to sys.stdout can't be captured" in told.message


def test_failure_to_capture_never_reaches_who_prints(
    spool: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("no")

    with trackwire.start_run(console=True):
        monkeypatch.setattr(capture.Capture, "hear", fail)
        print("hello")
    monkeypatch.undo()
    monkeypatch.setattr(capture.Capture, "_take_in", fail)
    with trackwire.start_run(console=True):
        print("hello")
    assert [record.message for record in caplog.records] == ["console: what is printed can't be kept"]


def test_exception_that_leaves_the_run_is_there(spool: Path) -> None:
    def train() -> None:
        with trackwire.start_run(run_id="r", console=True):
            print("begun")
            raise ValueError("loss is nan")

    with pytest.raises(ValueError, match="loss is nan"):
        train()
    found = printed(spool, "r")
    assert found[:2] == ["out begun", "--- the run is left by an exception:"]
    assert found[-1] == "--- ValueError: loss is nan"


def test_run_that_nobody_ends_has_the_traceback_that_the_interpreter_prints(tmp_path: Path) -> None:
    program = "import trackwire\ntrackwire.start_run(run_id='r', console=True)\nprint('begun')\nraise ValueError('nan')"
    with pytest.raises(subprocess.CalledProcessError):
        run_program(tmp_path, program)
    found = printed(tmp_path / ".trackwire" / "spool", "r")
    assert found[0] == "out begun"
    assert found[-1] == "err ValueError: nan"


NOTEBOOK = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
def cell(lines):
    assert shell.run_cell(lines).success
cell("import trackwire; run = trackwire.start_run(run_id='r', console=True); print('cell 1')")
cell("print('cell 2')")
cell("for number in range(2): print('cell 3', number)")
cell("trackwire.end_run(); print('cell 4')")
assert "Tap" not in repr(sys.stdout.write)
cell("print('cell 5')")
assert not shell.events.callbacks["pre_run_cell"]
"""


def test_cells_of_a_notebook_are_heard_though_each_puts_the_streams_back(tmp_path: Path) -> None:
    done = run_program(tmp_path, NOTEBOOK, IPYTHONDIR=str(tmp_path / "ipython"))
    lines = ["cell 1", "cell 2", "cell 3 0", "cell 3 1", "cell 4", "cell 5"]
    assert done.stdout.decode().splitlines() == lines
    assert printed(tmp_path / ".trackwire" / "spool", "r") == [f"out {line}" for line in lines[:4]]


FORK = """
import multiprocessing, os, sys, threading, trackwire
def work(number):
    print(f"child {number}")
    print("warned", file=sys.stderr)
if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    with trackwire.start_run(run_id="r", console=True):
        print("parent, before")
        children = [context.Process(target=work, args=(number,)) for number in range(4)]
        for child in children: child.start()
        for child in children: child.join(); assert child.exitcode == 0
        if os.fork() == 0:
            # As a worker that is in a hurry: nothing is kept, and nothing waits.
            print("gone")
            os._exit(0)
        os.wait()
        print("parent, after")
"""


def test_forked_child_has_parts_of_its_own(tmp_path: Path) -> None:
    run_program(tmp_path, FORK)
    spool = tmp_path / ".trackwire" / "spool"
    assert sorted(parts_of(spool, "r")) == [
        *([f"out child {number}", "err warned"] for number in range(4)),
        ["out parent, before", "out parent, after"],
    ]
    # The first is RUNNING: the id was given.
    assert len(statuses(run_records(spool, "r"))) == 2


def test_console_is_among_the_artifacts_of_the_server(live: ServerProcess, tmp_path: Path) -> None:
    program = "import trackwire\nwith trackwire.start_run(run_id='seen', console=True, rank=2): print('hello')"
    run_program(tmp_path, program, TRACKWIRE_TRACKING_URI=live.address)
    with trackwire.Client(live.address) as client:
        [listed] = client.list_artifacts("seen", "console/2")
        part = client.read_artifact("seen", listed.path)
    assert part.decode().splitlines()[-1].endswith("Z out hello")

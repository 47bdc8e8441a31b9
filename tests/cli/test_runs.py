"""Which runs the command line finds where nobody says, and what it says of a run that is so already."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import invoke
from tests.conftest import ServerProcess

from trackwire.cli import main
from trackwire.cli.runs import EXPERIMENTS_PER_SEARCH
from trackwire.client import Client
from trackwire_server.core.limits import LIMITS

Refused = Callable[..., tuple[int, str]]
Said = Callable[..., tuple[str, str]]


def test_runs_of_all_active_experiments_are_listed(said: Said, client: Client) -> None:
    first = client.create_run(experiment_name="one", create_experiment=True)
    second = client.create_run(experiment_name="two", create_experiment=True)
    printed, words = said("runs", "list")
    assert first.run_id in printed
    assert second.run_id in printed
    assert words == ""
    client.delete_experiment(second.experiment_id)
    assert second.run_id not in said("runs", "list")[0]
    assert second.run_id in said("runs", "list", "--view", "deleted_only")[0]


def test_a_search_that_finds_nothing_says_where_it_looked(said: Said, client: Client) -> None:
    client.create_experiment("empty")
    assert said("runs", "list", "--experiment-name", "empty", "--json") == (
        "",
        "trackwire: no runs match in 1 experiment\n",
    )
    active = len(list(client.search_experiments()))
    _, words = said("runs", "list", "--filter", "run_name = 'nobody'")
    assert words == f"trackwire: no runs match in {active} experiments\n"


def test_more_experiments_than_one_search_takes_are_refused(tmp_path: Path) -> None:
    assert LIMITS.experiments_per_search == EXPERIMENTS_PER_SEARCH
    server = ServerProcess(tmp_path / "data", arguments=("--store-uri", "memory:"))
    address = server.start()
    try:
        with Client(address) as client:
            for number in range(EXPERIMENTS_PER_SEARCH):
                client.create_experiment(f"number {number}")
        done = invoke("runs", "list", address=address)
    finally:
        assert server.stop() == 0
    assert (done.returncode, done.stdout) == (1, "")
    assert "more than 1,000 experiments" in done.stderr
    assert "--experiment-id" in done.stderr


def test_run_that_is_not_heard_of_any_more_is_marked(
    live: ServerProcess, client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    start_time_ms = time.time_ns() // 1_000_000 - 7_200_000
    heard, _, ended = (client.create_run(run_name=name, start_time_ms=start_time_ms).run_id for name in "abc")
    client.heartbeat_run(heard)
    client.heartbeat_run(ended)
    client.update_run(ended, status="FINISHED")
    arguments = ["--server", live.address, "runs", "list", "--filter", "run_name IN ('a', 'b', 'c')"]

    def statuses() -> dict[str, str]:
        assert main(arguments) == 0
        rows = [re.split("  +", line) for line in capsys.readouterr().out.splitlines()[1:]]
        return {row[1]: f"{row[2]} {row[4]}" for row in rows}

    assert statuses() == {"a": "RUNNING 2h00m", "b": "RUNNING 2h00m", "c": "FINISHED 2h00m"}
    now = time.time()
    # An hour later.
    monkeypatch.setattr("time.time", lambda: now + 3_600)
    assert statuses() == {"a": "RUNNING (silent for 1h00m) 2h00m", "b": "RUNNING 3h00m", "c": "FINISHED 2h00m"}
    assert main(["--server", live.address, "runs", "get", heard]) == 0
    assert "RUNNING (silent for 1h00m)" in capsys.readouterr().out


def test_what_is_so_already_is_said(said: Said, client: Client) -> None:
    run_id = client.create_run().run_id
    assert said("runs", "restore", run_id)[0] == f"run {run_id} is active already\n"
    said("runs", "stop", run_id)
    assert client.get_run(run_id).stop_requested
    said("runs", "delete", run_id)
    assert said("runs", "delete", run_id)[0] == f"run {run_id} is deleted already\n"
    assert said("runs", "restore", run_id)[0] == f"run {run_id} is active\n"


def test_a_run_is_ended_once(said: Said, refused: Refused, client: Client) -> None:
    run_id = client.create_run().run_id
    assert said("runs", "end", run_id, "--status", "failed")[0] == f"run {run_id} has ended: FAILED\n"
    ended = client.get_run(run_id)
    assert ended.HasField("end_time_ms")
    assert said("runs", "end", run_id, "--status", "FAILED")[0] == f"run {run_id} has ended already: FAILED\n"
    assert refused("runs", "end", run_id) == (
        1,
        f"trackwire: run {run_id} has ended already: FAILED, not FINISHED\n",
    )
    assert said("runs", "stop", run_id)[0] == f"run {run_id} has ended already: FAILED\n"
    assert client.get_run(run_id) == ended
    client.delete_run(run_id)
    assert "deleted" in refused("runs", "end", run_id)[1]

"""`trackwire sync` to a server that asks for tokens: what it says, and what it leaves."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.access.guarded import Guarded
from tests.cli.syncing import sync
from tests.client.shipper.shipping import begin, finish, log_points, stored_values, until, wait_for_shipper
from tests.client.training import spool_of, start, training_folder

from trackwire.spool.places import absence_of

GOES_ON = """
import trackwire
with trackwire.start_run(run_id="goes-on"):
    trackwire.log_metric("loss", 1.0)
    input()
"""


@pytest.fixture(autouse=True)
def reader(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test itself reads with."""
    guarded.trust(monkeypatch, "read")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with training_folder(tmp_path) as folder:
        yield folder


@pytest.mark.parametrize(
    ("run_id", "token", "words"),
    [
        ("without", "", "there is no token"),
        ("unknown", "tw_unheard", "the token is not known"),
        ("reading", "read", "token 'read' has the scope read, and this needs write"),
    ],
)
def test_token_that_does_not_count_is_told_and_all_waits_for_a_better_one(
    guarded: Guarded, folder: Path, run_id: str, token: str, words: str
) -> None:
    stream = begin(spool_of(folder), run_id, "")
    log_points(stream, [0, 1])
    finish(stream)
    known = {**guarded.environment(), "TRACKWIRE_TOKEN": guarded.secrets.get(token, token)}
    done = sync("--to", guarded.address, "--timeout-seconds", "5", folder=folder, **known)
    assert done.returncode == 1
    assert words in done.stderr
    assert "tw_unheard" not in done.stdout + done.stderr
    assert not any(stream.place.rejected_folder.glob("*"))
    again = sync("--to", guarded.address, folder=folder, **guarded.environment("write"))
    assert again.returncode == 0, again.stderr
    assert stored_values(guarded.address, run_id) == [0, 1]


def test_token_is_not_sent_in_clear_to_another_machine(guarded: Guarded, folder: Path) -> None:
    stream = begin(spool_of(folder), "elsewhere", "")
    log_points(stream, [0])
    finish(stream)
    done = sync("--to", "192.0.2.1:5051", folder=folder, **guarded.environment("write"))
    assert done.returncode == 1
    assert "a token is not sent in clear to 192.0.2.1:5051" in done.stderr
    assert stream.place.segments()


def test_shipper_that_calls_with_another_token_is_asked_to_go(guarded: Guarded, folder: Path) -> None:
    spool = spool_of(folder)
    refused = {**guarded.environment(), "TRACKWIRE_TOKEN": "tw_unheard"}
    with start(folder, GOES_ON, guarded.address, refused) as training:
        before = wait_for_shipper(spool)
        assert until(lambda: absence_of(spool, guarded.address) is not None)
        done = sync("--timeout-seconds", "20", folder=folder, **guarded.environment("write"))
        assert f"process {before.pid} on " in done.stderr
        assert "calls with another token: it was asked to let go" in done.stderr
        assert until(lambda: stored_values(guarded.address, "goes-on") == [1])
        training.kill()

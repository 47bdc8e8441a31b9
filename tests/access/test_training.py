"""A training whose token does not count goes on as if nothing were; a better one has all of it delivered."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.access.guarded import Guarded
from tests.client.shipper.shipping import until
from tests.client.training import ended, shipper_of, shippers_of, spool_of, start, training_folder

from trackwire.client import Client
from trackwire.errors import NotFoundError

TRAIN = """
import sys, time
from pathlib import Path
import trackwire
with trackwire.start_run(run_id=sys.argv[1]) as run:
    for step in range(100):
        trackwire.log_metric("loss", step, step=step)
    trackwire.log_text("hello", "hello.txt")
    while sys.argv[2] == "in vain" and not list(Path(".trackwire/spool/away").glob("*")):
        time.sleep(0.05)
    print(trackwire.flush(2 if sys.argv[2] == "in vain" else 50))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with training_folder(tmp_path) as folder:
        yield folder


@pytest.fixture
def client(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    guarded.trust(monkeypatch, "admin")
    with Client(guarded.address) as client:
        yield client


def environment(guarded: Guarded, token: str) -> dict[str, str]:
    return {**guarded.environment(), "TRACKWIRE_TOKEN": guarded.secrets.get(token, token)}


def train(guarded: Guarded, folder: Path, token: str, run_id: str, how: str = "well") -> tuple[str, str]:
    """What a training has printed to its two streams, which must end well."""
    arguments = (run_id, how)
    with start(folder, TRAIN, guarded.address, environment(guarded, token), arguments=arguments) as process:
        return ended(process)


def is_whole(client: Client, run_id: str) -> bool:
    try:
        series = client.read_metrics(run_id, "loss").series
        paths = [file.path for file in client.list_artifacts(run_id)]
    except NotFoundError:
        return False
    return bool(series) and series[0].values.tolist() == list(range(100)) and "hello.txt" in paths


def test_training_with_a_token_logs_over_tls(guarded: Guarded, folder: Path, client: Client) -> None:
    out, _ = train(guarded, folder, "write", "good")
    assert out == "True\n"
    assert is_whole(client, "good")


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("tw_unheard", "the token is not known"),
        ("read", "token 'read' has the scope read, and this needs write"),
        ("", "there is no token"),
    ],
)
def test_token_that_does_not_count_ends_no_training_and_is_told(
    guarded: Guarded, folder: Path, token: str, words: str, client: Client
) -> None:
    run_id = f"refused-{len(token)}"
    out, err = train(guarded, folder, token, run_id, "in vain")
    assert out == "False\n"
    # What flush waited for in vain, and why the end did not wait at all.
    assert re.search(rf"not all of it is durable after 2 s: .*{re.escape(words)}", err)
    assert re.search(rf"run {run_id}: .*{re.escape(words)}.*; what it has not got is kept", err)
    log = (spool_of(folder) / "shipper.log").read_text()
    assert words in log
    assert " event=refused " not in log
    secrets = [*guarded.secrets.values(), "tw_unheard"]
    kept = [path.read_bytes() for path in spool_of(folder).rglob("*") if path.is_file()]
    assert not any(secret.encode() in content for secret in secrets for content in [*kept, err.encode()])
    # The next training has a better one, and its shipper takes the place of the one that can do nothing.
    before = shipper_of(folder).pid
    out, _ = train(guarded, folder, "write", f"{run_id}-next")
    assert out == "True\n"
    assert until(lambda: is_whole(client, run_id) and is_whole(client, f"{run_id}-next"))
    assert before not in [process.pid for process in shippers_of(folder)]

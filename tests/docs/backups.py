"""Writers whose every point and file can be told, and a server that is backed up beside them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from trackwire import Client
from trackwire.columns import MetricColumns

WRITERS = 3
STEPS = 20
KEYS = ("loss", "accuracy")
FILES_TAG = "files"
REQUESTS_A_FLUSH = 5


def values_of(key: str, number: int, steps: int) -> bytes:
    """The values of a writer's series up to a step, bit for bit."""
    return (np.arange(steps) * (KEYS.index(key) + 1) + number / 8).tobytes()


def file_of(number: int, at: int) -> tuple[str, bytes]:
    """The path and the bytes of one of a writer's files."""
    return f"files/{at}.bin", f"{number}/{at}".encode() * 100


@dataclass(slots=True)
class Writers:
    """Each logs into a run of its own; how far each is, as acknowledged."""

    address: str
    steps: dict[int, int] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    failures: list[BaseException] = field(default_factory=list)

    def run(self, number: int) -> None:
        """Until it is stopped. A file is told of, by a tag, behind its upload."""
        try:
            with Client(self.address) as client:
                client.create_run(run_id=f"run-{number}")
                with client.metric_writer(f"run-{number}") as writer:
                    for at in range(1_000_000):
                        for part in range(REQUESTS_A_FLUSH):
                            writer.add(columns(number, (at * REQUESTS_A_FLUSH + part) * STEPS))
                        writer.flush()
                        path, data = file_of(number, at)
                        client.upload_bytes(f"run-{number}", data, path)
                        client.set_tag(f"run-{number}", FILES_TAG, at + 1)
                        self.steps[number] = (at + 1) * REQUESTS_A_FLUSH * STEPS
                        if self.stop.is_set():
                            return
        except BaseException as error:
            self.failures.append(error)
            raise


def columns(number: int, first_step: int) -> MetricColumns:
    """One request's points."""
    steps = np.arange(first_step, first_step + STEPS)
    values = [np.frombuffer(values_of(key, number, first_step + STEPS))[first_step:] for key in KEYS]
    return MetricColumns(
        keys=list(KEYS),
        counts=[STEPS] * len(KEYS),
        steps=np.tile(steps, len(KEYS)),
        times_ms=np.tile(1_790_000_000_000 + steps, len(KEYS)),
        values=np.concatenate(values),
    )


@contextmanager
def writing(address: str) -> Iterator[Writers]:
    """Writers at work, until the block ends."""
    writers = Writers(address)
    threads = [threading.Thread(target=writers.run, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    try:
        yield writers
    finally:
        writers.stop.set()
        for thread in threads:
            thread.join(60)
    assert writers.failures == []


def check_whole(address: str, at_least: dict[int, int]) -> None:
    """Each run has what was acknowledged, and of the rest whole requests in order, and each file that is told of."""
    with Client(address) as client:
        for number, acknowledged in at_least.items():
            found = {series.key: series for series in client.read_metrics([f"run-{number}"]).series}
            steps = len(found[KEYS[0]])
            assert steps >= acknowledged
            assert steps % STEPS == 0
            for key in KEYS:
                assert found[key].values.tobytes() == values_of(key, number, steps)
            counts = {summary.key: summary.count for summary in client.get_metric_summaries([f"run-{number}"])}
            assert counts == dict.fromkeys(KEYS, steps)
            for at in range(int(client.get_run(f"run-{number}").tags[FILES_TAG])):
                path, data = file_of(number, at)
                assert client.read_artifact(f"run-{number}", path) == data

"""Trains several networks at once, a process each, and tells how far they are."""

import multiprocessing
import os
import queue
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TYPE_CHECKING

from examples.digits.interrupts import hidden_from_children
from examples.digits.network import Digits
from examples.digits.training import Settings, Trained, train

import trackwire

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

POLL_SECONDS = 0.2
STOP_SECONDS_MAX = 15.0
CLIENT_VARIABLES = ("TRACKWIRE_", "MLFLOW_")
# The networks are small: one thread each, or the processes fight over the cores.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class WorkerFailedError(Exception):
    """A worker did not finish; the text is its traceback, where it had one."""


@dataclass(frozen=True, slots=True)
class Job:
    """What all workers of one start share."""

    address: str
    spool: Path
    session: str
    digits: Digits


@dataclass(frozen=True, slots=True)
class Message:
    """From a worker: an epoch is done, or it is over, well or not."""

    worker: int
    epochs: int = 0
    trained: Trained | None = None
    failure: str = ""


def train_all(job: Job, settings: Sequence[Settings], on_epoch: Callable[[int, int], None]) -> list[Trained]:
    """Trains a network by each of the settings; `on_epoch` hears which one has done how many epochs.

    Raises WorkerFailedError. However it ends, no process is left.
    """
    spawn = multiprocessing.get_context("spawn")
    messages: Queue[Message] = spawn.Queue()
    stopped = spawn.Event()
    workers = [
        spawn.Process(target=_work, args=(worker, job, chosen, messages, stopped), daemon=True)
        for worker, chosen in enumerate(settings)
    ]
    try:
        _start(workers)
        return _gather(workers, messages, on_epoch)
    finally:
        stopped.set()
        for worker in workers:
            _end(worker, messages)


def _start(workers: Sequence[SpawnProcess]) -> None:
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        with hidden_from_children():
            for worker in workers:
                worker.start()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _gather(
    workers: Sequence[SpawnProcess], messages: "Queue[Message]", on_epoch: Callable[[int, int], None]
) -> list[Trained]:
    trained: dict[int, Trained] = {}
    while len(trained) < len(workers):
        try:
            message = messages.get(timeout=POLL_SECONDS)
        except queue.Empty:
            for number, worker in enumerate(workers):
                if number not in trained and worker.exitcode:
                    raise WorkerFailedError(f"worker {number} ended with status {worker.exitcode}") from None
            continue
        if message.failure:
            raise WorkerFailedError(message.failure)
        if message.trained is not None:
            trained[message.worker] = message.trained
        else:
            on_epoch(message.worker, message.epochs)
    return [trained[number] for number in range(len(workers))]


def _end(worker: SpawnProcess, messages: "Queue[Message]") -> None:
    if worker.pid is None:
        return
    # A worker can't end while what it has put into the queue is not taken out.
    for _ in range(round(STOP_SECONDS_MAX / POLL_SECONDS)):
        worker.join(POLL_SECONDS)
        if worker.exitcode is not None:
            return
        while not messages.empty():
            messages.get()
    worker.kill()
    worker.join()


def _forget_choices() -> None:
    """What the shell says of its own trainings, such as TRACKWIRE_MODE and TRACKWIRE_RUN_ID, is not meant for these."""
    for name in [name for name in os.environ if name.startswith(CLIENT_VARIABLES)]:
        del os.environ[name]


def _work(worker: int, job: Job, settings: Settings, messages: "Queue[Message]", stopped: Event) -> None:
    try:
        _forget_choices()
        os.environ["TRACKWIRE_SPOOL_DIR"] = str(job.spool)
        # Nothing is to be left running once all is delivered.
        os.environ["TRACKWIRE_SHIPPER_IDLE_SECONDS"] = "0"
        trackwire.set_tracking_uri(job.address)
        trained = train(
            job.digits,
            settings,
            session=job.session,
            is_stopped=stopped.is_set,
            on_epoch=lambda epochs: messages.put(Message(worker, epochs=epochs)),
        )
    except KeyboardInterrupt:
        messages.put(Message(worker, failure=f"run lr-{settings.learning_rate:g} was asked to stop"))
    except Exception:
        messages.put(Message(worker, failure=traceback.format_exc()))
    else:
        messages.put(Message(worker, trained=trained))

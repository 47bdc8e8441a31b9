"""Processes that fork, spawn and run threads while they log: none hangs, and all that each of them said is there."""

from pathlib import Path

import pytest
from tests.client.training import ended, spool_of, start, stored, train, wait_until_delivered
from tests.conftest import ServerProcess

from trackwire.client import Client
from trackwire.v1.runs_pb2 import RUN_STATUS_FINISHED

FORKS = 50
THREADS = 32

# Fifty epochs, each with four fresh workers, as a DataLoader makes them; torch's own where it is there.
WORKERS = """
import importlib.util, multiprocessing, trackwire

run = trackwire.start_run(run_id="workers")

class Items:
    def __len__(self):
        return 8

    def __getitem__(self, item):
        trackwire.log_metric(f"item/{item}", float(epoch), epoch)
        return item

def epochs_of_torch():
    from torch.utils.data import DataLoader
    return lambda: list(DataLoader(Items(), batch_size=None, num_workers=4, multiprocessing_context="fork"))

def epochs_of_a_pool():
    def load():
        pool = multiprocessing.get_context("fork").Pool(4)
        pool.map(Items().__getitem__, range(8), chunksize=1)
        pool.close()
        pool.join()
    return load

load = epochs_of_torch() if importlib.util.find_spec("torch") else epochs_of_a_pool()
for epoch in range(FORKS):
    load()
    trackwire.log_metric("loss", float(epoch), epoch)
trackwire.end_run()
""".replace("FORKS", str(FORKS))


@pytest.mark.slow
def test_fifty_rounds_of_workers_log_beside_their_parent_and_none_hangs(
    server_process: ServerProcess, folder: Path
) -> None:
    _, err = train(folder, WORKERS, server_process.address)
    assert err == ""
    wait_until_delivered(folder)
    expected = [float(epoch) for epoch in range(FORKS)]
    keys = ["loss", *(f"item/{item}" for item in range(8))]
    assert stored(server_process.address, "workers") == dict.fromkeys(sorted(keys), expected)
    with Client(server_process.address) as client:
        assert client.get_run("workers").status == RUN_STATUS_FINISHED


def test_workers_that_do_not_log_leave_no_stream(folder: Path) -> None:
    script = """
import multiprocessing, trackwire
run = trackwire.start_run(run_id="quiet")
trackwire.log_metric("loss", 1.0)
with multiprocessing.get_context("fork").Pool(4) as pool:
    pool.map(abs, range(8))
    pool.close()
    pool.join()
"""
    train(folder, script)
    assert len(list((spool_of(folder) / "streams").iterdir())) == 1


# Each child is forked while another thread of the parent is in the middle of a call, or the writer of a write.
FORKED_WHILE_LOGGING = """
import os, sys, threading, time, trackwire

run = trackwire.start_run(run_id="forked")
ending = threading.Event()
steps = 0

def log():
    global steps
    while not ending.is_set():
        run.log_metrics({"loss": float(steps), "acc": -float(steps)}, steps)
        run.log_metric("single", float(steps), steps)
        steps += 1
        if steps % 50 == 0:
            time.sleep(0.0001)

thread = threading.Thread(target=log)
thread.start()
for number in range(FORKS):
    child = os.fork()
    if not child:
        for step in range(20):
            trackwire.log_metric(f"child/{number}", float(step), step)
        trackwire.end_run()
        os._exit(0)
    deadline = time.monotonic() + 40
    while not (found := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > deadline:
            os.kill(child, 9)
            os.write(2, b"a child hangs")
            os._exit(1)
        time.sleep(0.002)
    assert found[1] == 0
ending.set()
thread.join()
trackwire.end_run()
print(steps)
""".replace("FORKS", str(FORKS))


@pytest.mark.slow
def test_fifty_forks_in_the_middle_of_a_threads_logging_lose_nothing(
    server_process: ServerProcess, folder: Path
) -> None:
    out, err = train(folder, FORKED_WHILE_LOGGING, server_process.address)
    assert err == ""
    wait_until_delivered(folder)
    found = stored(server_process.address, "forked")
    expected = [float(step) for step in range(int(out))]
    assert found.pop("loss") == found.pop("single") == expected
    assert found.pop("acc") == [-value for value in expected]
    assert found == {f"child/{number}": [float(step) for step in range(20)] for number in range(FORKS)}


def test_spawned_processes_log_into_their_parents_run(server_process: ServerProcess, folder: Path) -> None:
    script = """
import multiprocessing, trackwire
def work(run_id, number):
    for step in range(500):
        trackwire.log_metric(f"worker/{number}", float(step), step, run_id=run_id)
if __name__ == "__main__":
    with trackwire.start_run() as run:
        trackwire.log_metric("loss", 1.0, 0)
        context = multiprocessing.get_context("spawn")
        workers = [context.Process(target=work, args=(run.info.run_id, number)) for number in range(4)]
        for worker in workers: worker.start()
        for worker in workers: worker.join(); assert worker.exitcode == 0
    print(run.info.run_id)
"""
    out, err = train(folder, script, server_process.address)
    assert err == ""
    wait_until_delivered(folder)
    steps = [float(step) for step in range(500)]
    assert stored(server_process.address, out.strip()) == {
        "loss": [1.0],
        **{f"worker/{number}": steps for number in range(4)},
    }
    with Client(server_process.address) as client:
        assert client.get_run(out.strip()).status == RUN_STATUS_FINISHED


# Half of the threads log by the run, half by the module and its id.
THREADS_INTO_ONE = """
import threading, trackwire
with trackwire.start_run(run_id="one") as run:
    def work(number):
        for step in range(500):
            if number % 2:
                run.log_metric(f"thread/{number}", float(step), step)
            else:
                trackwire.log_metrics({f"thread/{number}": float(step)}, step, run_id="one")
    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
""".replace("THREADS", str(THREADS))
THREADS_INTO_THEIR_OWN = """
import threading, trackwire
def work(number):
    with trackwire.start_run(run_id=f"own-{number}"):
        for step in range(500):
            trackwire.log_metric("loss", float(number * 1_000 + step), step)
threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
for thread in threads: thread.start()
for thread in threads: thread.join()
""".replace("THREADS", str(THREADS))


def test_thirty_two_threads_log_into_one_run(server_process: ServerProcess, folder: Path) -> None:
    with start(folder, THREADS_INTO_ONE, server_process.address) as process:
        assert ended(process)[1] == ""
    wait_until_delivered(folder)
    steps = [float(step) for step in range(500)]
    expected = {f"thread/{number}": steps for number in range(THREADS)}
    assert stored(server_process.address, "one") == expected


def test_thirty_two_threads_log_into_runs_of_their_own(server_process: ServerProcess, folder: Path) -> None:
    with start(folder, THREADS_INTO_THEIR_OWN, server_process.address) as process:
        assert ended(process)[1] == ""
    wait_until_delivered(folder)
    with Client(server_process.address) as client:
        for number in range(THREADS):
            expected = [float(number * 1_000 + step) for step in range(500)]
            assert stored(server_process.address, f"own-{number}") == {"loss": expected}
            assert client.get_run(f"own-{number}").status == RUN_STATUS_FINISHED

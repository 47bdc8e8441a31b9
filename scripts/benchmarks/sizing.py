"""Measures what points cost a server and its disk: a JSON line for each number of points.

One client logs noise around a decay in full precision, 20 series at real times, into runs of a million points each.
Memory is the server's alone. Written is what reached the disk until all is compacted: for SQLite by the kernel's count
for the server, for PostgreSQL by its own write-ahead log, beside which its tables are written too. Stored is the
database when all is compacted and pruned, and once more when it has been packed (VACUUM, VACUUM FULL).

Then as many clients as `--clients` says, over a connection each, send a step of 20 series five times a second.
"""

import argparse
import asyncio
import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg  # type: ignore[import-untyped]
import numpy as np
from benchmarking import STORES, Server, databases, report, run_together, running_server
from ingest import drain

from trackwire import Client
from trackwire.columns import MetricColumns, encode_ingest

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier

SERIES = 20
STEPS_A_RUN = 50_000
PRUNE_SECONDS_MAX = 60
ROUNDS_A_SECOND = 5
ROUNDS = 50


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench_sizing", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--store", choices=STORES, default="sqlite", help="what the server keeps points in (sqlite)")
    parser.add_argument(
        "--millions", type=int, action="append", help="how many million points; may be repeated (1 and 10)"
    )
    parser.add_argument("--clients", type=int, default=200, help="clients that send a step now and then (200)")
    parser.add_argument("--steps", type=int, default=500, help="steps in one request (500)")
    arguments = parser.parse_args()
    with databases(arguments.store) as fresh:
        for millions in arguments.millions or (1, 10):
            with fresh() as options, running_server("--tail-retention-seconds", "0", *options) as server:
                measure(server, Disk.of(server, options), millions, arguments.steps)
        with fresh() as options, running_server(*options) as server:
            measure_clients(server, arguments.store, arguments.clients)


@dataclass(frozen=True)
class Disk:
    """What a server's database takes of it."""

    store: str
    uri: str
    server: Server

    @classmethod
    def of(cls, server: Server, options: Sequence[str]) -> "Disk":
        return cls("postgresql", options[-1], server) if options else cls("sqlite", "", server)

    def written_bytes(self) -> int:
        if self.uri:
            return int(self._asked("SELECT pg_current_wal_insert_lsn() - '0/0'"))
        return _number_in(Path(f"/proc/{self.server.pid}/io"), "write_bytes:")

    def journal_rows(self) -> int:
        return int(self._asked("SELECT count(*) FROM metric_journal"))

    def stored_bytes(self) -> int:
        return int(self._asked("SELECT pg_database_size(current_database())")) if self.uri else self._file_bytes()

    def packed_bytes(self) -> int:
        self._asked("VACUUM FULL" if self.uri else "VACUUM")
        return self.stored_bytes()

    def connections(self) -> int:
        return int(self._asked("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'trackwire'"))

    def _file_bytes(self) -> int:
        return self.server.database.stat().st_size

    def _asked(self, question: str) -> int:
        if self.uri:
            return asyncio.run(_asked_of_postgresql(self.uri, question))
        with closing(sqlite3.connect(self.server.database, isolation_level=None)) as connection:
            row = connection.execute(question).fetchone()
        return int(row[0]) if row else 0


async def _asked_of_postgresql(uri: str, question: str) -> int:
    connection = await asyncpg.connect(uri)
    try:
        return int(await connection.fetchval(question) or 0)
    finally:
        await connection.close()


def measure(server: Server, disk: Disk, millions: int, steps: int) -> None:
    points = millions * SERIES * STEPS_A_RUN
    idle_mb, written_before, cpu_before = server.megabytes(), disk.written_bytes(), cpu_seconds(server)
    seconds = run_together(log_runs, [(server.address, millions, steps)])
    connections = disk.connections() if disk.uri else 1
    drain(server)
    wait_until_pruned(disk)
    written, cpu = disk.written_bytes() - written_before, cpu_seconds(server) - cpu_before
    after_mb, stored = server.megabytes(), disk.stored_bytes()
    report(
        benchmark="sizing",
        store=disk.store,
        points=points,
        steps_a_request=steps,
        wire_bytes_a_point=round(len(encode_ingest("run-0", columns(0, 0, steps))) / SERIES / steps, 1),
        written_bytes_a_point=round(written / points, 1),
        stored_bytes_a_point=round(stored / points, 1),
        packed_bytes_a_point=round(disk.packed_bytes() / points, 1),
        points_a_second=round(points / seconds),
        server_cpu_seconds_a_million=round(cpu / millions, 2),
        server_idle_mb=round(idle_mb),
        server_peak_mb=round(server.peak_megabytes()),
        server_after_mb=round(after_mb),
        connections=connections,
    )


def log_runs(address: str, runs: int, steps: int, ready: "Barrier") -> None:
    """The one client process."""
    with Client(address) as client:
        ready.wait(60)
        for run in range(runs):
            client.create_run(run_id=f"run-{run}")
            with client.metric_writer(f"run-{run}") as writer:
                for first_step in range(0, STEPS_A_RUN, steps):
                    writer.add(columns(run, first_step, steps))
            client.update_run(f"run-{run}", status="FINISHED")
        ready.wait(600)


def measure_clients(server: Server, store: str, clients: int) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(Client(server.address)) for _ in range(clients)]
        for run, client in enumerate(connections):
            client.create_run(run_id=f"run-{run}")
        writers = [client.metric_writer(f"run-{run}") for run, client in enumerate(connections)]
        cpu_before, started = cpu_seconds(server), time.perf_counter()
        for step in range(ROUNDS):
            for run, writer in enumerate(writers):
                writer.add(columns(run, step, 1))
                due = started + (step + (run + 1) / clients) / ROUNDS_A_SECOND
                time.sleep(max(0.0, due - time.perf_counter()))
        for writer in writers:
            writer.close()
        seconds, cpu = time.perf_counter() - started, cpu_seconds(server) - cpu_before
    report(
        benchmark="sizing",
        store=store,
        clients=clients,
        requests_a_second=round(clients * ROUNDS / seconds),
        cores=round(cpu / seconds, 2),
        server_mb=round(server.megabytes()),
    )


def columns(run: int, first_step: int, steps: int) -> MetricColumns:
    """One request's points."""
    rng = np.random.default_rng([run, first_step])
    all_steps = np.arange(first_step, first_step + steps)
    # A step takes a tenth of a second, more or less.
    times_ms = 1_790_000_000_000 + all_steps * 100 + rng.integers(-20, 20, steps)
    values = np.exp(-all_steps / 50_000) + rng.normal(0, 0.05, (SERIES, steps))
    return MetricColumns(
        keys=[f"metric/{key}" for key in range(SERIES)],
        counts=[steps] * SERIES,
        steps=np.tile(all_steps, SERIES),
        times_ms=np.tile(times_ms, SERIES),
        values=values.ravel(),
    )


def wait_until_pruned(disk: Disk) -> None:
    deadline = time.monotonic() + PRUNE_SECONDS_MAX
    while disk.journal_rows():
        if time.monotonic() > deadline:
            raise SystemExit("the journal is not pruned")
        time.sleep(0.2)


def cpu_seconds(server: Server) -> float:
    """What the server has used so far, in all its threads."""
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _number_in(file: Path, name: str) -> int:
    return next(int(line.split()[1]) for line in file.read_text().splitlines() if line.startswith(name))


if __name__ == "__main__":
    main()

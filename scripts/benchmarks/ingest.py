"""Measures ingest over the wire: JSON lines, each the median of several runs of a fresh server on a fresh database.

Client processes build columns and send them through MetricWriter, several requests under way; the clock stops when the
last of them is acknowledged, which means durable. Compaction is on, and has to have worked off the journal within 30 s.
Then every point is read back and compared, bit for bit. `bare_grpc` is a grpc.aio server that answers the same bytes at
once; `bare_sqlite` writes the same blobs, a transaction each.
"""

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import numpy as np
from benchmarking import (
    BARE_SERVICE,
    STORES,
    Server,
    bare_server,
    databases,
    median,
    report,
    run_together,
    running_server,
)

from trackwire import Client
from trackwire.columns import MetricColumns, encode_ingest

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier

DRAIN_SECONDS_MAX = 30


@dataclass(frozen=True)
class Row:
    """One row of the table: requests of `keys` series of `steps` points each."""

    clients: int
    keys: int
    steps: int
    requests: int
    # By the kind of the store.
    at_least: Mapping[str, int]
    unit: str = "points/s"

    @property
    def points(self) -> int:
        return self.clients * self.keys * self.steps * self.requests

    @property
    def name(self) -> str:
        return f"{self.clients} client(s), {self.keys} keys x {self.steps} step(s) a request"

    def rate(self, seconds: float) -> float:
        amount = self.points if self.unit == "points/s" else self.clients * self.requests
        return amount / seconds


ROWS = (
    Row(clients=4, keys=100, steps=100, requests=250, at_least={"sqlite": 2_000_000, "postgresql": 1_000_000}),
    Row(clients=1, keys=1_000, steps=10, requests=800, at_least={"sqlite": 1_500_000, "postgresql": 600_000}),
    Row(clients=1, keys=1_000, steps=1, requests=2_000, at_least={"sqlite": 250_000, "postgresql": 100_000}),
    Row(clients=4, keys=10, steps=1, requests=3_000, at_least={"sqlite": 2_000}, unit="requests/s"),
)


def columns(row: Row, client: int, request: int) -> MetricColumns:
    """One request's points; every value of a benchmark is another one."""
    steps = np.arange(request * row.steps, (request + 1) * row.steps, dtype=np.int64)
    all_steps = np.tile(steps, row.keys)
    offsets = np.repeat(np.arange(row.keys, dtype=np.float64) + client * row.keys, row.steps)
    return MetricColumns(
        keys=[f"metric/{key}" for key in range(row.keys)],
        counts=np.full(row.keys, row.steps, dtype=np.uint32),
        steps=all_steps,
        times_ms=1_790_000_000_000 + all_steps * 10,
        values=np.exp(-all_steps / 1e6) + offsets,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench_ingest", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3, help="runs that a median is of (3)")
    parser.add_argument("--row", type=int, action="append", help="only this row, from 1; may be repeated")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of requests (1)")
    parser.add_argument("--without-size", action="store_true", help="leave out the row on stored size")
    parser.add_argument("--store", choices=STORES, default="sqlite", help="what the server keeps points in (sqlite)")
    arguments = parser.parse_args()
    with databases(arguments.store) as fresh:
        for number in arguments.row or range(1, len(ROWS) + 1):
            row = ROWS[number - 1]
            row = replace(row, requests=max(1, int(row.requests * arguments.scale)))
            measure(row, arguments.repeats, arguments.store, fresh)
    if not arguments.without_size and arguments.store == "sqlite":
        stored_size(max(1, int(100 * arguments.scale)))


def measure(row: Row, repeats: int, store: str, fresh: Callable[[], AbstractContextManager[Sequence[str]]]) -> None:
    rates, drains, peaks = [], [], []
    at_least = row.at_least.get(store, 0)
    for _ in range(repeats):
        with fresh() as options, running_server(*options) as server:
            seconds = run_together(ingest, [(row, server.address, client) for client in range(row.clients)])
            rates.append(row.rate(seconds))
            peaks.append(server.peak_megabytes())
            drains.append(drain(server))
            verify(row, server)
    report(
        benchmark="ingest",
        row=row.name,
        store=store,
        unit=row.unit,
        median=round(median(rates)),
        runs=[round(rate) for rate in rates],
        at_least=at_least,
        met=median(rates) >= at_least and max(drains) <= DRAIN_SECONDS_MAX,
        points=row.points,
        drained_seconds=median(drains),
        server_peak_mb=median(peaks),
        bare_grpc=round(median([row.rate(bare_grpc_seconds(row)) for _ in range(repeats)])),
        bare_sqlite=round(median([row.rate(bare_sqlite_seconds(row)) for _ in range(repeats)])),
    )


def ingest(row: Row, address: str, client: int, ready: "Barrier") -> None:
    """One client process."""
    with Client(address) as connection:
        run = connection.create_run(run_id=f"run-{client}")
        with connection.metric_writer(run.run_id) as writer:
            ready.wait(60)
            for request in range(row.requests):
                writer.add(columns(row, client, request))
            writer.flush()
            ready.wait(600)
        connection.update_run(run.run_id, status="FINISHED")


def drain(server: Server) -> float:
    """Seconds until the journal is worked off."""
    started = time.perf_counter()
    with Client(server.address) as client:
        while client.get_server_info().journal_points:
            if time.perf_counter() - started > 2 * DRAIN_SECONDS_MAX:
                raise SystemExit("the journal is not worked off")
            time.sleep(0.1)
    return time.perf_counter() - started


def verify(row: Row, server: Server) -> None:
    """Reads every point back and compares it with what was sent."""
    with Client(server.address) as client:
        for number in range(row.clients):
            found = {series.key: series for series in client.read_metrics([f"run-{number}"]).series}
            sent = [columns(row, number, request) for request in range(row.requests)]
            for at, key in enumerate(sent[0].keys):
                part = slice(at * row.steps, (at + 1) * row.steps)
                for name in ("steps", "times_ms", "values"):
                    expected = np.concatenate([np.asarray(getattr(each, name))[part] for each in sent])
                    if getattr(found[key], name).tobytes() != expected.tobytes():
                        raise SystemExit(f"{name} of {key} in run-{number} are not what was sent")


def bare_grpc_seconds(row: Row) -> float:
    """The same bytes, the same number of clients, a server that does nothing."""
    with bare_server(bare_handlers) as address:
        return run_together(bare_client, [(row, address, client) for client in range(row.clients)])


def bare_handlers() -> dict[str, "grpc.RpcMethodHandler[bytes, bytes]"]:
    async def answer(_request: bytes, _context: object) -> bytes:
        return b""

    return {"Call": grpc.unary_unary_rpc_method_handler(answer)}


def bare_client(row: Row, address: str, client: int, ready: "Barrier") -> None:
    with grpc.insecure_channel(address, options=[("grpc.max_send_message_length", -1)]) as channel:
        grpc.channel_ready_future(channel).result(30)
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"/{BARE_SERVICE}/Call")
        ready.wait(60)
        flying: list[grpc.Future[bytes]] = []
        for request in range(row.requests):
            if len(flying) == 8:
                flying.pop(0).result()
            flying.append(call.future(encode_ingest("run", columns(row, client, request))))
        for answer in flying:
            answer.result()
        ready.wait(600)


def bare_sqlite_seconds(row: Row) -> float:
    """The same blobs, a durable transaction each, from one process."""
    with tempfile.TemporaryDirectory(prefix="trackwire-bench-") as folder:
        connection = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE journal (no INTEGER PRIMARY KEY, payload BLOB)")
        blob = b"x" * (24 * row.keys * row.steps + 12 * row.keys)
        started = time.perf_counter()
        for _ in range(row.clients * row.requests):
            connection.execute("INSERT INTO journal (payload) VALUES (?)", (blob,))
        seconds = time.perf_counter() - started
        connection.close()
    return seconds


def stored_size(requests: int) -> None:
    """Bytes a point once compacted: 20 series of noise around a decay, in full precision, at real times."""
    series, at_once = 20, 2_048
    points = requests * at_once
    rng = np.random.default_rng(7)
    gaps = rng.integers(80, 130, points)
    times = 1_790_000_000_000 + np.cumsum(gaps)
    steps = np.arange(points)
    values = np.exp(-steps / 50_000) + rng.normal(0, 0.05, (series, points))
    with tempfile.TemporaryDirectory(prefix="trackwire-bench-") as folder:
        with (
            running_server("--tail-retention-seconds", "0", data_dir=Path(folder)) as server,
            Client(server.address) as client,
        ):
            run = client.create_run(run_id="size")
            with client.metric_writer(run.run_id) as writer:
                for at in range(0, points, at_once):
                    part = slice(at, at + at_once)
                    writer.add(
                        MetricColumns(
                            keys=[f"metric/{key}" for key in range(series)],
                            counts=[at_once] * series,
                            steps=np.tile(steps[part], series),
                            times_ms=np.tile(times[part], series),
                            values=values[:, part].ravel(),
                        )
                    )
            client.update_run(run.run_id, status="FINISHED")
            drain(server)
            found = client.read_metrics([run.run_id]).series
            if [each.values.tobytes() for each in found] != [row.tobytes() for row in values]:
                raise SystemExit("the values are not what was sent")
            time.sleep(3)
        connection = sqlite3.connect(server.database)
        chunks = connection.execute("SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%metric_chunks%'").fetchone()[0]
        left = connection.execute("SELECT count(*) FROM metric_journal").fetchone()[0]
        payload = connection.execute("SELECT sum(length(payload)) FROM metric_chunks").fetchone()[0]
        connection.execute("VACUUM")
        connection.close()
        total = series * points
        report(
            benchmark="stored size",
            points=total,
            payload_bytes_a_point=round(payload / total, 3),
            chunk_table_bytes_a_point=round(chunks / total, 3),
            file_bytes_a_point=round(server.database.stat().st_size / total, 3),
            journal_rows_left=left,
            at_most=9.5,
            met=server.database.stat().st_size / total <= 9.5,
        )


if __name__ == "__main__":
    main()

"""Measures SearchRuns over the wire: JSON lines, each the median of several calls whose answers are checked.

Runs with 20 metrics and 20 params each are laid into a SQLite file by bulk inserts, a server is started on it, and a
client asks for the same page of 100 again and again, as somebody's table does; then once more, with a point for each of
its runs between two looks, so that nothing of what the server keeps is still good. `bare_sqlite_ms` is what the
database alone takes to find the same runs.
"""

import argparse
import asyncio
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import grpc
from benchmarking import median, report, running_server, timed

from trackwire.v1 import metrics_pb2 as metrics_pb
from trackwire.v1 import metrics_pb2_grpc as metrics_pb_grpc
from trackwire.v1 import runs_pb2 as pb
from trackwire.v1 import runs_pb2_grpc as pb_grpc
from trackwire_server.stores.sql.database import Database

PAGE = 100
AT_MOST_MS = {5_000: 20, 100_000: 60}
EXPERIMENT = 1
METRICS = ("loss", "accuracy", *(f"metric_{index:02}" for index in range(18)))
PARAMS = ("lr", *(f"param_{index:02}" for index in range(19)))
RATES = ("0.1", "0.2", "0.3", "0.01", "0.02", "0.03", "0.001", "0.002", "0.003", "1.0")
_STEPS = count(1_000)
FILTER = "metrics.loss < 0.5 and params.lr = '0.1'"
BARE_SQL = """
    SELECT r.run_id FROM metric_summaries m JOIN runs r ON r.run_no = m.run_no
    WHERE m.experiment_no = 1 AND m.key_no = :key_no AND m.is_primary = 1 AND m.last_value IS NOT NULL
      AND r.lifecycle_stage = 'active'
      AND EXISTS (SELECT 1 FROM run_params p WHERE p.run_no = m.run_no AND p.key = 'lr' AND p.value = '0.1')
      AND EXISTS (SELECT 1 FROM metric_summaries l
                  WHERE l.run_no = m.run_no AND l.key_no = 1 AND l.is_primary = 1 AND l.last_value < 0.5)
    ORDER BY m.last_value DESC, r.start_time_ms DESC, r.run_id LIMIT 101
"""


@dataclass(frozen=True)
class Record:
    """A run as the benchmark made it."""

    number: int
    run_id: str
    start_time_ms: int
    rate: str
    metrics: tuple[float, ...]

    @property
    def matches(self) -> bool:
        return self.metrics[0] < 0.5 and self.rate == "0.1"


@dataclass(frozen=True)
class Case:
    """A search, the runs that it must find, and what comes back of each."""

    name: str
    filter: str
    order_by: tuple[str, ...]
    expected: list[Record]
    with_data: bool = True
    changing: bool = False


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench_search", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, action="append", help="how many runs; may be repeated (5,000 and 100,000)")
    parser.add_argument("--repeats", type=int, default=15, help="calls that a median is of (15)")
    arguments = parser.parse_args()
    for runs in arguments.runs or AT_MOST_MS:
        with tempfile.TemporaryDirectory(prefix="trackwire-bench-") as folder:
            measure(Path(folder), runs, arguments.repeats)


def measure(folder: Path, runs: int, repeats: int) -> None:
    path = folder / "trackwire.db"
    records = list(make_records(runs))
    load(path, records)
    bare_ms = bare_sqlite_ms(path, repeats)
    with (
        running_server(data_dir=folder) as server,
        grpc.insecure_channel(server.address, options=[("grpc.max_receive_message_length", -1)]) as channel,
    ):
        stub = pb_grpc.RunServiceStub(channel)
        points = metrics_pb_grpc.MetricServiceStub(channel)
        for case in cases(records):
            seconds = [timed_search(stub, case, points if case.changing else None) for _ in range(repeats + 2)][2:]
            milliseconds = [second * 1e3 for second in seconds]
            row = case.name == "filter, by accuracy" and runs in AT_MOST_MS
            report(
                benchmark="search",
                row=f"first {PAGE} of {runs:,} runs: {case.name}",
                unit="ms",
                median=median(milliseconds, 2),
                best=round(min(milliseconds), 2),
                worst=round(max(milliseconds), 2),
                found=len(case.expected),
                **({"at_most": AT_MOST_MS[runs], "met": median(milliseconds, 2) <= AT_MOST_MS[runs]} if row else {}),
                **({"bare_sqlite_ms": bare_ms} if row else {}),
            )


def cases(records: list[Record]) -> Iterator[Case]:
    """The row of the table first, then its neighbours."""
    matching = [record for record in records if record.matches]
    by_accuracy = ("metrics.accuracy DESC",)
    best = sorted(matching, key=lambda record: -record.metrics[1])
    newest = sorted(records, key=lambda record: (-record.start_time_ms, record.run_id))
    yield Case("filter, by accuracy", FILTER, by_accuracy, best)
    yield Case("filter, by accuracy, all changed since", FILTER, by_accuracy, best, changing=True)
    yield Case("filter, by accuracy, run fields only", FILTER, by_accuracy, best, with_data=False)
    yield Case("filter, by loss", FILTER, ("metrics.loss",), sorted(matching, key=lambda record: record.metrics[0]))
    yield Case("filter, by loss DESC", FILTER, ("metrics.loss DESC",), sorted(matching, key=lambda r: -r.metrics[0]))
    yield Case("filter, newest", FILTER, (), [record for record in newest if record.matches])
    yield Case("all, newest", "", (), newest)
    yield Case("all, by accuracy", "", by_accuracy, sorted(records, key=lambda record: -record.metrics[1]))


def timed_search(stub: pb_grpc.RunServiceStub, case: Case, points: "metrics_pb_grpc.MetricServiceStub | None") -> float:
    """One call for the first page, checked; then the page behind it, checked too."""
    for record in case.expected[:PAGE] if points else ():
        # Once more what it was last, so that the order stays.
        point = metrics_pb.MetricPoint(key="loss", step=next(_STEPS), value=record.metrics[0])
        points.LogMetrics(metrics_pb.LogMetricsRequest(run_id=record.run_id, points=[point]))
    request = pb.SearchRunsRequest(
        experiment_ids=[str(EXPERIMENT)], filter=case.filter, order_by=case.order_by, page_size=PAGE
    )
    if not case.with_data:
        for selection in (request.metrics, request.params, request.tags):
            selection.SetInParent()
    started = time.perf_counter()
    first = stub.SearchRuns(request)
    seconds = time.perf_counter() - started
    check(first.runs, case.expected[:PAGE], case)
    if first.next_page_token:
        request.page_token = first.next_page_token
        check(stub.SearchRuns(request).runs, case.expected[PAGE : 2 * PAGE], case)
    return seconds


def check(runs: "list[pb.Run]", expected: list[Record], case: Case) -> None:
    assert [run.run_id for run in runs] == [record.run_id for record in expected], case.name
    for run, record in zip(runs, expected, strict=True) if case.with_data else ():
        assert {metric.key: metric.last_value for metric in run.metrics} == dict(
            zip(METRICS, record.metrics, strict=True)
        )
        assert len(run.params) == len(PARAMS)
        assert run.params["lr"] == record.rate


def make_records(runs: int) -> Iterator[Record]:
    draw = random.Random(7)
    for number in range(1, runs + 1):
        metrics = tuple(draw.random() for _ in METRICS)
        yield Record(
            number, f"{draw.getrandbits(128):032x}", 1_760_000_000_000 + number * 1_000, draw.choice(RATES), metrics
        )


def load(path: Path, records: list[Record]) -> None:
    """Lays the runs down as ingesting them would have."""
    migrate(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous=OFF")
    with connection:
        connection.execute(
            "INSERT INTO experiments (experiment_no, name, creation_time_ms, last_update_time_ms)"
            " VALUES (1, 'bench', 0, 0)"
        )
        connection.executemany("INSERT INTO metric_keys (key_no, key) VALUES (?, ?)", enumerate(METRICS, 1))
        connection.executemany(
            "INSERT INTO runs (run_no, run_id, experiment_no, run_name, status, start_time_ms, artifact_uri)"
            " VALUES (?, ?, 1, ?, 'FINISHED', ?, 'trackwire-artifacts:/1')",
            ((r.number, r.run_id, f"run-{r.number}", r.start_time_ms) for r in records),
        )
        connection.executemany("INSERT INTO run_heads (run_no) VALUES (?)", ((r.number,) for r in records))
        connection.executemany("INSERT INTO run_params (run_no, key, value) VALUES (?, ?, ?)", param_rows(records))
        connection.executemany(
            "INSERT INTO metric_series (series_no, run_no, key_no, context_no) VALUES (?, ?, ?, 0)",
            series_rows(records),
        )
        connection.executemany(
            "INSERT INTO metric_summaries (series_no, run_no, experiment_no, key_no, context_no, is_primary, count,"
            " nan_count, last_value, last_step, last_time_ms, first_value, first_step, first_time_ms, min_value,"
            " max_value)"
            " VALUES (?, ?, 1, ?, 0, 1, 1000, 0, ?, 999, 0, 1.0, 0, 0, 0.0, 1.0)",
            ((*row, record.metrics[row[2] - 1]) for record in records for row in series_rows([record])),
        )
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def param_rows(records: list[Record]) -> Iterator[tuple[int, str, str]]:
    for record in records:
        for key in PARAMS:
            yield record.number, key, record.rate if key == "lr" else f"value {record.number % 7}"


def series_rows(records: list[Record]) -> Iterator[tuple[int, int, int]]:
    for record in records:
        for key_no in range(1, len(METRICS) + 1):
            yield (record.number - 1) * len(METRICS) + key_no, record.number, key_no


def bare_sqlite_ms(path: Path, repeats: int) -> float:
    connection = sqlite3.connect(path)
    seconds: list[float] = []
    for _ in range(repeats):
        with timed(seconds):
            connection.execute(BARE_SQL, {"key_no": METRICS.index("accuracy") + 1}).fetchall()
    connection.close()
    return median([second * 1e3 for second in seconds], 2)


def migrate(path: Path) -> None:
    async def create() -> None:
        await (await Database.open(f"sqlite:///{path}")).close()

    asyncio.run(create())


if __name__ == "__main__":
    main()

"""Measures SearchRuns over the wire: JSON lines, each the median of several calls whose answers are checked.

Runs with 20 metrics and 20 params each are laid into a database by bulk inserts, a server is started on it, and a
client asks for the same page of 100 again and again, as somebody's table does; then once more, with a point for each of
its runs between two looks, so that nothing of what the server keeps is still good. `bare_sqlite_ms` is what the
database alone takes to find the same runs. With `--store postgresql`, servers on SQLite and on PostgreSQL are asked in
turns, and `of_sqlite` is how many times SQLite's median PostgreSQL's is.
"""

import argparse
import asyncio
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import grpc
from benchmarking import OF_SQLITE_AT_MOST, STORES, databases, median, report, running_server, timed
from sqlalchemy import Table, insert, text

from trackwire.v1 import metrics_pb2 as metrics_pb
from trackwire.v1 import metrics_pb2_grpc as metrics_pb_grpc
from trackwire.v1 import runs_pb2 as pb
from trackwire.v1 import runs_pb2_grpc as pb_grpc
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.dialect import Write
from trackwire_server.stores.sql.tables import (
    experiments,
    metric_keys,
    metric_series,
    metric_summaries,
    run_heads,
    run_params,
    runs,
)

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
    parser.add_argument("--store", choices=STORES, default="sqlite", help="another one, beside SQLite (sqlite)")
    arguments = parser.parse_args()
    stores = list(dict.fromkeys(["sqlite", arguments.store]))
    for amount in arguments.runs or AT_MOST_MS:
        records = list(make_records(amount))
        with ExitStack() as stack:
            asked = {store: stack.enter_context(loaded(store, records)) for store in stores}
            bare_ms = bare_sqlite_ms(asked["sqlite"].database, arguments.repeats)
            measure(asked, records, arguments.repeats, bare_ms)


@dataclass(frozen=True)
class Asked:
    """A server that is asked."""

    database: Path
    runs: pb_grpc.RunServiceStub
    points: metrics_pb_grpc.MetricServiceStub


@contextmanager
def loaded(store: str, records: list[Record]) -> Iterator[Asked]:
    """A server on a store that has the runs."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trackwire-bench-")))
        database = folder / "trackwire.db"
        options = stack.enter_context(stack.enter_context(databases(store))())
        asyncio.run(load(options[-1] if options else f"sqlite:///{database}", records))
        server = stack.enter_context(running_server(*options, data_dir=folder))
        sizes = [("grpc.max_receive_message_length", -1)]
        channel = stack.enter_context(grpc.insecure_channel(server.address, options=sizes))
        yield Asked(database, pb_grpc.RunServiceStub(channel), metrics_pb_grpc.MetricServiceStub(channel))


def measure(asked: Mapping[str, Asked], records: list[Record], repeats: int, bare_ms: float) -> None:
    for case in cases(records):
        milliseconds: dict[str, list[float]] = {store: [] for store in asked}
        for _ in range(repeats + 2):
            for store, server in asked.items():
                points = server.points if case.changing else None
                milliseconds[store].append(timed_search(server.runs, case, points) * 1e3)
        medians = {store: median(taken[2:], 2) for store, taken in milliseconds.items()}
        for store, taken in milliseconds.items():
            is_row = store == "sqlite" and case.name == "filter, by accuracy" and len(records) in AT_MOST_MS
            at_most = {"at_most": AT_MOST_MS[len(records)], "bare_sqlite_ms": bare_ms} if is_row else {}
            ratio = {} if store == "sqlite" else {"of_sqlite": round(medians[store] / medians["sqlite"], 2)}
            report(
                benchmark="search",
                row=f"first {PAGE} of {len(records):,} runs: {case.name}",
                store=store,
                unit="ms",
                median=medians[store],
                best=round(min(taken[2:]), 2),
                worst=round(max(taken[2:]), 2),
                found=len(case.expected),
                **at_most,
                **({"met": medians[store] <= AT_MOST_MS[len(records)]} if is_row else {}),
                **(
                    {**ratio, "at_most": OF_SQLITE_AT_MOST, "met": ratio["of_sqlite"] <= OF_SQLITE_AT_MOST}
                    if ratio
                    else {}
                ),
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
    one = records[len(records) // 2]
    yield Case("one run by its param", f"params.{PARAMS[-1]} = '{value_of(one, PARAMS[-1])}'", (), [one])
    yield Case("all, newest", "", (), newest)
    yield Case("all, by accuracy", "", by_accuracy, sorted(records, key=lambda record: -record.metrics[1]))


def timed_search(stub: pb_grpc.RunServiceStub, case: Case, points: "metrics_pb_grpc.MetricServiceStub | None") -> float:
    """One call for the first page, checked; then the page behind it, checked too."""
    if points is not None:
        change(points, case.expected[:PAGE])
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


def change(points: "metrics_pb_grpc.MetricServiceStub", records: Sequence[Record]) -> None:
    """Logs a point in each run: once more what it was last, so that the order stays."""
    for record in records:
        point = metrics_pb.MetricPoint(key="loss", step=next(_STEPS), value=record.metrics[0])
        points.LogMetrics(metrics_pb.LogMetricsRequest(run_id=record.run_id, points=[point]))


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


async def load(uri: str, records: list[Record]) -> None:
    """Lays the runs down as ingesting them would have."""
    database = await Database.open(uri)
    async with database.write() as connection:
        await connection.execute(
            insert(experiments).values(
                experiment_no=1, workspace="default", name="bench", creation_time_ms=0, last_update_time_ms=0
            )
        )
        for table, columns in rows_of(records):
            given = database.dialect.given({name: table.c[name].type for name in columns})
            write = Write(database.dialect.compiled(given.into(insert(table))), columns)
            await database.dialect.execute_all(connection, [write])
    async with database.write() as connection:
        if database.dialect.name != "sqlite":
            # As it does by itself after a while.
            await connection.execute(text("ANALYZE"))
    await database.close()


def rows_of(records: list[Record]) -> Iterator[tuple[Table, dict[str, Sequence[object]]]]:
    """Each table's columns."""
    numbers = [record.number for record in records]
    runs_count = len(records)
    yield metric_keys, {"key_no": list(range(1, len(METRICS) + 1)), "key": list(METRICS)}
    yield (
        runs,
        {
            "run_no": numbers,
            "run_id": [record.run_id for record in records],
            "experiment_no": [EXPERIMENT] * runs_count,
            "run_name": [f"run-{record.number}" for record in records],
            "status": ["FINISHED"] * runs_count,
            "start_time_ms": [record.start_time_ms for record in records],
            "artifact_uri": ["trackwire-artifacts:/1"] * runs_count,
        },
    )
    yield run_heads, {"run_no": numbers}
    yield run_params, dict(zip(("run_no", "key", "value"), zip(*param_rows(records), strict=True), strict=True))
    series = dict(zip(("series_no", "run_no", "key_no"), zip(*series_rows(records), strict=True), strict=True))
    count = len(series["run_no"])
    yield metric_series, {**series, "context_no": [0] * count}
    constants = {"experiment_no": EXPERIMENT, "context_no": 0, "is_primary": True, "count": 1000, "nan_count": 0}
    steps = {"last_step": 999, "last_time_ms": 0, "first_step": 0, "first_time_ms": 0}
    values = {"first_value": 1.0, "min_value": 0.0, "max_value": 1.0}
    yield (
        metric_summaries,
        {
            **series,
            **{name: [value] * count for name, value in {**constants, **steps, **values}.items()},
            "last_value": [value for record in records for value in record.metrics],
        },
    )


def param_rows(records: list[Record]) -> Iterator[tuple[int, str, str]]:
    for record in records:
        for key in PARAMS:
            yield record.number, key, value_of(record, key)


def value_of(record: Record, key: str) -> str:
    """Of a param: one of ten, one that nobody else has, or one of seven."""
    if key == "lr":
        return record.rate
    return f"of run {record.number}" if key == PARAMS[-1] else f"value {record.number % 7}"


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


if __name__ == "__main__":
    main()

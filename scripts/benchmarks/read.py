"""Measures reading series over the wire: JSON lines, medians; every answer is compared with what was stored.

A run gets one series of 100,000 points and one of 1,000,000; both are compacted. The first is read whole, the second
down to 1,000 points. `bare_grpc_ms` streams the same bytes from a grpc.aio server that has them ready. With
`--store postgresql`, servers on SQLite and on PostgreSQL are read in turns, and `of_sqlite` is how many times SQLite's
median PostgreSQL's is.
"""

import argparse
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import grpc
import numpy as np
from benchmarking import (
    BARE_SERVICE,
    OF_SQLITE_AT_MOST,
    STORES,
    Server,
    bare_server,
    databases,
    median,
    report,
    running_server,
    timed,
)

from trackwire import Client
from trackwire.columns import MetricColumns, Series

SMALL, LARGE, SAMPLED = 100_000, 1_000_000, 1_000
AT_ONCE = 50_000
MESSAGE_BYTES = 65_536 * 24


def values(points: int) -> np.ndarray:
    """Noise around a decay; seeded."""
    return np.exp(-np.arange(points) / 200_000) + np.random.default_rng(points).normal(0, 0.05, points)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench_read", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=15, help="reads that a median is of (15)")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of points that are stored (1)")
    parser.add_argument("--store", choices=STORES, default="sqlite", help="another one, beside SQLite (sqlite)")
    arguments = parser.parse_args()
    stores = list(dict.fromkeys(["sqlite", arguments.store]))
    small, large = int(SMALL * arguments.scale), int(LARGE * arguments.scale)
    with ExitStack() as stack:
        servers = {name: stack.enter_context(filled(name, small, large)) for name in stores}
        whole: dict[str, list[float]] = {name: [] for name in stores}
        sampled: dict[str, list[float]] = {name: [] for name in stores}
        for _ in range(arguments.repeats + 2):
            for name, (_, client) in servers.items():
                with timed(whole[name]):
                    [series] = client.read_metrics(["run"], ["small"]).series
                check_whole(series, small)
                with timed(sampled[name]):
                    [series] = client.read_metrics(["run"], ["large"], max_points=SAMPLED).series
                check_sampled(series, large)
        rows(f"one series of {small:,} points", whole, 15, bare_grpc_ms(small * 24, arguments.repeats))
        rows(f"{large:,} points down to {SAMPLED:,}", sampled, 50, bare_grpc_ms(SAMPLED * 24, arguments.repeats))
        for name, (server, _) in servers.items():
            report(benchmark="read", row="server memory", store=name, peak_mb=round(server.peak_megabytes(), 1))


@contextmanager
def filled(name: str, small: int, large: int) -> Iterator[tuple[Server, Client]]:
    """A server whose store has both series."""
    with (
        databases(name) as fresh,
        fresh() as options,
        running_server(*options) as server,
        Client(server.address) as client,
    ):
        store(client, small, large)
        yield server, client


def store(client: Client, small: int, large: int) -> None:
    """Both series, compacted."""
    client.create_run(run_id="run")
    with client.metric_writer("run") as writer:
        for key, points in (("small", small), ("large", large)):
            column = values(points)
            for at in range(0, points, AT_ONCE):
                steps = np.arange(at, min(at + AT_ONCE, points))
                times = 1_790_000_000_000 + steps * 11
                writer.add(MetricColumns([key], [len(steps)], steps, times, column[steps]))
    client.update_run("run", status="FINISHED")
    while client.get_server_info().journal_points:
        time.sleep(0.1)


def check_whole(series: Series, points: int) -> None:
    if series.values.tobytes() != values(points).tobytes() or series.steps.tolist() != list(range(points)):
        raise SystemExit("the series is not what was stored")


def check_sampled(series: Series, points: int) -> None:
    column = values(points)
    extremes = {column.min(), column.max(), column[0], column[-1]}
    if len(series) > SAMPLED or not extremes <= set(series.values.tolist()):
        raise SystemExit("the extremes are not among the points")
    if not np.array_equal(column[series.steps], series.values):
        raise SystemExit("the points are not those that were stored")


def rows(name: str, seconds: Mapping[str, Sequence[float]], at_most_ms: float, bare_ms: float) -> None:
    medians = {kept_in: median([second * 1e3 for second in taken[2:]], 2) for kept_in, taken in seconds.items()}
    for kept_in, taken in seconds.items():
        ratio = round(medians[kept_in] / medians["sqlite"], 2)
        is_sqlite = kept_in == "sqlite"
        goal = {"at_most": at_most_ms} if is_sqlite else {"of_sqlite": ratio, "at_most": OF_SQLITE_AT_MOST}
        report(
            benchmark="read",
            row=name,
            store=kept_in,
            unit="ms",
            median=medians[kept_in],
            best=round(min(taken[2:]) * 1e3, 2),
            worst=round(max(taken[2:]) * 1e3, 2),
            **goal,
            met=medians[kept_in] <= at_most_ms if is_sqlite else ratio <= OF_SQLITE_AT_MOST,
            bare_grpc_ms=bare_ms,
        )


def bare_grpc_ms(size: int, repeats: int) -> float:
    """The median time to stream so many bytes in messages of the same size."""
    options = [("grpc.max_receive_message_length", -1)]
    seconds: list[float] = []
    with bare_server(bare_handlers, size) as address, grpc.insecure_channel(address, options=options) as channel:
        grpc.channel_ready_future(channel).result(30)
        call: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(f"/{BARE_SERVICE}/Read")
        for _ in range(repeats + 2):
            with timed(seconds):
                received = sum(len(message) for message in call(b""))
            if received != size:
                raise SystemExit(f"{received} bytes of {size}")
    return median([second * 1e3 for second in seconds[2:]], 2)


def bare_handlers(size: int) -> dict[str, "grpc.RpcMethodHandler[bytes, bytes]"]:
    data = b"x" * size

    async def read(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        for at in range(0, size, MESSAGE_BYTES):
            yield data[at : at + MESSAGE_BYTES]

    return {"Read": grpc.unary_stream_rpc_method_handler(read)}


if __name__ == "__main__":
    main()

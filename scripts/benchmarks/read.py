"""Measures reading series over the wire: JSON lines, medians; every answer is compared with what was stored.

A run gets one series of 100,000 points and one of 1,000,000; both are compacted. The first is read whole, the second
down to 1,000 points. `bare_grpc_ms` streams the same bytes from a grpc.aio server that has them ready.
"""

import argparse
import time
from collections.abc import AsyncIterator

import grpc
import numpy as np
from benchmarking import BARE_SERVICE, Server, bare_server, median, report, running_server, timed

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
    repeats = parser.parse_args().repeats
    with running_server() as server, Client(server.address) as client:
        store(server, client)
        whole, sampled = [], []
        for _ in range(repeats + 2):
            with timed(whole):
                [series] = client.read_metrics(["run"], ["small"]).series
            check_whole(series)
            with timed(sampled):
                [series] = client.read_metrics(["run"], ["large"], max_points=SAMPLED).series
            check_sampled(series)
        row(f"one series of {SMALL:,} points", whole[2:], 15, bare_grpc_ms(SMALL * 24, repeats))
        row(f"{LARGE:,} points down to {SAMPLED:,}", sampled[2:], 50, bare_grpc_ms(SAMPLED * 24, repeats))
        report(benchmark="read", row="server memory", peak_mb=round(server.peak_megabytes(), 1))


def store(server: Server, client: Client) -> None:
    """Both series, compacted."""
    client.create_run(run_id="run")
    with client.metric_writer("run") as writer:
        for key, points in (("small", SMALL), ("large", LARGE)):
            column = values(points)
            for at in range(0, points, AT_ONCE):
                steps = np.arange(at, at + AT_ONCE)
                times = 1_790_000_000_000 + steps * 11
                writer.add(MetricColumns([key], [AT_ONCE], steps, times, column[at : at + AT_ONCE]))
    client.update_run("run", status="FINISHED")
    while client.get_server_info().journal_points:
        time.sleep(0.1)


def check_whole(series: Series) -> None:
    if series.values.tobytes() != values(SMALL).tobytes() or series.steps.tolist() != list(range(SMALL)):
        raise SystemExit("the series is not what was stored")


def check_sampled(series: Series) -> None:
    column = values(LARGE)
    extremes = {column.min(), column.max(), column[0], column[-1]}
    if len(series) > SAMPLED or not extremes <= set(series.values.tolist()):
        raise SystemExit("the extremes are not among the points")
    if not np.array_equal(column[series.steps], series.values):
        raise SystemExit("the points are not those that were stored")


def row(name: str, seconds: list[float], at_most_ms: float, bare_ms: float) -> None:
    milliseconds = [second * 1e3 for second in seconds]
    report(
        benchmark="read",
        row=name,
        unit="ms",
        median=median(milliseconds, 2),
        best=round(min(milliseconds), 2),
        worst=round(max(milliseconds), 2),
        at_most=at_most_ms,
        met=median(milliseconds, 2) <= at_most_ms,
        bare_grpc_ms=bare_ms,
    )


def bare_grpc_ms(size: int, repeats: int) -> float:
    """The median time to stream so many bytes in messages of the same size."""
    options = [("grpc.max_receive_message_length", -1)]
    seconds: list[float] = []
    with bare_server(bare_handlers, size) as address, grpc.insecure_channel(address, options=options) as channel:
        grpc.channel_ready_future(channel).result(30)
        call = channel.unary_stream(f"/{BARE_SERVICE}/Read")
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

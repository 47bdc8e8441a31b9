"""Measures an artifact up and down over loopback: JSON lines, medians, with the server's memory beside them.

A real server runs in a process of its own, on SQLite and a folder; every downloaded copy is compared by SHA-256 with
what was uploaded. The bare limits beside: a grpc.aio stream of the same bytes that keeps nothing, in each direction;
the same bytes written to a file and synced; and SHA-256 alone. The first copies of a GiB may be slow by what a virtual
machine takes to hand out memory for the page cache, which `bare file write` shows too: hence more repeats than three.
With `--artifacts s3` they lie at an S3 instead, moto's in a process of its own, and the limit is what aiobotocore
does alone. They go around the server then, or through it with TRACKWIRE_PRESIGNED_URLS=off.
"""

import argparse
import asyncio
import hashlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc
from benchmarking import BARE_SERVICE, ROOT, Server, bare_server, median, report, running_server, timed

from trackwire import Client
from trackwire.v1 import artifacts_pb2 as pb

PART_BYTES = 1024 * 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench_artifacts", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mib", type=int, default=1_024, help="the artifact's size (1,024)")
    parser.add_argument("--repeats", type=int, default=7, help="transfers that a median is of (7)")
    parser.add_argument("--artifacts", choices=("folder", "s3"), default="folder", help="where they lie (folder)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trackwire-bench-") as name:
        folder = Path(name)
        source = folder / "source"
        digest = write_source(source, arguments.mib)
        if arguments.artifacts == "s3":
            measure_s3(source, digest, arguments.repeats)
            return
        with running_server() as server, Client(server.address) as client:
            measure_server(server, client, source, digest, arguments.repeats)
        measure_bare_stream(arguments.mib, arguments.repeats)
        measure_disk(folder, source, arguments.repeats)


def write_source(path: Path, mib: int) -> bytes:
    """A file whose parts all differ; its SHA-256."""
    noise = os.urandom(PART_BYTES - 8)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for number in range(mib):
            part = number.to_bytes(8, "big") + noise
            digest.update(part)
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    return digest.digest()


def measure_server(
    server: Server, client: Client, source: Path, digest: bytes, repeats: int, bars: Mapping[str, float] | None = None
) -> None:
    """The whole path: client, server, disk, and back."""
    bars = bars or {"up": 300, "down": 400}
    run_id = client.create_run().run_id
    client.upload_bytes(run_id, b"warm", "warm")
    before = round(server.megabytes(), 1)
    target = source.with_name("target")

    def download() -> None:
        client.download_artifact(run_id, "a", target)

    up = seconds_of(lambda: client.upload_artifact(run_id, source, "a"), repeats)
    row(
        "1 artifact up",
        source,
        up,
        at_least=bars["up"],
        memory_before_mb=before,
        memory_peak_mb=server.peak_megabytes(),
    )
    down: list[float] = []
    for _ in range(repeats):
        down += seconds_of(download, 1)
        check_same(target, digest)
        target.unlink()
    row(
        "1 artifact down",
        source,
        down,
        at_least=bars["down"],
        memory_before_mb=before,
        memory_peak_mb=server.peak_megabytes(),
    )


def measure_s3(source: Path, digest: bytes, repeats: int) -> None:
    """The whole path to an S3, and back, beside what aiobotocore alone does with the same bytes."""
    sys.path.append(str(ROOT))
    from tests import s3

    os.environ |= s3.ENVIRONMENT
    with s3.endpoint() as url:
        bucket = s3.make_bucket(url)
        up, down = asyncio.run(bare_s3(url, bucket, source, repeats))
        row("bare aiobotocore up", source, up)
        row("bare aiobotocore down", source, down)
        megabytes = source.stat().st_size / 1e6
        bars = {way: round(0.7 * megabytes / median(seconds, 9)) for way, seconds in (("up", up), ("down", down))}
        settings = ("--artifacts-uri", f"s3://{bucket}/artifacts", "--s3-endpoint-url", url)
        with running_server(*settings) as server, Client(server.address) as client:
            measure_server(server, client, source, digest, repeats, bars)


async def bare_s3(url: str, bucket: str, source: Path, repeats: int) -> tuple[list[float], list[float]]:
    """Seconds of multipart uploads with parts of 8 MiB, three at a time, and of downloads, by aiobotocore alone."""
    from aiobotocore.session import get_session

    up: list[float] = []
    down: list[float] = []
    async with get_session().create_client("s3", endpoint_url=url) as client:
        for _ in range(repeats):
            with timed(up):
                await bare_upload(client, bucket, source)
            # Into a file, as ours.
            with timed(down), tempfile.TemporaryFile() as file:
                async with (await client.get_object(Bucket=bucket, Key="bare"))["Body"] as body:
                    while data := await body.read(PART_BYTES):
                        file.write(data)
    return up, down


async def bare_upload(client: Any, bucket: str, source: Path) -> None:
    """One object, in parts."""
    named = {"Bucket": bucket, "Key": "bare"}
    upload_id = (await client.create_multipart_upload(**named))["UploadId"]
    turns = asyncio.Semaphore(3)

    async def send(number: int, data: bytes) -> dict[str, Any]:
        try:
            part = await client.upload_part(**named, UploadId=upload_id, PartNumber=number, Body=data)
        finally:
            turns.release()
        return {"PartNumber": number, "ETag": part["ETag"]}

    tasks: list[asyncio.Task[dict[str, Any]]] = []
    with source.open("rb") as file:
        while data := file.read(8 * PART_BYTES):
            await turns.acquire()
            tasks.append(asyncio.create_task(send(len(tasks) + 1, data)))
    parts = [await task for task in tasks]
    await client.complete_multipart_upload(**named, UploadId=upload_id, MultipartUpload={"Parts": parts})


def measure_bare_stream(mib: int, repeats: int) -> None:
    """What gRPC alone takes, with the same messages, in either direction."""
    with bare_server(bare_handlers, mib) as address, grpc.insecure_channel(address) as channel:
        up: grpc.StreamUnaryMultiCallable[pb.UploadArtifactRequest, bytes] = channel.stream_unary(
            f"/{BARE_SERVICE}/Up", pb.UploadArtifactRequest.SerializeToString
        )
        down: grpc.UnaryStreamMultiCallable[bytes, pb.DownloadArtifactResponse] = channel.unary_stream(
            f"/{BARE_SERVICE}/Down", response_deserializer=pb.DownloadArtifactResponse.FromString
        )
        part = os.urandom(PART_BYTES)

        def send() -> None:
            up(pb.UploadArtifactRequest(data=part) for _ in range(mib))

        def receive() -> None:
            assert sum(len(message.data) for message in down(b"")) == mib * PART_BYTES

        row("bare grpc.aio up", mib * PART_BYTES, seconds_of(send, repeats))
        row("bare grpc.aio down", mib * PART_BYTES, seconds_of(receive, repeats))


def bare_handlers(mib: int) -> dict[str, "grpc.RpcMethodHandler[Any, Any]"]:
    """Takes and gives messages, and keeps nothing."""
    part = os.urandom(PART_BYTES)

    async def take(requests: AsyncIterator[pb.UploadArtifactRequest], _context: object) -> bytes:
        async for request in requests:
            len(request.data)
        return b""

    async def give(_request: bytes, _context: object) -> AsyncIterator[pb.DownloadArtifactResponse]:
        for _ in range(mib):
            yield pb.DownloadArtifactResponse(data=part)

    return {
        "Up": grpc.stream_unary_rpc_method_handler(take, pb.UploadArtifactRequest.FromString),
        "Down": grpc.unary_stream_rpc_method_handler(give, None, pb.DownloadArtifactResponse.SerializeToString),
    }


def measure_disk(folder: Path, source: Path, repeats: int) -> None:
    """What the disk and the checksum alone take."""

    def write() -> None:
        with source.open("rb") as read, (folder / "copy").open("wb", buffering=0) as written:
            while part := read.read(PART_BYTES):
                written.write(part)
            os.fsync(written.fileno())

    def hash_it() -> None:
        with source.open("rb") as file:
            hashlib.file_digest(file, "sha256")

    row("bare file write and fsync", source, seconds_of(write, repeats))
    row("bare sha256", source, seconds_of(hash_it, repeats))


def check_same(path: Path, digest: bytes) -> None:
    """Whether a file is what was uploaded."""
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").digest() != digest:
            raise SystemExit("the downloaded bytes are not those that were uploaded")


def seconds_of(work: Callable[[], object], repeats: int) -> list[float]:
    """How long each repeat takes."""
    seconds: list[float] = []
    for _ in range(repeats):
        with timed(seconds):
            work()
    return seconds


def row(
    name: str, size: Path | int, seconds: Sequence[float], *, at_least: float | None = None, **memory: float
) -> None:
    """Prints one line."""
    megabytes = (size if isinstance(size, int) else size.stat().st_size) / 1e6
    rates = [round(megabytes / second) for second in seconds]
    bar = {} if at_least is None else {"at_least": at_least, "met": median(rates) >= at_least}
    report(benchmark="artifacts", row=name, unit="MB/s", median=median(rates, 0), runs=rates, **bar, **memory)


if __name__ == "__main__":
    main()

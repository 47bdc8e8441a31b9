"""Downloads that go around the server, of both clients; and what they do where that way is barred."""

import asyncio
import logging
import os
import threading
from pathlib import Path

import pytest
from aiohttp import web
from tests.client.presigned.signed_calls import SignedCalls
from tests.conftest import ServerProcess
from tests.faults.s3_wire import Call, S3Wire, error

from trackwire import AsyncClient
from trackwire.client import Client
from trackwire.errors import InvalidArgumentError, NotFoundError

MIB = 1024 * 1024
DATA = os.urandom(20 * MIB)
OTHER = os.urandom(21 * MIB)
PROBED = 8 * MIB


@pytest.fixture
def file(client: Client, run_id: str, signed: SignedCalls) -> str:
    """The path of a large file of the run."""
    client.upload_bytes(run_id, DATA, "folder/large.bin")
    signed.seen.clear()
    return "folder/large.bin"


async def break_off(call: Call, data: bytes, etag: str, *, after: int) -> web.StreamResponse:
    """Answers a range, and resets the connection after so many bytes."""
    start = int(call.request.headers["Range"].removeprefix("bytes=").partition("-")[0])
    headers = {
        "Content-Length": str(len(data) - start),
        "Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}",
        "ETag": etag,
    }
    answer = web.StreamResponse(status=206, headers=headers)
    await answer.prepare(call.request)
    await answer.write(data[start : start + after])
    call.cut()
    return answer


def test_large_file_comes_around_the_server(client: Client, run_id: str, file: str, signed: SignedCalls) -> None:
    assert client.read_artifact(run_id, file) == DATA
    assert signed.ranges == [f"bytes={PROBED}-{len(DATA) - 1}"]


def test_very_large_file_is_asked_for_whole(client: Client, run_id: str, signed: SignedCalls, tmp_path: Path) -> None:
    data = os.urandom(65 * MIB)
    client.upload_bytes(run_id, data, "large")
    signed.seen.clear()
    client.download_artifact(run_id, "large", tmp_path / "large")
    assert (tmp_path / "large").read_bytes() == data
    assert signed.ranges == [""]


def test_range_comes_around_the_server(client: Client, run_id: str, file: str, signed: SignedCalls) -> None:
    assert client.read_artifact(run_id, file, offset=5, length=17 * MIB) == DATA[5:][: 17 * MIB]
    assert signed.ranges == [f"bytes={PROBED + 5}-{17 * MIB + 4}"]


def test_folder_comes_around_the_server_where_that_is_worth_it(
    client: Client, run_id: str, file: str, signed: SignedCalls, tmp_path: Path
) -> None:
    client.upload_bytes(run_id, b"small", "folder/small")
    client.download_artifact(run_id, "", tmp_path)
    assert (tmp_path / file).read_bytes() == DATA
    assert (tmp_path / "folder/small").read_bytes() == b"small"
    assert len(signed.seen) == 1


@pytest.mark.parametrize("size", [0, 1, PROBED, PROBED + 1])
def test_small_file_comes_through_the_server(client: Client, run_id: str, signed: SignedCalls, size: int) -> None:
    client.upload_bytes(run_id, DATA[:size], "small")
    signed.seen.clear()
    assert client.read_artifact(run_id, "small") == DATA[:size]
    assert signed.seen == []


def test_file_of_a_logged_model_comes_around_the_server(client: Client, signed: SignedCalls, tmp_path: Path) -> None:
    model_id = client.create_logged_model("0").model_id
    (tmp_path / "weights").write_bytes(DATA)
    client.upload_logged_model_artifact(model_id, tmp_path / "weights")
    signed.seen.clear()
    client.download_logged_model_artifact(model_id, "weights", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == DATA
    assert len(signed.seen) == 1


def test_file_that_is_not_there_is_not_found(client: Client, run_id: str) -> None:
    with pytest.raises(NotFoundError, match="no such file"):
        client.read_artifact(run_id, "none")


def test_connection_that_breaks_goes_on_where_it_was(
    client: Client, run_id: str, file: str, signed: SignedCalls
) -> None:
    etag = client.create_artifact_download_url(run_id, file).etag

    async def fault(call: Call) -> web.StreamResponse | None:
        return await break_off(call, DATA, etag, after=MIB) if len(signed.seen) <= 3 else None

    signed.fault = fault
    assert client.read_artifact(run_id, file) == DATA
    starts = [int(each.removeprefix("bytes=").partition("-")[0]) for each in signed.ranges if each]
    # What is left after three of them is less than goes around.
    assert starts[0] == PROBED
    assert starts == sorted(starts)
    assert len(starts) > 1
    assert all(call.request.headers["If-Match"] == etag for call in signed.seen)


def test_file_that_is_replaced_meanwhile_comes_anew_and_whole(
    client: Client, server: ServerProcess, run_id: str, file: str, signed: SignedCalls
) -> None:
    etag = client.create_artifact_download_url(run_id, file).etag
    replaced = threading.Event()

    def replace() -> None:
        with Client(server.address) as another:
            another.upload_bytes(run_id, OTHER, file)
        replaced.set()

    async def fault(call: Call) -> web.StreamResponse | None:
        if call.request.method != "GET" or replaced.is_set():
            return None
        signed.fault = None
        await asyncio.to_thread(replace)
        return await break_off(call, DATA, etag, after=MIB)

    signed.fault = fault
    assert client.read_artifact(run_id, file) == OTHER


@pytest.mark.parametrize("why", ["RequestTimeTooSkewed", "AccessDenied", "no store", "cut"])
def test_store_that_can_t_be_reached_is_told_once_and_never_an_error(
    client: Client, run_id: str, file: str, signed: SignedCalls, caplog: pytest.LogCaptureFixture, why: str
) -> None:
    async def fault(call: Call) -> web.StreamResponse | None:
        if why == "no store":
            return web.Response(status=404, text="default backend - 404")
        if why != "cut":
            return error(403, why)
        call.cut()
        return web.Response()

    other_run = client.create_run().run_id
    client.upload_bytes(other_run, DATA, "large")
    signed.seen.clear()
    signed.fault = fault
    with caplog.at_level(logging.INFO, logger="trackwire"):
        for each, path in ((run_id, file), (run_id, file), (other_run, "large")):
            assert client.read_artifact(each, path) == DATA
    [record] = [record for record in caplog.records if "artifact store" in record.message]
    assert record.levelno == logging.WARNING
    assert "Signature" not in caplog.text
    assert len(signed.seen) == 1


def test_store_that_is_busy_is_asked_again_for_the_next_file(
    client: Client, run_id: str, file: str, signed: SignedCalls
) -> None:
    async def fault(_call: Call) -> web.StreamResponse | None:
        return error(503, "SlowDown")

    signed.fault = fault
    assert client.read_artifact(run_id, file) == DATA
    assert len(signed.seen) == 1
    signed.fault = None
    assert client.read_artifact(run_id, file) == DATA
    assert len(signed.seen) == 2


def test_setting_keeps_all_bytes_with_the_server(
    client_type: type[Client],
    server: ServerProcess,
    run_id: str,
    file: str,
    signed: SignedCalls,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRACKWIRE_PRESIGNED_URLS", "off")
    with client_type(server.address) as client:
        assert client.read_artifact(run_id, file) == DATA
    assert signed.seen == []


def test_bad_setting_is_named(client_type: type[Client], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKWIRE_PRESIGNED_URLS", "perhaps")
    with pytest.raises(InvalidArgumentError, match="TRACKWIRE_PRESIGNED_URLS: 'perhaps': must be one of on, off"):
        client_type("127.0.0.1:1")


def test_folder_of_a_server_has_no_urls_and_that_is_no_warning(
    client_type: type[Client], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = ServerProcess(tmp_path / "data")
    try:
        with caplog.at_level(logging.INFO, logger="trackwire"), client_type(server.start()) as client:
            for _ in range(2):
                run_id = client.create_run().run_id
                client.upload_bytes(run_id, DATA, "large")
                assert client.read_artifact(run_id, "large") == DATA
        [record] = [record for record in caplog.records if "artifact store" in record.message]
        assert record.levelno == logging.INFO
    finally:
        server.stop()


async def test_task_that_is_cancelled_leaves_a_store_that_stalls_at_once(
    server: ServerProcess, s3_wire: S3Wire, signed: SignedCalls, tmp_path: Path
) -> None:
    asked, goes_on = threading.Event(), threading.Event()

    async def fault(_call: Call) -> web.StreamResponse | None:
        asked.set()
        await asyncio.to_thread(goes_on.wait, 60)
        return None

    async with AsyncClient(server.address) as client:
        run_id = (await client.create_run()).run_id
        await client.upload_bytes(run_id, DATA, "large")
        signed.fault = fault
        asked.clear()
        downloading = asyncio.create_task(client.download_artifact(run_id, "large", tmp_path / "copy"))
        assert await asyncio.to_thread(asked.wait, 60)
        downloading.cancel()
        _, pending = await asyncio.wait([downloading], timeout=30)
        goes_on.set()
        assert not pending
        assert downloading.cancelled()
    assert list(tmp_path.iterdir()) == []

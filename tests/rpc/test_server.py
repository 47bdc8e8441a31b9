"""What every service has around it: health, reflection, keepalive, limits, and what becomes of unknown methods."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import grpc
import pytest
from google.protobuf import descriptor_pb2
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from structlog.testing import LogCapture
from tests.conftest import Serve, StartServer
from tests.faults.traffic import until

from trackwire.v1 import experiments_pb2, experiments_pb2_grpc
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.limits import LIMITS
from trackwire_server.rpc.server import MESSAGE_SLACK_BYTES, REFLECTION_V1, Door, ServerOptions
from trackwire_server.rpc.status import STATUS_TRAILER

SERVICE = "trackwire.v1.ExperimentService"


class Echo(experiments_pb2_grpc.ExperimentServiceServicer):
    """Answers one rpc with its own argument; the other rpcs are not served."""

    async def GetExperiment(  # noqa: N802  # the rpc's name
        self, request: experiments_pb2.GetExperimentRequest, _context: object
    ) -> experiments_pb2.GetExperimentResponse:
        return experiments_pb2.GetExperimentResponse(experiment=experiments_pb2.Experiment(name=request.name))


ECHO = Door(SERVICE, partial(experiments_pb2_grpc.add_ExperimentServiceServicer_to_server, Echo()))


def stream_door(stream: object) -> Door:
    """A service whose one method answers with this stream."""
    handler = grpc.unary_stream_rpc_method_handler(stream)
    generic = grpc.method_handlers_generic_handler("tests.Stream", {"Go": handler})
    return Door("tests.Stream", lambda server: server.add_generic_rpc_handlers((generic,)))


@pytest.mark.parametrize("service", ["", SERVICE])
async def test_health_serves_for_each_service_and_for_all(serve: Serve, service: str) -> None:
    stub = health_pb2_grpc.HealthStub(await serve(ECHO))
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_health_of_an_unknown_service_is_not_found(serve: Serve, log_capture: LogCapture) -> None:
    stub = health_pb2_grpc.HealthStub(await serve(ECHO))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Check(health_pb2.HealthCheckRequest(service="none.such"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert await until(lambda: any(entry["event"] == "call" for entry in log_capture.entries), seconds=30)
    assert [entry["code"] for entry in log_capture.entries if entry["event"] == "call"] == ["NOT_FOUND"]


async def test_stop_tells_watchers_and_lets_calls_under_way_end(start_server: StartServer) -> None:
    release = asyncio.Event()

    async def slow(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        yield b"begun"
        await release.wait()
        yield b"done"

    server, address = await start_server(stream_door(slow))
    async with grpc.aio.insecure_channel(address) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        call = channel.unary_stream("/tests.Stream/Go")(b"")
        assert await call.read() == b"begun"
        stopping = asyncio.create_task(server.stop(10))
        assert await watch.code() is grpc.StatusCode.UNAVAILABLE
        release.set()
        assert await call.read() == b"done"
        assert await call.code() is grpc.StatusCode.OK
        await stopping


async def test_stop_cancels_what_does_not_end_in_time(start_server: StartServer) -> None:
    closed = asyncio.Event()

    async def stuck(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        try:
            yield b"begun"
            await asyncio.Event().wait()
        finally:
            closed.set()

    server, address = await start_server(stream_door(stuck))
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.unary_stream("/tests.Stream/Go")(b"")
        assert await call.read() == b"begun"
        await server.stop(0.1)
        assert await call.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
        await asyncio.wait_for(closed.wait(), 30)


async def test_client_that_goes_away_ends_its_stream(serve: Serve) -> None:
    closed = asyncio.Event()

    async def stuck(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"more"
                await asyncio.sleep(0.001)
        finally:
            closed.set()

    channel = await serve(stream_door(stuck))
    call = channel.unary_stream("/tests.Stream/Go")(b"")
    assert await call.read() == b"more"
    call.cancel()
    await asyncio.wait_for(closed.wait(), 30)


@pytest.mark.parametrize("protocol", ["grpc.reflection.v1alpha.ServerReflection", REFLECTION_V1])
async def test_reflection_knows_services_and_error_details(serve: Serve, protocol: str) -> None:
    channel = await serve(ECHO)
    ask = channel.stream_stream(
        f"/{protocol}/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    symbols = [SERVICE, "google.rpc.ErrorInfo", "google.rpc.BadRequest", "google.rpc.RetryInfo", "google.rpc.Status"]
    requests = [reflection_pb2.ServerReflectionRequest(list_services="")]
    requests += [reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol) for symbol in symbols]
    answers = [answer async for answer in ask(iter(requests))]
    listed = [service.name for service in answers[0].list_services_response.service]
    assert SERVICE in listed
    assert "grpc.health.v1.Health" in listed
    for symbol, answer in zip(symbols, answers[1:], strict=True):
        files = [
            descriptor_pb2.FileDescriptorProto.FromString(data)
            for data in answer.file_descriptor_response.file_descriptor_proto
        ]
        package, _, name = symbol.rpartition(".")
        names = {item.name for file in files if file.package == package for item in (*file.message_type, *file.service)}
        assert name in names


async def test_buf_curl_works_by_reflection_alone(start_server: StartServer) -> None:
    _, address = await start_server(ECHO)
    url = f"http://{address}/{SERVICE}/GetExperiment"
    buf = str(Path(sys.executable).with_name("buf"))
    command = [buf, "curl", "--http2-prior-knowledge", "--protocol", "grpc", "--data", '{"name": "vision"}', url]
    answer = await asyncio.to_thread(_output, command)
    assert json.loads(answer) == {"experiment": {"name": "vision"}}


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


async def test_unknown_method_is_unimplemented(serve: Serve) -> None:
    channel = await serve(ECHO)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary(f"/{SERVICE}/MakeCoffee")(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_bytes_that_are_no_message_are_an_invalid_argument(serve: Serve) -> None:
    channel = await serve(ECHO)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary(f"/{SERVICE}/GetExperiment")(b"\xff" * 8)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    status = Status.FromString(dict(caught.value.trailing_metadata() or ())[STATUS_TRAILER])
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.reason == "MALFORMED_MESSAGE"


async def test_bytes_in_a_stream_that_are_no_message_are_an_invalid_argument(serve: Serve) -> None:
    channel = await serve(ECHO)
    call = channel.stream_stream(f"/{REFLECTION_V1}/ServerReflectionInfo")(iter([b"\xff" * 8]))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_message_past_the_limit_is_refused_and_the_connection_lives(serve: Serve) -> None:
    channel = await serve(ECHO)
    stub = experiments_pb2_grpc.ExperimentServiceStub(channel)
    too_long = "x" * (LIMITS.message_bytes + MESSAGE_SLACK_BYTES)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.GetExperiment(experiments_pb2.GetExperimentRequest(name=too_long))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    answer = await stub.GetExperiment(experiments_pb2.GetExperimentRequest(name="x"))
    assert answer.experiment.name == "x"


async def test_calls_past_the_limit_are_refused(serve: Serve) -> None:
    async def stuck(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        yield b"begun"
        await asyncio.Event().wait()

    channel = await serve(stream_door(stuck), options=ServerOptions(port=0, concurrent_calls_max=2))
    calls = [channel.unary_stream("/tests.Stream/Go")(b"") for _ in range(2)]
    assert [await call.read() for call in calls] == [b"begun"] * 2
    third = channel.unary_stream("/tests.Stream/Go")(b"")
    assert await third.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    for call in calls:
        call.cancel()


def test_keepalive_agrees_with_a_client_that_pings_every_30_seconds() -> None:
    arguments = dict(ServerOptions().channel_arguments())
    assert arguments["grpc.http2.min_ping_interval_without_data_ms"] <= 30_000
    assert arguments["grpc.keepalive_permit_without_calls"] == 1
    assert arguments["grpc.keepalive_time_ms"] >= 30_000


@pytest.mark.slow
async def test_pings_without_calls_are_allowed_as_often_as_the_options_say(start_server: StartServer) -> None:
    # A client sends no more than a ping a second; four that come too early end its connection.
    options = [("grpc.keepalive_time_ms", 200), ("grpc.keepalive_permit_without_calls", 1)]
    options.append(("grpc.http2.max_pings_without_data", 0))
    async with AsyncExitStack() as stack:
        channels = []
        for apart_seconds in (0.1, 10):
            _, address = await start_server(ECHO, options=ServerOptions(port=0, pings_apart_seconds_min=apart_seconds))
            channels.append(await stack.enter_async_context(grpc.aio.insecure_channel(address, options=options)))
            stub = experiments_pb2_grpc.ExperimentServiceStub(channels[-1])
            await stub.GetExperiment(experiments_pb2.GetExperimentRequest(name="a"))
        allowed, too_often = channels
        async with asyncio.timeout(60):
            await too_often.wait_for_state_change(grpc.ChannelConnectivity.READY)
        assert allowed.get_state() is grpc.ChannelConnectivity.READY


async def test_port_that_is_taken_is_refused(start_server: StartServer) -> None:
    _, address = await start_server(ECHO)
    with pytest.raises(InvalidArgument, match=f"host and port: '{address}': can't be listened on"):
        await start_server(ECHO, options=ServerOptions(port=int(address.rpartition(":")[2])))


async def test_interceptor_keeps_no_handler_for_unknown_methods(start_server: StartServer) -> None:
    server, address = await start_server(ECHO)
    async with grpc.aio.insecure_channel(address) as channel:
        for number in range(20):
            call = channel.unary_unary(f"/{SERVICE}/Unknown{number}")(b"")
            assert await call.code() is grpc.StatusCode.UNIMPLEMENTED
    assert server._interceptor._handlers == {}

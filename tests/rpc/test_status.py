"""Every error of the domain walks across a real socket, by each of the four kinds of calls."""

import inspect
from collections.abc import AsyncIterator, Callable, Sequence

import grpc
import pytest
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status
from structlog.testing import LogCapture
from tests.conftest import Serve
from tests.faults.traffic import until

from trackwire_server.core import errors
from trackwire_server.rpc.server import Door
from trackwire_server.rpc.status import CODES, STATUS_TRAILER

CODE = grpc.StatusCode
KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
CASES: Sequence[tuple[errors.TrackwireError, grpc.StatusCode, str, str | None, float | None]] = [
    (errors.TrackwireError("odd"), CODE.INTERNAL, "INTERNAL", None, None),
    (
        errors.InvalidArgument("page_size", 9, "must be less", limit=8),
        CODE.INVALID_ARGUMENT,
        "INVALID_ARGUMENT",
        "page_size",
        None,
    ),
    (errors.NotFound("run", "r1", field="run_id"), CODE.NOT_FOUND, "RUN_NOT_FOUND", "run_id", None),
    (
        errors.AlreadyExists("registered model", "m", field="name"),
        CODE.ALREADY_EXISTS,
        "REGISTERED_MODEL_ALREADY_EXISTS",
        "name",
        None,
    ),
    (errors.FailedPrecondition("no"), CODE.FAILED_PRECONDITION, "FAILED_PRECONDITION", None, None),
    (errors.RunDeleted("r1"), CODE.FAILED_PRECONDITION, "RUN_DELETED", None, None),
    (errors.ExperimentDeleted("1"), CODE.FAILED_PRECONDITION, "EXPERIMENT_DELETED", None, None),
    (
        errors.ParamAlreadySet("r1", "lr", "1", "2"),
        CODE.FAILED_PRECONDITION,
        "PARAM_ALREADY_SET",
        "params[lr]",
        None,
    ),
    (errors.Aborted("again"), CODE.ABORTED, "ABORTED", None, None),
    (
        errors.SequenceGap("w", mark=3, previous_sequence=5),
        CODE.ABORTED,
        "SEQUENCE_GAP",
        "writer.previous_sequence",
        None,
    ),
    (
        errors.ChecksumMismatch("a/b", announced="00", received="11"),
        CODE.ABORTED,
        "CHECKSUM_MISMATCH",
        "finish.sha256",
        None,
    ),
    (errors.OutOfRange("past the end"), CODE.OUT_OF_RANGE, "OUT_OF_RANGE", None, None),
    (
        errors.TailTokenExpired("r1", arrival=1, kept_from=7),
        CODE.OUT_OF_RANGE,
        "TAIL_TOKEN_EXPIRED",
        "resume_token",
        None,
    ),
    (errors.AnswerTooLarge(9, limit=8), CODE.RESOURCE_EXHAUSTED, "ANSWER_TOO_LARGE", None, None),
    (errors.Overloaded("full", retry_after_seconds=0.25), CODE.RESOURCE_EXHAUSTED, "OVERLOADED", None, 0.25),
    (errors.StorageFull("database"), CODE.RESOURCE_EXHAUSTED, "STORAGE_FULL", None, 30.0),
    (errors.StoreUnavailable("locked"), CODE.UNAVAILABLE, "STORE_UNAVAILABLE", None, 1.0),
    (errors.StoreRefuses("no rights"), CODE.UNAVAILABLE, "ARTIFACT_STORE_REFUSES", None, 1.0),
    (errors.StoreCorrupt("torn page"), CODE.DATA_LOSS, "STORE_CORRUPT", None, None),
    (errors.Unauthenticated("no token"), CODE.UNAUTHENTICATED, "TOKEN_MISSING", None, None),
    (
        errors.PermissionDenied("ci", scope="read", needed="write"),
        CODE.PERMISSION_DENIED,
        "SCOPE_MISSING",
        None,
        None,
    ),
]


def raising_door(raised: Callable[[], BaseException]) -> Door:
    """A service with a method of each kind, each of which raises; all bytes.

    Once all requests are there: what a grpc.aio client still sends while an error comes can take its place.
    """

    async def unary_unary(_request: bytes, _context: object) -> bytes:
        raise raised()

    async def unary_stream(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        yield b"first"
        raise raised()

    async def stream_unary(requests: AsyncIterator[bytes], _context: object) -> bytes:
        async for _ in requests:
            pass
        raise raised()

    async def stream_stream(requests: AsyncIterator[bytes], _context: object) -> AsyncIterator[bytes]:
        async for _ in requests:
            pass
        yield b"first"
        raise raised()

    handlers = {
        "unary_unary": grpc.unary_unary_rpc_method_handler(unary_unary),
        "unary_stream": grpc.unary_stream_rpc_method_handler(unary_stream),
        "stream_unary": grpc.stream_unary_rpc_method_handler(stream_unary),
        "stream_stream": grpc.stream_stream_rpc_method_handler(stream_stream),
    }
    generic = grpc.method_handlers_generic_handler("tests.Raising", handlers)
    return Door("tests.Raising", lambda server: server.add_generic_rpc_handlers((generic,)))


async def call(channel: grpc.aio.Channel, kind: str, *, method: str | None = None) -> object:
    """Calls a method with bytes, and reads all that it answers."""
    callable_ = getattr(channel, kind)(f"/tests.Raising/{method or kind}")
    started = callable_(b"request" if kind.startswith("unary") else iter([b"request", b"request"]))
    if kind.endswith("unary"):
        return await started
    return [response async for response in started]


async def failure(channel: grpc.aio.Channel, kind: str) -> tuple[grpc.aio.AioRpcError, Status]:
    """The error of a call, and the rich status in its trailer."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(channel, kind)
    trailers = dict(caught.value.trailing_metadata() or ())
    return caught.value, Status.FromString(trailers[STATUS_TRAILER])


def test_every_error_class_has_a_case() -> None:
    classes = {kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)}
    assert classes == {type(case[0]) for case in CASES}


def test_every_class_right_below_the_root_has_a_code_of_its_own() -> None:
    assert set(errors.TrackwireError.__subclasses__()) == set(CODES) - {errors.TrackwireError}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: type(case[0]).__name__)
async def test_error_crosses_the_socket_with_its_details(
    serve: Serve, kind: str, case: tuple[errors.TrackwireError, grpc.StatusCode, str, str | None, float | None]
) -> None:
    error, code, reason, field, retry_seconds = case
    channel = await serve(raising_door(lambda: error))
    caught, status = await failure(channel, kind)
    assert caught.code() is code
    assert caught.details() == status.message == error.message
    assert status.code == code.value[0]

    known = info, bad_request, retry, request = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
        error_details_pb2.RequestInfo(),
    )
    found = {message.DESCRIPTOR.name for message in known for d in status.details if d.Unpack(message)}
    expected = (
        {"ErrorInfo", "RequestInfo"}
        | ({"BadRequest"} if field else set())
        | ({"RetryInfo"} if retry_seconds else set())
    )
    assert found == expected
    assert len(status.details) == len(expected)
    assert request.request_id == dict(caught.trailing_metadata() or ())["x-request-id"] != ""
    assert (info.reason, info.domain, dict(info.metadata)) == (reason, "trackwire", error.metadata)
    if field:
        assert [violation.field for violation in bad_request.field_violations] == [field]
        assert bad_request.field_violations[0].description in error.message
    if retry_seconds:
        assert retry.retry_delay.ToNanoseconds() == round(retry_seconds * 1e9)


@pytest.mark.parametrize("kind", KINDS)
async def test_unknown_exception_is_neutral_outside_and_whole_in_the_log(
    serve: Serve, log_capture: LogCapture, kind: str
) -> None:
    channel = await serve(raising_door(lambda: ZeroDivisionError("secret")))
    caught, status = await failure(channel, kind)
    assert caught.code() is CODE.INTERNAL
    assert "secret" not in status.message
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    logged = [entry for entry in log_capture.entries if entry["event"] == "call failed"]
    assert [entry["error_id"] for entry in logged] == [info.metadata["error_id"]]
    assert logged[0]["exc_info"]


async def test_details_of_long_unicode_values_fit_the_trailers(serve: Serve) -> None:
    long = "𝔘" * 5_000
    error = errors.ParamAlreadySet("r" * 256, "k" + long, long, long)
    channel = await serve(raising_door(lambda: error))
    caught, status = await failure(channel, "unary_unary")
    assert caught.code() is CODE.FAILED_PRECONDITION
    assert status.message.endswith("…")


async def test_each_call_is_one_debug_line(serve: Serve, log_capture: LogCapture) -> None:
    channel = await serve(raising_door(lambda: errors.RunDeleted("r1")))
    await failure(channel, "unary_unary")
    assert await until(lambda: any(entry["event"] == "call" for entry in log_capture.entries), seconds=30)
    (line,) = [entry for entry in log_capture.entries if entry["event"] == "call"]
    assert (line["method"], line["code"]) == ("/tests.Raising/unary_unary", "FAILED_PRECONDITION")
    assert line["duration_ms"] >= 0

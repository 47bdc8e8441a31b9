"""A failed call becomes the exception of its code, with all that the server said."""

import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from tests.client.scripted_server import ScriptedServer, abort

from trackwire.client import Client
from trackwire.errors import (
    ERRORS_BY_CODE,
    DeadlineExceededError,
    FailedPreconditionError,
    FieldViolation,
    TrackwireError,
    UnavailableError,
    UnimplementedError,
)
from trackwire.internal.v1 import errors_pb2
from trackwire.v1.runs_pb2 import (
    CreateRunRequest,
    CreateRunResponse,
    GetRunResponse,
    SearchRunsRequest,
    SearchRunsResponse,
)


@pytest.fixture
def scripted_client(client_type: type[Client], scripted: ScriptedServer) -> Iterator[Client]:
    with client_type(scripted.address, timeout_seconds=30) as client:
        yield client


BAD_CODES = [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]


@pytest.mark.parametrize("code", BAD_CODES, ids=lambda code: code.name)
def test_each_code_has_its_exception_and_keeps_the_details(
    code: grpc.StatusCode, scripted: ScriptedServer, scripted_client: Client
) -> None:
    details = (
        errors_pb2.ErrorInfo(reason="BECAUSE", domain="trackwire", metadata={"field": "run_id", "limit": "256"}),
        errors_pb2.BadRequest(field_violations=[{"field": "run_id", "description": "too long"}]),
        errors_pb2.RetryInfo(retry_delay=Duration(seconds=1, nanos=500_000_000)),
    )
    scripted.on("GetRun", lambda _request, context: abort(context, code, "it can't be", *details) or b"")
    with pytest.raises(TrackwireError) as caught:
        scripted_client.get_run("x")
    error = caught.value
    assert type(error) is ERRORS_BY_CODE.get(code.name, TrackwireError)
    assert (error.reason, error.metadata["field"], error.retry_after_seconds) == ("BECAUSE", "run_id", 1.5)
    assert error.field_violations == (FieldViolation("run_id", "too long"),)
    assert str(error) == "it can't be (run_id: too long) (the limit is 256)"


def test_mangled_trailer_still_gives_code_and_message(scripted: ScriptedServer, scripted_client: Client) -> None:
    def answer(_request: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_trailing_metadata((("grpc-status-details-bin", b"\xff\xff"),))
        context.abort(grpc.StatusCode.NOT_FOUND, "nothing")

    scripted.on("GetRun", answer)
    with pytest.raises(ERRORS_BY_CODE["NOT_FOUND"], match="nothing"):
        scripted_client.get_run("x")


def test_server_that_is_not_there_is_named_with_what_to_do(client_type: type[Client]) -> None:
    told = r"127\.0\.0\.1:1 .*`trackwire server`"
    with client_type("127.0.0.1:1") as client, pytest.raises(UnavailableError, match=told):
        client.get_run("x")


@contextmanager
def hanging_up(*, resets: bool) -> Iterator[str]:
    """The address of a server that ends every connection as soon as it has heard something."""

    def serve() -> None:
        while True:
            connection, _ = listener.accept()
            with connection, suppress(ConnectionError):
                if not connection.recv(65_536):
                    return
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", resets, 0))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            # Who says nothing ends it.
            socket.create_connection(listener.getsockname()).close()
            thread.join()


@pytest.mark.parametrize("resets", [False, True])
def test_server_that_hangs_up_is_told_with_what_it_may_want(client_type: type[Client], resets: bool) -> None:
    with hanging_up(resets=resets) as address:
        told = f"{address} closes the connection: if it speaks TLS, name it by grpcs://{address}"
        with client_type(address) as client, pytest.raises(UnavailableError, match=re.escape(told)):
            client.get_run("x")


def test_call_past_its_deadline_ends(client_type: type[Client], scripted: ScriptedServer) -> None:
    scripted.on("GetRun", lambda _request, _context: time.sleep(1) or b"")
    late = pytest.raises(DeadlineExceededError, match="in time")
    with client_type(scripted.address, timeout_seconds=0.2) as client, late:
        client.get_run("x")


def test_call_that_the_server_does_not_know_says_so(scripted_client: Client) -> None:
    with pytest.raises(UnimplementedError, match="does not know this call"):
        scripted_client.get_run("x")


def test_closed_client_says_so(client_type: type[Client], scripted: ScriptedServer) -> None:
    scripted.on_message("GetRun", GetRunResponse(run={"run_id": "r"}))
    with client_type(scripted.address) as client:
        client.get_run("r")
        client.close()
        client.close()
        with pytest.raises(FailedPreconditionError, match="closed"):
            client.get_run("r")


def test_idempotent_call_is_sent_again_as_it_was(scripted: ScriptedServer, scripted_client: Client) -> None:
    def answer(_request: bytes, context: grpc.ServicerContext) -> bytes:
        if len(scripted.requests_of("CreateRun")) < 3:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        return CreateRunResponse(run={"run_id": "r"}).SerializeToString()

    scripted.on("CreateRun", answer)
    assert scripted_client.create_run().run_id == "r"
    ids = {CreateRunRequest.FromString(request).request_id for request in scripted.requests_of("CreateRun")}
    assert len(scripted.requests_of("CreateRun")) == 3
    assert len(ids) == 1
    assert ids != {""}


def test_call_that_is_not_idempotent_is_sent_once(scripted: ScriptedServer, scripted_client: Client) -> None:
    scripted.on("CreateExperiment", lambda _r, context: context.abort(grpc.StatusCode.UNAVAILABLE, "gone") or b"")
    with pytest.raises(UnavailableError):
        scripted_client.create_experiment("x")
    assert len(scripted.requests_of("CreateExperiment")) == 1


def test_iterator_asks_for_pages_as_it_reaches_them(scripted: ScriptedServer, scripted_client: Client) -> None:
    scripted.on_message(
        "SearchRuns",
        SearchRunsResponse(runs=[{"run_id": "a"}, {"run_id": "b"}], next_page_token="two"),
        SearchRunsResponse(runs=[{"run_id": "c"}]),
    )
    found = scripted_client.search_runs(["0"], "x", max_results=100)
    assert scripted.requests == []
    assert next(found).run_id == "a"
    assert len(scripted.requests) == 1
    assert [run.run_id for run in found] == ["b", "c"]
    first, second = (SearchRunsRequest.FromString(request) for request in scripted.requests_of("SearchRuns"))
    assert (first.page_token, second.page_token) == ("", "two")
    second.page_token = ""
    assert first == second


def test_one_id_is_not_taken_for_its_characters(scripted: ScriptedServer, scripted_client: Client) -> None:
    scripted.on_message("SearchRuns", SearchRunsResponse())
    assert list(scripted_client.search_runs("12")) == []
    (request,) = scripted.requests_of("SearchRuns")
    assert list(SearchRunsRequest.FromString(request).experiment_ids) == ["12"]


def test_unknown_enum_name_is_told_with_those_that_exist(scripted_client: Client) -> None:
    with pytest.raises(ERRORS_BY_CODE["INVALID_ARGUMENT"], match="status: 'DONE': must be one of RUNNING"):
        scripted_client.update_run("r", status="DONE")


def test_get_run_gives_the_message(scripted: ScriptedServer, scripted_client: Client) -> None:
    scripted.on_message("GetRun", GetRunResponse(run={"run_id": "r"}))
    assert scripted_client.get_run("r").run_id == "r"

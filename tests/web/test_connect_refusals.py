"""What is no call of the contract: in Connect's form, in a sentence, and never a page's own doing."""

import gzip
from collections.abc import Iterator

import pytest
import requests
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.conftest import ServerProcess
from tests.web.conftest import Doors
from tests.web.connected import Refusal, connected, enveloped

from trackwire.v1 import runs_pb2
from trackwire_server.core.limits import LIMITS

GET_RUN = "RunService/GetRun"
# What a page of any origin may send without asking first; None is a Blob without a type.
WITHOUT_PREFLIGHT = [
    "text/plain",
    "text/plain;charset=UTF-8",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
]
OTHERS = [
    "application/grpc",
    "application/grpc+proto",
    "application/grpc-web+proto",
    "json",
    "application/connect+json",
]


def refused(response: requests.Response) -> Refusal:
    assert response.headers["content-type"] == "application/json"
    assert not [name for name in response.headers if name.lower().startswith("access-control")]
    return Refusal.read(response.json())


@pytest.mark.parametrize("content_type", [*WITHOUT_PREFLIGHT, *OTHERS])
def test_other_kinds_of_content_are_refused(doors: Doors, content_type: str) -> None:
    response = doors.http.post(GET_RUN, b'{"runId": "r"}', content_type)
    assert (response.status_code, response.headers["accept-post"]) == (415, "application/proto, application/json")
    refusal = refused(response)
    assert (refusal.code, refusal.reason) == ("invalid_argument", "CONTENT_TYPE_UNKNOWN")
    assert refusal.message == f"content-type: '{content_type}': must be application/proto or application/json"


def test_content_of_no_kind_is_refused(doors: Doors) -> None:
    response = requests.post(f"{doors.http.url}/trackwire.v1.{GET_RUN}", data=b"{}", timeout=30)
    assert response.status_code == 415
    assert refused(response).reason == "CONTENT_TYPE_UNKNOWN"


def test_stream_takes_its_own_kinds_alone(doors: Doors) -> None:
    refusal = refused(doors.http.post("MetricService/TailMetrics", b"{}", "application/json"))
    assert "must be application/connect+proto or application/connect+json" in refusal.message


def test_a_page_of_another_origin_is_not_told_that_it_may_call(doors: Doors) -> None:
    place = f"{doors.http.url}/trackwire.v1.{GET_RUN}"
    asks = {"origin": "https://elsewhere.example", "access-control-request-method": "POST"}
    response = requests.options(place, headers={**asks, "access-control-request-headers": "content-type"}, timeout=30)
    assert response.status_code == 405
    assert refused(response).reason == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_calls_are_posts(doors: Doors, method: str) -> None:
    place = f"{doors.http.url}/trackwire.v1.{GET_RUN}?message=%7B%7D&encoding=json&connect=v1"
    response = requests.request(method, place, timeout=30)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert refused(response).message == f"method: '{method}': must be POST"


@pytest.mark.parametrize("rpc", ["RunService/NoSuchRpc", "NoSuchService/GetRun", "RunService", "RunService/GetRun/x"])
def test_rpc_that_is_not_there_is_unimplemented(doors: Doors, rpc: str) -> None:
    response = doors.http.post(rpc, b"", "application/proto")
    assert response.status_code == 404
    refusal = refused(response)
    assert (refusal.code, refusal.reason) == ("unimplemented", "RPC_UNKNOWN")
    assert refusal.message == f"/trackwire.v1.{rpc}: there is no such rpc here"


def test_upload_names_the_other_port(doors: Doors) -> None:
    refusal = doors.http.stream("ArtifactService/UploadArtifact").end()
    assert refusal is not None
    assert "takes a stream of requests" in refusal.message


@pytest.mark.parametrize("length_is_told", [True, False])
def test_request_over_the_limit_is_told_the_limit(doors: Doors, length_is_told: bool) -> None:
    body = b"\x0a" * (LIMITS.message_bytes + 2**20)
    sent = body if length_is_told else (body[at : at + 2**20] for at in range(0, len(body), 2**20))
    place, headers = f"{doors.http.url}/trackwire.v1.{GET_RUN}", {"content-type": "application/proto"}
    response = requests.post(place, data=sent, headers=headers, timeout=60)
    refusal = refused(response)
    assert (response.status_code, refusal.code) == (429, "resource_exhausted")
    assert f"{LIMITS.message_bytes + 64 * 1024}" in refusal.message


def test_json_over_its_limit_is_told_the_limit(doors: Doors) -> None:
    refusal = doors.http.ask_json(GET_RUN, b'{"runId": "%s"}' % (b"x" * LIMITS.json_message_bytes))
    assert (refusal.code, refusal.reason) == ("invalid_argument", "MESSAGE_TOO_LARGE")
    assert "8,388,608" in refusal.message
    # In a thread, as all that is long.
    long = doors.http.ask_json(GET_RUN, {"runId": "x" * 1_000_000})
    assert (long.reason, long.metadata["field"]) == ("TOO_LONG", "run_id")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "Failed to load JSON"),
        (b"\xff\xfe", "can't decode"),
        (b"null", "Failed to parse JSON"),
        (b"5", "Failed to parse JSON"),
        (b"[" * 100_000, "recursion"),
        (b'{"runID": "r"}', 'no field named "runID"'),
        (b'{"runId": 5}', "Failed to parse runId field"),
        (b'{"runId": "\\ud800"}', "surrogate"),
        (b'{"runId": "a", "runId": "b"}', "duplicate key runId"),
    ],
)
def test_json_that_is_no_such_message_is_told_why(doors: Doors, body: bytes, words: str) -> None:
    refusal = doors.http.ask_json(GET_RUN, body)
    assert (refusal.code, refusal.reason) == ("invalid_argument", "MALFORMED_MESSAGE")
    assert words in refusal.message


@pytest.mark.parametrize(
    ("point", "words"),
    [
        (b'{"key": "k", "value": NaN}', 'use quoted "NaN"'),
        (b'{"key": "k", "value": 1e999}', 'use quoted "Infinity"'),
        (b'{"key": "k", "step": "9223372036854775808"}', "out of range"),
        (b'{"key": "k", "step": 1.5}', "Couldn't parse integer"),
    ],
)
def test_number_that_does_not_fit_names_its_field(doors: Doors, point: bytes, words: str) -> None:
    refusal = doors.http.ask_json("MetricService/LogMetrics", b'{"runId": "r", "points": [%s]}' % point)
    assert refusal.reason == "MALFORMED_MESSAGE"
    assert words in refusal.message
    assert "points" in refusal.message


def test_enum_of_an_unknown_name_is_told(doors: Doors) -> None:
    refusal = doors.http.ask_json("RunService/UpdateRun", {"runId": "r", "status": "RUN_STATUS_GREAT"})
    assert refusal.reason == "MALFORMED_MESSAGE"
    assert "RUN_STATUS_GREAT" in refusal.message


@examples(max_examples=60)
@given(st.binary(max_size=200), st.sampled_from(["application/proto", "application/json"]))
def test_bytes_of_any_kind_are_answered_in_our_words(doors: Doors, body: bytes, content_type: str) -> None:
    response = doors.http.post(GET_RUN, body, content_type)
    assert response.status_code in (200, 400, 404), response.text
    assert response.status_code == 200 or Refusal.read(response.json()).reason


@examples(max_examples=40)
@given(st.binary(max_size=60))
def test_frames_of_any_kind_are_answered_as_a_stream(doors: Doors, frames: bytes) -> None:
    response = doors.http.post("MetricService/ReadMetrics", frames, "application/connect+proto")
    assert response.status_code == 200
    assert b'"error"' in response.content


def test_fields_that_are_not_known_as_bytes_are_left_alone(doors: Doors) -> None:
    message = runs_pb2.GetRunRequest(run_id="r").SerializeToString() + b"\xfa\xff\x01\x03new"
    assert not isinstance(doors.http.ask(GET_RUN, message), Refusal)


def test_compressed_request_is_told_that_there_is_no_compression(doors: Doors) -> None:
    packed = gzip.compress(b"")
    refusal = doors.http.ask(GET_RUN, packed, content_encoding="gzip")
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.message) == (
        "unimplemented",
        "unknown compression: 'gzip': compression is not supported",
    )
    ended = doors.http.stream("MetricService/ReadMetrics", packed, connect_content_encoding="gzip").end()
    assert ended is not None
    assert ended.code == "unimplemented"


def test_headers_may_say_what_they_like(doors: Doors) -> None:
    answer = doors.http.ask("AdminService/GetServerInfo", cookie="caf\xe9", user_agent="\xff")
    assert not isinstance(answer, Refusal)


def test_messages_after_the_first_are_refused(doors: Doors) -> None:
    body = enveloped(b"") + enveloped(b"")
    response = doors.http.post("MetricService/ReadMetrics", body, "application/connect+proto")
    assert b"multiple messages" in response.content


@pytest.fixture(scope="module")
def prefixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path_factory.mktemp("prefixed") / "data", ["--static-prefix", "/a/b"], http_port="0")
    server.start()
    yield server
    assert server.stop() == 0


def test_prefix_stands_before_rpcs_too(prefixed: ServerProcess) -> None:
    below = connected(f"{prefixed.url}/a/b")
    assert not isinstance(below.ask("AdminService/GetServerInfo"), Refusal)
    assert below.post("RunService/No", b"", "application/proto").json()["code"] == "unimplemented"
    assert connected(prefixed.url).post("AdminService/GetServerInfo", b"", "application/proto").status_code == 404


def test_server_of_artifacts_alone_has_no_rpcs(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = ServerProcess(tmp_path_factory.mktemp("only") / "data", ["--artifacts-only"], http_port="0")
    server.start()
    response = connected(server.url).post("AdminService/GetServerInfo", b"", "application/proto")
    assert (response.status_code, response.json()["error_code"]) == (501, "NOT_IMPLEMENTED")
    assert server.stop() == 0


def test_no_bug_was_logged(doors: Doors) -> None:
    log = doors.server.log_text()
    assert "Traceback" not in log
    assert "Exception in ASGI" not in log

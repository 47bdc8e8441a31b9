"""Bodies that nobody means: each is refused with a status of the 400s and words for what is wrong, and stores nothing.

Every rpc is asked; what it takes is read off its request's type, so that a new one is tried as well.
"""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any, get_origin
from unittest.mock import Mock

import msgspec
import pytest
import requests
from tests.mlflow_api.conftest import Rest

from trackwire_server.mlflow_api import app
from trackwire_server.mlflow_api.door import Rpc

SEED = 7
BODIES = 10_000
LARGE_BYTES = 10 * 1024 * 1024
# Listing the rpcs asks nothing of the services.
RPCS = app.rpcs_of(Mock())
IDS = [f"{rpc.method} {rpc.path}" for rpc in RPCS]


def anything(chance: random.Random, depth: int = 0) -> Any:
    """Some JSON."""
    texts = (
        "",
        "0",
        "x",
        "NaN",
        "null",
        "\x00",
        "ü" * 9,
        "../x",
        "a" * 3_000,
        "' OR 1=1 --",
        "\ud800",
        "1e400",
        "{}",
        "²",
        "-5",
    )
    numbers = (0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**40, 0.5, -0.0, 1e308)
    choices: list[Callable[[], Any]] = [
        lambda: chance.choice(texts),
        lambda: chance.choice(numbers),
        lambda: chance.choice((True, False, None)),
    ]
    if depth < 3:
        choices += [
            lambda: [anything(chance, depth + 1) for _ in range(chance.randrange(4))],
            lambda: {chance.choice(("key", "value", "x", "")): anything(chance, depth + 1) for _ in range(3)},
        ]
    return chance.choice(choices)()


def mutated(chance: random.Random, rpc: Rpc) -> Any:
    """A message of which some fields are there, each with anything."""
    names = rpc.request.__struct_fields__
    return {name: anything(chance) for name in names if chance.random() < 0.7}


def bodies(chance: random.Random, rpc: Rpc) -> Iterator[bytes]:
    """One body after the other, without end."""
    while True:
        match chance.randrange(4):
            case 0:
                yield chance.randbytes(chance.randrange(60))
            case 1:
                yield json.dumps(anything(chance)).encode()
            case _:
                yield json.dumps(mutated(chance, rpc)).encode()


def path_of(rpc: Rpc) -> str:
    return "/api/" + "/".join("some" if part.startswith("{") else part for part in rpc.path.split("/"))


@pytest.mark.slow
@pytest.mark.parametrize("rpc", RPCS, ids=IDS)
def test_no_body_breaks_the_server(rest: Rest, rpc: Rpc) -> None:
    chance = random.Random(f"{SEED} {rpc.method} {rpc.path}")
    found = bodies(chance, rpc)
    with requests.Session() as session:
        for _ in range(-(-BODIES // len(RPCS))):
            body = next(found)
            if rpc.method == "GET":
                query = {name: str(value) for name, value in mutated(chance, rpc).items()}
                query = {name: value.encode("utf-8", "replace").decode() for name, value in query.items()}
                response = session.get(rest.url + path_of(rpc), params=query, timeout=30)
            else:
                headers = {"Content-Type": "application/json"}
                response = session.request(rpc.method, rest.url + path_of(rpc), data=body, headers=headers, timeout=30)
            if response.status_code != 200:
                error = response.json()
                assert 400 <= response.status_code < 500, (response.status_code, body, error)
                assert error["message"], body
                assert error["error_code"] in (
                    "INVALID_PARAMETER_VALUE",
                    "RESOURCE_DOES_NOT_EXIST",
                    "RESOURCE_ALREADY_EXISTS",
                ), (body, error)


def wrong_of(kind: Any) -> Any:
    """A value that a field of this type can't have."""
    return "text" if get_origin(kind) is list or kind is list else {"wrong": 1}


@pytest.mark.parametrize(
    "rpc", [rpc for rpc in RPCS if rpc.method != "GET"], ids=[i for i in IDS if not i.startswith("GET")]
)
def test_each_field_of_a_wrong_type_is_named(rest: Rest, rpc: Rpc) -> None:
    for field in msgspec.structs.fields(rpc.request):
        wrong = wrong_of(field.type)
        good: dict[str, Any] = {
            other.name: "1" for other in msgspec.structs.fields(rpc.request) if other.required and other is not field
        }
        status, code, message = rest.refused(rpc.method, path_of(rpc), json={**good, field.name: wrong})
        assert (status, code) == (400, "INVALID_PARAMETER_VALUE"), (field.name, message)
        assert f"'{field.name}'" in message
        assert json.dumps(wrong) in message


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("runs/create", b"{", "is not JSON"),
        ("runs/create", b"[]", "must be a JSON object, not array"),
        ("runs/create", b"7", "must be a JSON object, not int"),
        ("runs/create", b"\xff\xfe", "is not JSON"),
        ("runs/log-metric", b'{"run_id": "r", "key": "k", "value": NaN, "timestamp": 1}', "is not JSON"),
        ("runs/create", b"[" * 100_000, "is not JSON"),
    ],
)
def test_what_is_no_message_is_told(rest: Rest, path: str, body: bytes, words: str) -> None:
    status, code, message = rest.refused("POST", path, data=body, headers={"Content-Type": "application/json"})
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert words in message


def test_large_bodies_are_refused_and_stored_nowhere(rest: Rest) -> None:
    run_id = rest.run()
    before = rest.get("runs/get", run_id=run_id)
    large = "x" * LARGE_BYTES
    for path, fields, words in (
        ("runs/log-parameter", {"key": "p", "value": large}, "characters, at most"),
        ("runs/set-tag", {"key": large, "value": "v"}, "characters, at most 250"),
        ("runs/log-batch", {"tags": [{"key": "k", "value": large}]}, "characters, at most"),
        ("runs/log-metric", {"key": "m", "value": large, "timestamp": 1}, "for parameter 'value'"),
    ):
        status, code, message = rest.refused("POST", path, json={"run_id": run_id, **fields})
        assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
        assert words in message
        assert len(message) < 1_000
    status, _, message = rest.refused("POST", "runs/set-tag", json={"run_id": run_id, "key": "k", "value": large * 4})
    assert status == 400
    assert "more than 33,554,432 bytes" in message
    assert rest.get("runs/get", run_id=run_id) == before


def test_body_encoded_twice_is_read_as_old_clients_mean_it(rest: Rest) -> None:
    body = json.dumps(json.dumps({"run_name": "twice"}))
    made = rest.send("POST", "runs/create", data=body, headers={"Content-Type": "application/json"}).json()
    assert made["run"]["info"]["run_name"] == "twice"


@pytest.mark.parametrize("content_type", [None, "text/plain"])
def test_body_must_say_that_it_is_json(rest: Rest, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    status, _, message = rest.refused("POST", "runs/create", data=b"{}", headers=headers)
    assert status == 400
    assert "Content-Type" in message


def test_unknown_fields_are_left_alone(rest: Rest) -> None:
    assert rest.run(run_name="x", colour="blue", nested={"a": [1]})


def test_other_rpcs_of_mlflow_are_refused_by_name(rest: Rest) -> None:
    from trackwire_server.mlflow_api.unknown_rpcs import UNKNOWN_RPCS

    for rpc in UNKNOWN_RPCS:
        path = "/ajax-api/" + "/".join("some" if part.startswith("{") else part for part in rpc.path.split("/"))
        status, code, message = rest.refused(rpc.method, path, json={})
        assert (status, code) == (501, "NOT_IMPLEMENTED")
        assert message == f"{rpc.name} is not implemented by this server"


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/graphql", "GraphQL"),
        ("POST", "/graphql", "GraphQL"),
        ("POST", "/v1/traces", "OpenTelemetry traces"),
        ("POST", "/gateway/chat/mlflow/invocations", "AI gateway"),
        ("GET", "/signup", "basic-auth"),
        ("POST", "users/create", "basic-auth"),
        ("PATCH", "users/update-password", "basic-auth"),
        ("GET", "/ajax-api/3.0/mlflow/users/current/permissions", "basic-auth"),
        ("POST", "/api/3.0/mlflow/roles/create", "basic-auth"),
        ("POST", "experiments/permissions/create", "basic-auth"),
        ("DELETE", "registered-models/permissions/delete", "basic-auth"),
        ("POST", "/api/3.0/mlflow/gateway/secrets/permissions/create", "basic-auth"),
        ("GET", "/ajax-api/3.0/mlflow/gateway/supported-providers", "AI gateway"),
        ("POST", "/ajax-api/2.0/mlflow/runs/create-promptlab-run", "create-promptlab-run"),
        ("GET", "/ajax-api/2.0/mlflow/gateway-proxy", "gateway-proxy"),
        ("POST", "/ajax-api/2.0/mlflow/gateway-proxy", "gateway-proxy"),
        ("GET", "/ajax-api/2.0/mlflow/get-trace-artifact", "get-trace-artifact"),
        ("GET", "/ajax-api/3.0/mlflow/get-trace-artifact", "get-trace-artifact"),
        ("POST", "/ajax-api/3.0/mlflow/scorer/invoke", "scorer/invoke"),
        ("PUT", "/api/3.0/mlflow/scorers/online-config", "online scoring"),
        ("POST", "/ajax-api/3.0/mlflow/issues/invoke", "issues/invoke"),
        ("GET", "/ajax-api/3.0/mlflow/jobs/some", "jobs"),
        ("POST", "/ajax-api/3.0/jobs/search", "jobs"),
        ("POST", "/ajax-api/3.0/mlflow/mcp-servers", "MCP server registry"),
    ],
)
def test_what_no_protobuf_describes_is_refused_by_name(rest: Rest, method: str, path: str, name: str) -> None:
    found = rest.refused(method, path, json={})
    assert found == (501, "NOT_IMPLEMENTED", f"{name} is not implemented by this server")


def test_only_what_mlflow_has_is_refused_so(rest: Rest) -> None:
    for path in ("usersandmore", "/api/3.0/mlflow/jobsome", "/api/2.0/mlflow/issues"):
        assert rest.refused("POST", path, json={})[:2] == (404, "ENDPOINT_NOT_FOUND")
    assert rest.send("GET", "/graphqls").status_code == 404
    # An issue may have any id.
    assert rest.refused("GET", "/api/3.0/mlflow/issues/invoke")[1] == "RESOURCE_DOES_NOT_EXIST"


def test_unknown_paths_and_methods_are_told(rest: Rest) -> None:
    status, code, message = rest.refused("GET", "runs/nothing")
    assert (status, code) == (404, "ENDPOINT_NOT_FOUND")
    assert "GET 2.0/mlflow/runs/nothing is no endpoint of this server" in message
    assert rest.refused("GET", "runs/create")[2].endswith("it takes POST")

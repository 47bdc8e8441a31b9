"""The table of scopes is complete: every rpc of every service, and every request over HTTP."""

from collections.abc import Iterator
from unittest.mock import MagicMock

import pytest
from starlette.routing import Route
from tests.rpc.test_every_rpc import METHODS

from trackwire_server.core.scopes import READING_POSTS, RPC_SCOPES, scope_of_request, scope_of_rpc
from trackwire_server.core.tokens import Scope
from trackwire_server.mlflow_api.app import mlflow_routes, rpcs_of
from trackwire_server.mlflow_api.door import PREFIXES

READING_WORDS = ("search", "get", "list", "read", "tail", "download")
PATHS = [f"/{method.containing_service.full_name}/{method.name}" for method in METHODS.values()]
ADMIN_RPCS = {path for path in PATHS if "/Import" in path or path.endswith("/CollectGarbage")}


def mlflow_calls() -> Iterator[tuple[str, str]]:
    """Method and path of each of MLflow's calls that is answered, below both prefixes."""
    # What answers is not called.
    for rpc in rpcs_of(MagicMock()):
        yield from ((rpc.method, prefix + rpc.path) for prefix in PREFIXES)


def test_each_rpc_stands_in_the_table_once_and_nothing_else_does() -> None:
    assert sorted(PATHS) == sorted(RPC_SCOPES)


@pytest.mark.parametrize("path", PATHS)
def test_rpc_that_only_reads_needs_read_and_others_more(path: str) -> None:
    name = path.rpartition("/")[2].lower()
    reads = name.startswith(READING_WORDS) and name != "getuploadstatus"
    if path in ADMIN_RPCS:
        assert scope_of_rpc(path) is Scope.ADMIN
    elif name == "createartifactdownloadurl":
        assert scope_of_rpc(path) is Scope.READ
    else:
        assert scope_of_rpc(path) is (Scope.READ if reads else Scope.WRITE)


def test_health_and_the_files_of_the_web_ui_are_open_and_what_is_unknown_needs_most() -> None:
    assert scope_of_rpc("/grpc.health.v1.Health/Check") is None
    assert scope_of_rpc("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo") is Scope.READ
    assert scope_of_rpc("/trackwire.v1.RunService/Unheard") is Scope.ADMIN
    for path in ("/", "/health", "/ready", "/assets/index-1234.js"):
        assert scope_of_request("GET", path) is None
        assert scope_of_request("HEAD", path) is None
        assert scope_of_request("POST", path) is Scope.WRITE
    for path in ("/version", "/assets", "//", "/metrics", "/health/", "//health", "/healthy", "/api/health"):
        assert scope_of_request("GET", path) is Scope.READ
    assert scope_of_request("PROPFIND", "/") is Scope.ADMIN


@pytest.mark.parametrize(("method", "path"), sorted(set(mlflow_calls())))
def test_request_of_mlflow_that_only_reads_needs_read_and_others_write(method: str, path: str) -> None:
    last = path.rpartition("/")[2]
    reads = method == "GET" or (method == "POST" and last.startswith(READING_WORDS))
    assert scope_of_request(method, path) is (Scope.READ if reads else Scope.WRITE)


def test_posts_that_read_are_all_there() -> None:
    paths = {path for _, path in mlflow_calls()}
    assert {f"/api/{path}" for path in READING_POSTS} <= paths


def test_every_route_takes_methods_that_have_a_scope() -> None:
    for route in mlflow_routes(MagicMock(), MagicMock()):
        assert isinstance(route, Route)
        for method in route.methods or ():
            assert scope_of_request(method, route.path) in (Scope.READ, Scope.WRITE)

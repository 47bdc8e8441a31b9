"""The HTTP port itself: health, version, the prefix, figures for Prometheus, and its life beside the rest."""

import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from tests.client.shipper.shipping import until
from tests.conftest import ServerProcess
from tests.postgres import fresh_database

from trackwire import Client
from trackwire.errors import NotFoundError

MakeServer = Callable[..., ServerProcess]


def get(url: str) -> requests.Response:
    return requests.get(url, timeout=30)


def test_health_version_and_where_grpc_is(make_server_process: MakeServer) -> None:
    server = make_server_process("--http-port", "0")
    server.start()
    assert f"http={server.url}" in server.ready_line
    assert (get(f"{server.url}/health").status_code, get(f"{server.url}/health").text) == (200, "OK")
    with Client(server.address) as client:
        info = client.get_server_info()
    assert get(f"{server.url}/version").text == info.version
    # What gRPC's clients need, told to who knows the HTTP port.
    assert (f"127.0.0.1:{info.grpc.port}", info.grpc.tls, info.grpc.uri) == (server.address, False, "")
    assert get(f"{server.url}/nothing").status_code == 404
    # For who comes without a browser.
    assert get(server.url).text.startswith("Trackwire\n")
    assert "mlflow runs describe" in get(server.url).text
    assert server.stop() == 0
    assert "Started server process" not in server.log_text()


def test_port_that_is_off_is_not_opened(make_server_process: MakeServer) -> None:
    server = make_server_process("--http-port", "off")
    server.start()
    assert server.url == ""
    assert "http=" not in server.ready_line


def test_port_that_is_taken_is_told(make_server_process: MakeServer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = make_server_process("--http-port", str(port))
        assert server.launch().wait(30) == 1
    words = f"port {port} of 127.0.0.1 is taken; choose another with --http-port, or --http-port off"
    assert server.log_text() == f"trackwire server: {words}\n"
    assert not server.data_dir.exists()


@pytest.mark.parametrize("value", ["65536", "five", "-1"])
def test_bad_port_is_told(make_server_process: MakeServer, value: str) -> None:
    server = make_server_process(f"--http-port={value}")
    assert server.launch().wait(30) == 2
    assert f"--http-port: '{value}': must be a whole number from 0 to 65,535, or off" in server.log_text()


def test_prefix_stands_before_every_path(make_server_process: MakeServer) -> None:
    server = make_server_process("--http-port", "0", "--static-prefix", "/tracking")
    server.start()
    api = "/api/2.0/mlflow/experiments/get?experiment_id=0"
    assert get(f"{server.url}/tracking{api}").json()["experiment"]["name"] == "Default"
    assert get(f"{server.url}{api}").status_code == 404
    assert get(f"{server.url}/health").text == get(f"{server.url}/tracking/health").text == "OK"
    assert get(f"{server.url}/tracking/").text.startswith("Trackwire\n")
    for path in ("/", "/tracking"):
        assert get(server.url + path).url == f"{server.url}/tracking/"


def test_figures_for_prometheus(make_server_process: MakeServer, tmp_path: Path) -> None:
    server = make_server_process("--http-port", "0", "--expose-prometheus", str(tmp_path / "prometheus"))
    server.start()

    def figure(name: str) -> float:
        text = get(f"{server.url}/metrics").text
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        assert found is not None, text
        return float(found[1])

    assert figure("trackwire_metric_points_stored_total") == 0
    points = {"run_id": "", "metrics": [{"key": "loss", "value": 0.5, "timestamp": 1, "step": at} for at in range(7)]}
    api = f"{server.url}/api/2.0/mlflow/runs"
    points["run_id"] = requests.post(f"{api}/create", json={}, timeout=30).json()["run"]["info"]["run_id"]
    for _ in range(2):
        # The second time they are stored already.
        assert requests.post(f"{api}/log-batch", json=points, timeout=30).status_code == 200
    assert figure("trackwire_metric_points_stored_total") == 7
    assert figure("trackwire_ingest_queue_points") == 0
    assert figure('trackwire_http_request_duration_seconds_count{method="POST",status="200"}') == 3
    assert figure("process_resident_memory_bytes") > 1e6


def test_no_figures_where_they_are_switched_off(make_server_process: MakeServer) -> None:
    server = make_server_process("--http-port", "0", "--no-prometheus")
    server.start()
    assert get(f"{server.url}/metrics").status_code == 404


def test_answer_and_log_bear_the_request_id(make_server_process: MakeServer) -> None:
    server = make_server_process("--http-port", "0", "--log-level", "debug")
    server.start()
    place = f"{server.url}/api/2.0/mlflow/runs/get?run_id=nope"
    own = requests.get(place, headers={"X-Request-ID": "from-a-proxy.7"}, timeout=30)
    assert (own.status_code, own.headers["x-request-id"]) == (404, "from-a-proxy.7")
    others = [requests.get(place, headers={"X-Request-ID": said}, timeout=30) for said in ("", "a b", "x" * 129)]
    made = [answer.headers["x-request-id"] for answer in others]
    assert len({*made} - {"", "a b", "x" * 129}) == 3
    with Client(server.address) as client, pytest.raises(NotFoundError) as caught:
        client.get_run("nope")
    # A call's line follows its answer.
    assert until(lambda: "/GetRun code=NOT_FOUND " in server.log_text())
    [line] = [line for line in server.log_text().splitlines() if "/GetRun code=NOT_FOUND " in line]
    assert f"request_id={caught.value.request_id}" in line.split()
    assert caught.value.request_id not in str(caught.value)


def test_readiness_is_red_before_the_server_turns_anybody_away(make_server_process: MakeServer) -> None:
    server = make_server_process("--http-port", "0", "--readiness-grace-seconds", "600")
    address = server.start()
    assert (get(f"{server.url}/ready").status_code, get(f"{server.url}/ready").text) == (200, "OK")
    with Client(address) as client:
        assert client.check_health() == "SERVING"
        assert server.process is not None
        server.process.terminate()
        assert until(lambda: get(f"{server.url}/ready").status_code == 503)
        assert get(f"{server.url}/ready").text == "the server is about to stop"
        assert until(lambda: client.check_health() == "NOT_SERVING")
        assert get(f"{server.url}/health").text == "OK"
        # What still comes is answered, on connections that are new, too.
        assert client.create_run("0").run_id
        with Client(address) as newcomer:
            assert newcomer.get_server_info().version
    assert server.stop() == 128 + signal.SIGTERM


def test_server_whose_store_is_gone_is_not_ready_and_still_tells_its_figures(make_server_process: MakeServer) -> None:
    with fresh_database() as uri:
        server = make_server_process("--http-port", "0", "--store-uri", uri)
        address = server.start()
        assert get(f"{server.url}/ready").status_code == 200
        assert "\ntrackwire_store_up 1.0\n" in get(f"{server.url}/metrics").text
    assert until(lambda: get(f"{server.url}/ready").status_code == 503)
    assert re.search(r"database postgresql://.* does not exist", get(f"{server.url}/ready").text)
    figures = get(f"{server.url}/metrics").text
    assert "\ntrackwire_store_up 0.0\n" in figures
    assert "\ntrackwire_journal_rows" not in figures
    assert get(f"{server.url}/health").text == "OK"
    with Client(address) as client:
        assert client.check_health() == "NOT_SERVING"
    assert "trackwire server not ready" in server.log_text()
    assert server.stop() == 0


def head_of_answer(connection: socket.socket) -> bytes:
    """What comes, up to an empty line and maybe more."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = connection.recv(65_536)
        assert part, answer
        answer += part
    return answer


def test_requests_under_way_are_finished_when_the_server_stops(make_server_process: MakeServer) -> None:
    server = make_server_process("--http-port", "0")
    server.start()
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        body = b'{"run_name": "late"}'
        head = "POST /api/2.0/mlflow/runs/create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        # It says so once it waits for the body: before, it might close the port without having seen the connection.
        assert head_of_answer(connection).startswith(b"HTTP/1.1 100 Continue")
        assert server.process is not None
        server.process.terminate()
        assert until(lambda: "signal received" in server.log_text())
        connection.sendall(body)
        assert head_of_answer(connection).startswith(b"HTTP/1.1 200 OK")
    assert server.process.wait(30) == 0

"""What gRPC may send again, which rpcs there are, and where the server is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from trackwire.address import is_loopback, is_several, server_address
from trackwire.client.channel import RETRIED, SPREAD, channel_options, service_config
from trackwire.client.connection import rpc_paths
from trackwire.errors import InvalidArgumentError

ROOT = Path(__file__).resolve().parents[2]
# A second copy of these would fail, or do more than the first.
SENT_ONCE = {
    "ExperimentService": {"CreateExperiment", "DeleteExperimentTag", "DeleteExperiment", "RestoreExperiment"},
    "RunService": {"DeleteRunTag"},
    "MetricService": {"LogMetrics"},
    "ArtifactService": {"UploadArtifact", "DeleteArtifact", "CreateArtifactPartUrl"},
    "ModelRegistryService": {
        "CreateRegisteredModel",
        "RenameRegisteredModel",
        "DeleteRegisteredModel",
        "DeleteModelVersion",
    },
    "LoggedModelService": {"DeleteLoggedModelTag"},
    "EvaluationDatasetService": {
        "DeleteEvaluationDataset",
        "DeleteEvaluationDatasetTag",
        "DeleteEvaluationDatasetRecords",
    },
    "AdminService": {"CollectGarbage"},
}


def test_every_rpc_is_either_retried_or_sent_once() -> None:
    decided = {
        f"/trackwire.v1.{service}/{method}"
        for lists in (RETRIED, SENT_ONCE)
        for service, methods in lists.items()
        for method in methods
    }
    assert decided == set(rpc_paths().values())
    assert not any(set(RETRIED[service]) & methods for service, methods in SENT_ONCE.items())


def test_request_messages_are_unique_in_the_package() -> None:
    assert len(rpc_paths()) == len(set(rpc_paths().values()))


def test_service_config_retries_where_a_server_is_away_alone() -> None:
    config = json.loads(service_config())
    (method_config,) = config["methodConfig"]
    assert method_config["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE", "CANCELLED"]
    assert {"service": "trackwire.v1.RunService", "method": "CreateRun"} in method_config["name"]
    assert config["retryThrottling"]["maxTokens"] > 0


def test_proxy_is_off_for_loopback_alone() -> None:
    assert ("grpc.enable_http_proxy", 0) in channel_options("127.0.0.1:5051")
    assert ("grpc.enable_http_proxy", 0) not in channel_options("tracker.example:5051")
    assert is_loopback("[::1]:5051")
    assert is_loopback("localhost:5051")
    assert is_loopback("grpcs://127.0.0.1:5051")
    assert not is_loopback("grpcs://10.0.0.1:5051")
    assert not is_loopback("10.0.0.1:5051")


def test_address_comes_from_the_argument_then_the_environment_then_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TRACKWIRE_TRACKING_URI", raising=False)
    assert server_address() == "127.0.0.1:5051"
    monkeypatch.setenv("TRACKWIRE_TRACKING_URI", "grpc://tracker.example:7000/")
    assert server_address() == "tracker.example:7000"
    assert server_address("[::1]:80") == "[::1]:80"
    assert server_address("tracker.example") == "tracker.example:5051"
    assert server_address("grpcs://tracker.example") == "grpcs://tracker.example:5051"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.1:7000,10.0.0.2", "10.0.0.1:7000,10.0.0.2:5051"),
        ("grpc://[::1]:1,[::2]:2/", "[::1]:1,[::2]:2"),
        ("dns:///trackwire:7000", "dns:trackwire:7000"),
        ("grpc://dns:///trackwire", "dns:trackwire:5051"),
        # A host may have that name.
        ("dns:7000", "dns:7000"),
    ],
)
def test_several_servers_are_one_address_which_stays_as_it_is(text: str, address: str) -> None:
    assert server_address(text) == server_address(address) == address
    assert is_several(address) is (address != "dns:7000")
    assert "/" not in address


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("a.example:1,b.example:2", "must be IP addresses of one kind"),
        ("10.0.0.1,[::1]", "must be IP addresses of one kind"),
        ("10.0.0.1,", "expected host:port"),
        ("dns:///", "expected host:port"),
        (",".join(["10.0.0.1:5051"] * 15), "at most 200 characters"),
    ],
)
def test_bad_list_is_told(bad: str, words: str) -> None:
    with pytest.raises(InvalidArgumentError, match=words):
        server_address(bad)


def test_only_several_servers_are_balanced() -> None:
    def config(address: str, balancing: dict[str, object]) -> dict[str, object]:
        return json.loads(str(dict(channel_options(address, balancing))["grpc.service_config"]))

    assert config("10.0.0.1:1,10.0.0.2:2", SPREAD)["loadBalancingConfig"] == [{"round_robin": {}}]
    assert "loadBalancingConfig" not in config("10.0.0.1:1", SPREAD)


@pytest.mark.parametrize("bad", ["http://host:5051", "host:0", "host:65536", "host:port", "a b", "", "host:1/path"])
def test_bad_address_is_named_with_where_it_came_from(bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^address: ") as caught:
        server_address(bad)
    assert repr(bad) in str(caught.value)
    if bad:
        monkeypatch.setenv("TRACKWIRE_TRACKING_URI", bad)
        with pytest.raises(InvalidArgumentError, match=r"^TRACKWIRE_TRACKING_URI: "):
            server_address()


def test_import_loads_nothing_heavy() -> None:
    code = (
        "import sys, trackwire; assert 'Client' in dir(trackwire);"
        "print([name for name in ('grpc', 'numpy', 'google.protobuf', 'click') if name in sys.modules]);"
        "trackwire.TrackwireError; print('grpc' in sys.modules);"
        "trackwire.Client; print('grpc' in sys.modules, trackwire.__version__ != '')"
    )
    environment = {"PYTHONPATH": str(ROOT / "client"), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:3] == ["[]", "False", "True True"]


def test_import_is_quick() -> None:
    code = "import time; start = time.process_time(); import trackwire; print(time.process_time() - start)"
    environment = {"PYTHONPATH": str(ROOT / "client"), "PATH": ""}
    took = [
        float(subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True).stdout)
        for _ in range(3)
    ]
    assert min(took) < 0.15

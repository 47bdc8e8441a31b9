"""The examples fit their schemas, the image and the settings; servers started so are one to their clients."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tests import s3
from tests.certificates import Authority, Pair
from tests.client.shipper.shipping import until
from tests.conftest import ServerProcess
from tests.docs.documents import ROOT
from tests.docs.examples import (
    COMPOSE,
    Described,
    compose_document,
    dockerfile,
    in_compose,
    in_kubernetes,
    kubernetes_documents,
    unknown_to_kubernetes,
)
from tests.postgres import fresh_database

from trackwire import Client
from trackwire.columns import MetricColumns
from trackwire_server.__main__ import main
from trackwire_server.config import SETTINGS, Config

MakeServer = Callable[..., ServerProcess]
BOTH = pytest.mark.parametrize("described", [in_compose(), in_kubernetes()], ids=["compose", "kubernetes"])


def test_compose_file_fits_the_schema_of_compose_files() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 0, checked.stdout


def test_images_are_pinned_and_volumes_and_networks_are_there() -> None:
    document = compose_document()
    for service in document["services"].values():
        assert re.fullmatch(r"[a-z/]+:[0-9.]+", service["image"])
        assert set(service["networks"]) <= document["networks"].keys()
        assert set(service.get("depends_on", ())) <= document["services"].keys()
        for volume in service.get("volumes", ()):
            assert volume.startswith("./") or volume.partition(":")[0] in document["volumes"]


@pytest.mark.parametrize("name", kubernetes_documents())
def test_document_is_read_whole_by_kubernetes(name: str) -> None:
    assert unknown_to_kubernetes(kubernetes_documents()[name]) == {}


def test_documents_of_kubernetes_find_each_other() -> None:
    documents = kubernetes_documents()
    template = documents["Deployment/trackwire"]["spec"]["template"]
    labels, [container] = template["metadata"]["labels"], template["spec"]["containers"]
    selectors = [
        documents["Deployment/trackwire"]["spec"]["selector"]["matchLabels"],
        documents["Service/trackwire"]["spec"]["selector"],
        documents["Service/trackwire-http"]["spec"]["selector"],
        documents["PodDisruptionBudget/trackwire"]["spec"]["selector"]["matchLabels"],
        documents["NetworkPolicy/trackwire"]["spec"]["podSelector"]["matchLabels"],
        *(each["labelSelector"]["matchLabels"] for each in template["spec"]["topologySpreadConstraints"]),
    ]
    assert selectors == [labels] * len(selectors)
    ports = {port["name"] for port in container["ports"]}
    asked = [container[probe]["httpGet"]["port"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")]
    allowed = [each["port"] for each in documents["NetworkPolicy/trackwire"]["spec"]["ingress"][0]["ports"]]
    served = [port["targetPort"] for name in ("trackwire", "trackwire-http") for port in service_ports(documents, name)]
    assert {*asked} <= ports == {*allowed} == {*served}
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        each["name"] for each in template["spec"]["volumes"]
    }


def service_ports(documents: Mapping[str, dict], name: str) -> list[dict]:  # type: ignore[type-arg]
    return list(documents[f"Service/{name}"]["spec"]["ports"])


@BOTH
def test_settings_are_the_servers(described: Described) -> None:
    ours = {name: value for name, value in described.environment.items() if name.startswith("TRACKWIRE_")}
    assert ours.keys() <= {setting.variable for setting in SETTINGS}
    assert set(described.environment) - ours.keys() == {"AWS_REGION"}
    config = Config.read({}, described.environment)
    assert described.replicas > 1
    assert config.readiness_grace_seconds > 0
    assert described.stop_seconds > config.readiness_grace_seconds + config.drain_seconds
    for file in (config.tls_cert, config.tls_key, config.tokens_file):
        assert str(Path(str(file)).parent) in described.readable


@BOTH
def test_image_is_what_they_expect(described: Described) -> None:
    [entrypoint], [user], [exposed] = (dockerfile()[name] for name in ("ENTRYPOINT", "USER", "EXPOSE"))
    assert json.loads(entrypoint) == ["python", "-m", "trackwire_server"]
    [made] = [line for line in dockerfile()["RUN"] if line.startswith("useradd")]
    uid = int(re.findall(rf"--uid (\d+) .*{user}", made)[0])
    assert described.uids == {uid}
    assert described.ports == {int(port) for port in exposed.split()} == {5051, 5000}
    environment = dict(re.findall(r"(\w+)=(\S+)", " ".join(dockerfile()["ENV"])))
    assert environment["TRACKWIRE_DATA_DIR"] in described.writable
    assert environment["TRACKWIRE_HOST"] == "0.0.0.0"
    version = re.findall(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[0]
    assert described.image == f"trackwire:{version}"
    assert re.search(r'pip install .*"\.\[server,.*s3.*\]"', (ROOT / "Dockerfile").read_text())


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Authority, Pair]:
    authority = Authority(tmp_path / "certificates", "authority")
    return authority, authority.issue("trackwire", "localhost", "127.0.0.1")


@pytest.fixture
def token(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["tokens", "create", "me", "--scope", "admin", "--file", str(tmp_path / "tokens.toml")], {}) == 0
    return next(word for word in capsys.readouterr().out.split() if word.startswith("tw_"))


@pytest.fixture
def started(
    described: Described,
    make_server_process: MakeServer,
    s3_endpoint: str,
    certificate: tuple[Authority, Pair],
    token: str,
    tmp_path: Path,
) -> Iterator[list[ServerProcess]]:
    """The replicas, as processes: with all that the example says, but for where things are on this machine."""
    with fresh_database() as database:
        bucket = s3.make_bucket(s3_endpoint)
        here = {
            "TRACKWIRE_STORE_URI": database,
            "TRACKWIRE_ARTIFACTS_URI": described.environment["TRACKWIRE_ARTIFACTS_URI"].replace("trackwire", bucket, 1),
            "TRACKWIRE_S3_ENDPOINT_URL": s3_endpoint,
            "TRACKWIRE_TLS_CERT": str(certificate[1].certificate),
            "TRACKWIRE_TLS_KEY": str(certificate[1].key),
            "TRACKWIRE_TOKENS_FILE": str(tmp_path / "tokens.toml"),
            # A test has no balancer that would have to hear of the stop.
            "TRACKWIRE_READINESS_GRACE_SECONDS": "0.1",
        }
        servers = [
            make_server_process(
                data_dir=tmp_path / f"replica-{number}",
                **{**described.environment, **s3.ENVIRONMENT, "TRACKWIRE_HOST": "0.0.0.0", **here},
            )
            for number in range(described.replicas)
        ]
        for server in servers:
            server.start()
        yield servers
        assert [server.stop() for server in servers] == [0] * len(servers)


@BOTH
@pytest.mark.slow
def test_servers_that_are_started_so_are_one_to_their_clients(
    started: list[ServerProcess], certificate: tuple[Authority, Pair], token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKWIRE_CA_CERT", str(certificate[0].path))
    places = [f"127.0.0.1:{server.address.rpartition(':')[2]}" for server in started]
    with Client(f"grpcs://{','.join(places)}", token=token) as client:
        assert until(lambda: len({client.get_server_info().start_time_ms for _ in range(10)}) == len(started))
        run_id = client.create_run().run_id
        with client.metric_writer(run_id) as writer:
            writer.add(MetricColumns(["loss"], [3], [1, 2, 3], [1, 2, 3], [0.5, 0.25, 0.125]))
        client.upload_bytes(run_id, b"of all", "notes.txt")
    for place, server in zip(places, started, strict=True):
        with Client(f"grpcs://{place}", token=token) as client:
            [series] = client.read_metrics([run_id]).series
            assert series.values.tolist() == [0.5, 0.25, 0.125]
            assert client.read_artifact(run_id, "notes.txt") == b"of all"
        # As the image's own health check does.
        assert main(["--check", "--data-dir", str(server.data_dir)], {}) == 0

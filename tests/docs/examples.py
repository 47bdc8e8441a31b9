"""What the examples of docs/examples say of a server, and the image that they start."""

import importlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import yaml
from tests.docs.documents import ROOT

EXAMPLES = ROOT / "docs" / "examples"
COMPOSE = EXAMPLES / "compose.yaml"
KUBERNETES = EXAMPLES / "kubernetes.yaml"
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Described:
    """A server as an example describes it; folders that it writes to or reads files from, by their paths."""

    environment: Mapping[str, str]
    image: str
    replicas: int
    uids: set[int]
    writable: set[str]
    readable: set[str]
    ports: set[int]
    stop_seconds: float


def compose_document() -> Document:
    return dict(yaml.safe_load(COMPOSE.read_text()))


def kubernetes_documents() -> dict[str, Document]:
    """By kind and name."""
    documents = yaml.safe_load_all(KUBERNETES.read_text())
    return {f"{document['kind']}/{document['metadata']['name']}": document for document in documents}


def in_compose() -> Described:
    service = compose_document()["services"]["trackwire"]
    tmpfs = [place.partition(":") for place in service["tmpfs"]]
    return Described(
        environment=service["environment"],
        image=service["image"],
        replicas=service["deploy"]["replicas"],
        uids={int(uid) for uid in re.findall(r"[ug]id=(\d+)", str(service["tmpfs"]))},
        writable={path for path, _, _ in tmpfs},
        readable={volume.split(":")[1] for volume in service["volumes"]},
        ports={int(port.split(":")[1]) for port in service["ports"]},
        stop_seconds=float(service["stop_grace_period"].removesuffix("s")),
    )


def in_kubernetes() -> Described:
    documents = kubernetes_documents()
    pod = documents["Deployment/trackwire"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    of_files = {volume["name"] for volume in pod["volumes"] if "secret" in volume}
    mounts = {(mount["mountPath"], mount["name"] in of_files) for mount in container["volumeMounts"]}
    return Described(
        environment=documents["ConfigMap/trackwire"]["data"],
        image=container["image"],
        replicas=documents["Deployment/trackwire"]["spec"]["replicas"],
        uids={pod["securityContext"][name] for name in ("runAsUser", "runAsGroup", "fsGroup")},
        writable={path for path, is_of_files in mounts if not is_of_files},
        readable={path for path, is_of_files in mounts if is_of_files},
        ports={port["containerPort"] for port in container["ports"]},
        stop_seconds=pod["terminationGracePeriodSeconds"],
    )


def unknown_to_kubernetes(document: Document) -> Document:
    """A document, and what is left of it when Kubernetes has read it, where the two differ; raises for a wrong type."""
    group, _, version = document["apiVersion"].rpartition("/")
    module = importlib.import_module(f"lightkube.models.{group.partition('.')[0] or 'core'}_{version}")
    read = msgspec.to_builtins(msgspec.convert(document, getattr(module, document["kind"])))
    return {} if read == document else {"written": document, "read": read}


def dockerfile() -> Mapping[str, Sequence[str]]:
    """The last stage's instructions, by their names."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    found: dict[str, list[str]] = {}
    for name, rest in re.findall(r"^([A-Z]+) (.*)$", text.rpartition("FROM ")[2], re.MULTILINE):
        found.setdefault(name, []).append(rest)
    return found

"""A real server for programs in other languages."""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.access.guarded import Guarded, guarded_server
from tests.client.live_server import live_server
from tests.docs.documents import ROOT
from tests.docs.reader import Shell, reader_shell

PACKAGES = {
    "@bufbuild/protobuf": "2.7.0",
    "@connectrpc/connect": "2.2.0",
    "@connectrpc/connect-web": "2.2.0",
    "@grpc/grpc-js": "1.14.0",
    "@grpc/proto-loader": "0.8.0",
}
CACHE = ROOT / ".cache" / "node"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with live_server(tmp_path_factory.mktemp("polyglot")) as server:
        yield server.address


@pytest.fixture(scope="module")
def shell(address: str, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return reader_shell(address, tmp_path_factory.mktemp("shell"))


@pytest.fixture(scope="module")
def mutual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A server that speaks TLS, and asks for certificates of clients and for tokens."""
    mutual = guarded_server(tmp_path_factory.mktemp("mutual"), mutual=True)
    mutual.server.start()
    yield mutual
    assert mutual.server.stop() == 0, mutual.server.log_text()


def access(guarded: Guarded, token: str) -> dict[str, str]:
    """What a client needs, as variables: whom to trust, its certificate, and a token by its name."""
    certificate = {
        "TRACKWIRE_CLIENT_CERT": str(guarded.client.certificate),
        "TRACKWIRE_CLIENT_KEY": str(guarded.client.key),
    }
    return {**guarded.environment(), **certificate, "TRACKWIRE_TOKEN": guarded.secrets.get(token, token)}


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """A folder in which Node finds the packages; filled once. Where there is no Node, only CI minds."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        if os.environ.get("CI"):
            pytest.fail("CI is set, and there is no Node with npm")
        pytest.skip("there is no Node with npm")
    CACHE.parent.mkdir(exist_ok=True)
    with CACHE.with_suffix(".lock").open("w") as lock:
        # Another worker may be filling it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        fill_with_packages()
    return CACHE


def fill_with_packages() -> None:
    """Installs them where others are, or none."""
    manifest = json.dumps({"private": True, "dependencies": PACKAGES})
    described = CACHE / "package.json"
    if described.exists() and described.read_text() == manifest:
        return
    shutil.rmtree(CACHE, ignore_errors=True)
    CACHE.mkdir(parents=True)
    # A lock file would name the address that packages came from.
    install = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
    packages = [f"{name}@{version}" for name, version in PACKAGES.items()]
    done = subprocess.run(
        [*install, "--prefix", str(CACHE), *packages], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    described.write_text(manifest)

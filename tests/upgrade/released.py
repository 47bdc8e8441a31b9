"""The last release, taken out of the repository's history."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from tests.docs.documents import ROOT

RELEASE = "0.2.1"
COMMIT = "cca3071f3efb59f985e8244f5771f97a07e08355"
SCHEMA = 2


def released_tree(folder: Path) -> Path:
    """Its client and server, in a folder. Skips the test where the repository's history is not at hand."""
    command = ["git", "-C", str(ROOT), "archive", "--format=tar", COMMIT, "client", "server"]
    archive = subprocess.run(command, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip(f"release {RELEASE} is not in this clone: {archive.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tree:
        tree.extractall(folder, filter="data")
    return folder


def path_to(tree: Path) -> str:
    """PYTHONPATH of a tree."""
    return f"{tree / 'client'}:{tree / 'server'}"

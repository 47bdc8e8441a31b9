"""What the page for MLflow's users says is there is there."""

import operator
import subprocess
import sys

import pytest
from tests.docs.documents import ROOT, block_of, fenced
from tests.docs.reader import PYTHONPATH

import trackwire

PAGE = ROOT / "docs" / "mlflow.md"


def words_of(block: str) -> list[str]:
    """What is listed, without the heads of its rows."""
    return [word for line in block_of(PAGE, block).splitlines() for word in line[13:].split()]


@pytest.mark.parametrize("name", words_of("names"))
def test_name_is_there(name: str) -> None:
    assert operator.attrgetter(name)(trackwire) is not None


def test_methods_are_those_of_the_client() -> None:
    methods = {name for name in dir(trackwire.MlflowClient) if not name.startswith("_")} - {"tracking_uri"}
    assert sorted(words_of("methods")) == sorted(methods)


def test_snippet_runs() -> None:
    [snippet] = fenced(PAGE, "python")
    environ = {"PYTHONPATH": PYTHONPATH}
    done = subprocess.run([sys.executable, "-W", "error", "-c", snippet], env=environ, timeout=60, check=False)
    assert done.returncode == 0

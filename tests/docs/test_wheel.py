"""What is published: a wheel with two packages and the web UI, whose client works without the server's dependencies."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from tests.docs.documents import ROOT

LIGHT = {"trackwire", "click", "grpcio", "numpy", "protobuf", "typing-extensions"}
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
DATA_FILES = {"trackwire/py.typed", "trackwire_server/py.typed", "trackwire_server/search/filter.lark"}
TOP_FILES = {"index.html", "frame.html", "frame.js"}
PAGES = "trackwire_server/web/pages/"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def done(*command: object, status: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs it, away from the tree; it must end with this status."""
    words = [str(word) for word in command]
    environment, folder = {**os.environ, **variables}, Path(words[0]).anchor
    ended = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False, cwd=folder, env=environment)
    assert ended.returncode == status, f"{words}: {ended.stdout}\n{ended.stderr}"
    return ended


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    (built,) = folder.glob("trackwire-*.whl")
    return built


@pytest.fixture(scope="module")
def light(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment with the wheel and no extras."""
    folder = tmp_path_factory.mktemp("light")
    # Some systems ship venv without ensurepip.
    done(sys.executable, "-m", "venv", "--without-pip", folder)
    install(folder / "bin", wheel)
    return folder / "bin"


def install(programs: Path, what: object) -> None:
    done(sys.executable, "-m", "pip", "--python", programs / "python", "install", "--quiet", what)


def test_wheel_holds_two_packages_and_their_data(wheel: Path) -> None:
    names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    assert {name.partition("/")[0] for name in names} == {"trackwire", "trackwire_server"}
    assert {name for name in names if not name.endswith((".py", ".pyi")) and PAGES not in name} == DATA_FILES


def test_wheel_has_the_web_ui_whole_and_compressed(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    files = {name.removeprefix(PAGES) for name in archive.namelist() if name.startswith(PAGES)}
    index = archive.read(f"{PAGES}index.html").decode()
    loaded = re.findall(r'(?:src|href)="\./([^"]+)"', index)
    assert {name.rpartition(".")[2] for name in loaded} >= {"js", "css"}
    assert set(loaded) <= files
    large = {name for name in loaded if archive.getinfo(PAGES + name).file_size > 2_000}
    assert {f"{name}.gz" for name in large} <= files
    assert {name.removesuffix(".gz") for name in files if not name.startswith("assets/")} == TOP_FILES


def test_wheel_is_not_built_where_the_web_ui_can_not_be(tmp_path: Path) -> None:
    # Nothing listens there, and nothing was fetched before.
    offline = {"npm_config_registry": "http://127.0.0.1:9/", "npm_config_cache": str(tmp_path / "npm")}
    command = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", tmp_path, ROOT)
    refused = done(*command, status=1, npm_config_fetch_retries="0", **offline)
    told = refused.stdout + refused.stderr
    assert "`npm ci" in told
    assert "ECONNREFUSED" in told
    assert "there is no wheel without the web UI" in told
    assert not list(tmp_path.glob("*.whl"))


def test_client_works_without_the_server(light: Path) -> None:
    lines = "import trackwire; print(trackwire.__version__, trackwire.Client.__name__)"
    assert done(light / "python", "-c", lines).stdout == f"{VERSION} Client\n"
    names = "import importlib.metadata as m; print(*{d.name.lower().replace('_', '-') for d in m.distributions()})"
    assert set(done(light / "python", "-c", names).stdout.split()) <= LIGHT


def test_server_command_says_what_to_install(light: Path) -> None:
    refused = done(light / "trackwire", "server", status=1)
    assert "pip install 'trackwire[server]'" in refused.stderr
    assert refused.stdout == ""


def test_server_starts_from_the_wheel(light: Path, wheel: Path) -> None:
    install(light, f"{wheel}[server]")
    assert done(light / "trackwire", "server", "--version").stdout == f"trackwire {VERSION}\n"
    # The grammar is a file of the wheel, and so are the pages.
    pages = "from trackwire_server.web.pages import FOLDER; print(*(path.name for path in FOLDER.iterdir()))"
    assert set(done(light / "python", "-I", "-c", pages).stdout.split()) >= {"assets", *TOP_FILES}
    parse = "from trackwire_server.search import RUNS, parse_filter; print(parse_filter('metrics.a > 1', RUNS))"
    assert "a" in done(light / "python", "-c", parse).stdout

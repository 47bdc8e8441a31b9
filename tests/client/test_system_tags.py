"""A run's source is told for scripts, modules, consoles and notebooks, in repositories of every shape."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackwire.system_tags import system_tags, without_password

CLIENT = Path(__file__).parents[2] / "client"
PRINT_TAGS = (
    "import json, os; from trackwire.system_tags import system_tags; print(json.dumps(system_tags(os.environ)))"
)
GIT_PREFIX = "mlflow.source.git."

Tags = dict[str, str]


@pytest.fixture
def environ() -> dict[str, str]:
    """Git as it comes, whatever this machine's settings are."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {
        **kept,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "PYTHONPATH": str(CLIENT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@dataclass
class Checkout:
    """A repository with a script in it."""

    folder: Path
    environ: dict[str, str]

    def git(self, *arguments: str) -> str:
        settings = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "protocol.file.allow=always"]
        command = ["git", "-C", str(self.folder), *settings, *arguments]
        return subprocess.run(command, env=self.environ, check=True, capture_output=True, text=True).stdout.strip()

    def tags(self, **environ: str) -> Tags:
        return run_python("train.py", folder=self.folder, environ={**self.environ, **environ})

    def git_tags(self, **environ: str) -> Tags:
        tags = self.tags(**environ)
        return {key.removeprefix(GIT_PREFIX): value for key, value in tags.items() if key.startswith(GIT_PREFIX)}


def run_python(*arguments: str, folder: Path, environ: dict[str, str]) -> Tags:
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    tags = json.loads(done.stdout)
    assert isinstance(tags, dict)
    return tags


def make_checkout(folder: Path, environ: dict[str, str]) -> Checkout:
    folder.mkdir()
    checkout = Checkout(folder, environ)
    checkout.git("init", "--quiet", "--initial-branch", "feature/one")
    (folder / "train.py").write_text(PRINT_TAGS)
    checkout.git("add", "train.py")
    checkout.git("commit", "--quiet", "--message", "first")
    return checkout


@pytest.fixture
def checkout(tmp_path: Path, environ: dict[str, str]) -> Checkout:
    return make_checkout(tmp_path / "repository", environ)


def test_script_in_a_repository(checkout: Checkout) -> None:
    checkout.git("remote", "add", "fork", "https://example.com/fork.git")
    checkout.git("remote", "add", "origin", "https://token:secret@example.com/a/b.git")
    assert checkout.tags(LOGNAME="ada") == {
        "mlflow.user": "ada",
        "mlflow.source.name": "train.py",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": checkout.git("rev-parse", "HEAD"),
        "mlflow.source.git.branch": "feature/one",
        "mlflow.source.git.repoURL": "https://example.com/a/b.git",
        "mlflow.source.git.dirty": "false",
    }


def test_repository_is_that_of_the_script_not_of_the_folder(checkout: Checkout, tmp_path: Path) -> None:
    script = checkout.folder / "deep" / "er" / "train.py"
    script.parent.mkdir(parents=True)
    script.write_text(PRINT_TAGS)
    link = tmp_path / "link.py"
    link.symlink_to(script)
    for path in (script, link):
        tags = run_python(str(path), folder=tmp_path, environ=checkout.environ)
        assert tags["mlflow.source.name"] == str(path)
        assert tags["mlflow.source.git.commit"] == checkout.git("rev-parse", "HEAD")
    outside = tmp_path / "outside.py"
    outside.write_text(PRINT_TAGS)
    tags = run_python(str(outside), folder=checkout.folder, environ=checkout.environ)
    assert not [key for key in tags if key.startswith(GIT_PREFIX)]


def test_module_names_its_file(checkout: Checkout) -> None:
    package = checkout.folder / "package"
    package.mkdir()
    (package / "__main__.py").write_text(PRINT_TAGS)
    tags = run_python("-m", "package", folder=checkout.folder, environ=checkout.environ)
    assert tags["mlflow.source.name"] == str(package / "__main__.py")
    assert tags["mlflow.source.type"] == "LOCAL"
    assert tags["mlflow.source.git.branch"] == "feature/one"


def test_command_and_console_are_of_the_folder_in_which_they_run(checkout: Checkout) -> None:
    tags = run_python("-c", PRINT_TAGS, folder=checkout.folder, environ=checkout.environ)
    assert (tags["mlflow.source.name"], tags["mlflow.source.git.branch"]) == ("-c", "feature/one")
    console = f"import sys; sys.argv = ['']; {PRINT_TAGS}"
    tags = run_python("-c", console, folder=checkout.folder, environ=checkout.environ)
    assert (tags["mlflow.source.name"], tags["mlflow.source.git.branch"]) == ("<console>", "feature/one")
    embedded = f"import sys; del sys.argv; {PRINT_TAGS}"
    tags = run_python("-c", embedded, folder=checkout.folder, environ=checkout.environ)
    assert tags["mlflow.source.name"] == "<console>"


def test_tracked_changes_are_dirty_and_others_are_not(checkout: Checkout) -> None:
    data = checkout.folder / "data.csv"
    data.write_text("1\n")
    assert checkout.git_tags()["dirty"] == "false"
    checkout.git("add", "data.csv")
    assert checkout.git_tags()["dirty"] == "true"
    checkout.git("commit", "--quiet", "--message", "second")
    os.utime(data, (1, 1))
    assert checkout.git_tags()["dirty"] == "false"
    data.write_text("2\n")
    assert checkout.git_tags()["dirty"] == "true"
    data.unlink()
    assert checkout.git_tags()["dirty"] == "true"


def test_packed_references_are_read(checkout: Checkout) -> None:
    checkout.git("tag", "--annotate", "--message", "one", "v1")
    checkout.git("pack-refs", "--all", "--prune")
    assert not (checkout.folder / ".git" / "refs" / "heads" / "feature" / "one").exists()
    assert checkout.git_tags()["commit"] == checkout.git("rev-parse", "HEAD")


def test_detached_head_has_a_commit_and_no_branch(checkout: Checkout) -> None:
    checkout.git("checkout", "--quiet", "--detach")
    assert checkout.git_tags() == {"commit": checkout.git("rev-parse", "HEAD"), "dirty": "false"}


def test_repository_without_commits_has_only_a_branch(checkout: Checkout) -> None:
    checkout.git("checkout", "--quiet", "--orphan", "new")
    assert checkout.git_tags() == {"branch": "new"}


def test_branch_that_is_another_names_is_resolved_by_git(checkout: Checkout) -> None:
    checkout.git("symbolic-ref", "refs/heads/alias", "refs/heads/feature/one")
    checkout.git("symbolic-ref", "HEAD", "refs/heads/alias")
    expected = {"commit": checkout.git("rev-parse", "HEAD"), "branch": "alias", "dirty": "false"}
    assert checkout.git_tags() == expected


@pytest.mark.parametrize("packed", [False, True])
def test_linked_worktree_has_a_branch_of_its_own(checkout: Checkout, tmp_path: Path, packed: bool) -> None:
    checkout.git("remote", "add", "origin", "git@example.com:a/b.git")
    checkout.git("worktree", "add", "-b", "side", str(tmp_path / "side"))
    side = Checkout(tmp_path / "side", checkout.environ)
    (side.folder / "train.py").write_text(PRINT_TAGS + "  # changed")
    side.git("commit", "--quiet", "--all", "--message", "second")
    if packed:
        side.git("pack-refs", "--all", "--prune")
    commit = side.git("rev-parse", "HEAD")
    assert commit != checkout.git("rev-parse", "HEAD")
    url = "git@example.com:a/b.git"
    assert side.git_tags() == {"commit": commit, "branch": "side", "repoURL": url, "dirty": "false"}


def test_submodule_is_a_repository_of_its_own(checkout: Checkout, tmp_path: Path) -> None:
    inner = make_checkout(tmp_path / "inner", checkout.environ)
    (inner.folder / "more.txt").write_text("more")
    inner.git("add", "more.txt")
    inner.git("commit", "--quiet", "--message", "second")
    checkout.git("submodule", "add", "--quiet", str(inner.folder), "sub")
    tags = Checkout(checkout.folder / "sub", checkout.environ).git_tags()
    assert tags["commit"] == inner.git("rev-parse", "HEAD") != checkout.git("rev-parse", "HEAD")
    assert tags["repoURL"] == str(inner.folder)


def test_repository_of_another_user_is_read_but_not_compared(checkout: Checkout) -> None:
    # Git's own tests say so that a repository is somebody else's.
    tags = checkout.git_tags(GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert tags == {"commit": checkout.git("rev-parse", "HEAD"), "branch": "feature/one"}


def test_without_git_installed_only_the_dirty_state_is_missing(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    tags = checkout.git_tags(PATH=str(tmp_path / "bin"))
    assert tags == {"commit": checkout.git("rev-parse", "HEAD"), "branch": "feature/one"}


def test_git_that_hangs_is_given_up(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    slow = tmp_path / "bin" / "git"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    started = time.monotonic()
    tags = checkout.git_tags(PATH=f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert time.monotonic() - started < 30
    assert tags == {"commit": checkout.git("rev-parse", "HEAD"), "branch": "feature/one"}


def test_variables_of_another_repository_are_not_followed(checkout: Checkout, tmp_path: Path) -> None:
    other = make_checkout(tmp_path / "other", checkout.environ)
    (other.folder / "train.py").write_text("changed")
    environ = {"GIT_DIR": str(other.folder / ".git"), "GIT_WORK_TREE": str(other.folder)}
    assert checkout.git_tags(**environ)["dirty"] == "false"


def test_no_program_of_the_repository_runs(checkout: Checkout, tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho $0 >>{trace}\n")
    program.chmod(0o755)
    for name in ("core.fsmonitor", "diff.external"):
        checkout.git("config", name, str(program))
    (checkout.folder / "train.py").write_text(PRINT_TAGS + "  # changed")
    assert checkout.git_tags()["dirty"] == "true"
    assert not trace.exists()


def test_damaged_repository_raises_nothing(checkout: Checkout) -> None:
    git = checkout.folder / ".git"
    config = git / "config"
    config.rename(git / "config.away")
    config.mkdir()
    commit = (git / "refs/heads/feature/one").read_text().strip()
    assert checkout.git_tags() == {"commit": commit, "branch": "feature/one"}
    (git / "HEAD").write_bytes(b"\xff\x00\xfe")
    assert checkout.git_tags() == {}
    shutil.rmtree(git)
    git.write_text("gitdir: /nowhere/at/all")
    assert checkout.tags()["mlflow.source.name"] == "train.py"


def test_folder_that_is_gone_raises_nothing(tmp_path: Path, environ: dict[str, str]) -> None:
    program = f"import os; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone'); {PRINT_TAGS}"
    tags = run_python("-c", program, folder=tmp_path, environ=environ)
    assert tags["mlflow.source.name"] == "-c"


def test_path_that_is_no_utf8_becomes_a_tag_that_is(tmp_path: Path, environ: dict[str, str]) -> None:
    script = os.fsencode(tmp_path) + b"/tr\xffin.py"
    Path(os.fsdecode(script)).write_text(PRINT_TAGS)
    tags = run_python(os.fsdecode(script), folder=tmp_path, environ=environ)
    assert tags["mlflow.source.name"] == f"{tmp_path}/tr?in.py"


@pytest.mark.parametrize(
    ("variables", "user"),
    [
        ({"LOGNAME": "ada", "USER": "root"}, "ada"),
        ({"LOGNAME": "", "USER": "grace"}, "grace"),
        ({"USERNAME": "joan"}, "joan"),
        ({}, pwd.getpwuid(os.getuid()).pw_name),
    ],
)
def test_user_is_that_of_the_environment_or_of_the_process(variables: dict[str, str], user: str) -> None:
    assert system_tags(variables)["mlflow.user"] == user


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.com/a.git", "https://example.com/a.git"),
        ("https://user:secret@example.com/a.git", "https://example.com/a.git"),
        ("https://ghp_token@example.com/a.git", "https://example.com/a.git"),
        ("HTTPS://user:se@cret@example.com:80/a@b.git", "HTTPS://example.com:80/a@b.git"),
        ("https://ada@example.org:secret@example.com/a.git", "https://example.com/a.git"),
        ("ssh://git@example.com:22/a.git", "ssh://git@example.com:22/a.git"),
        ("ssh://git:secret@example.com/a.git", "ssh://git@example.com/a.git"),
        ("git@example.com:a/b.git", "git@example.com:a/b.git"),
        ("/srv/git/a@b.git", "/srv/git/a@b.git"),
        ("", ""),
    ],
)
def test_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_quoted_address_is_read_whole(checkout: Checkout) -> None:
    checkout.git("remote", "add", "origin", "https://user:sec#ret;@example.com/a.git")
    assert checkout.git_tags()["repoURL"] == "https://example.com/a.git"


PASSWORDS = st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="/"), min_size=1)


@given(st.sampled_from(["https", "http"]), st.from_regex(r"[a-z0-9_%]+", fullmatch=True), PASSWORDS)
def test_no_password_is_ever_shown(scheme: str, user: str, password: str) -> None:
    assert without_password(f"{scheme}://{user}:{password}@example.com/a.git") == f"{scheme}://example.com/a.git"


@pytest.fixture
def kernel_environ(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    folders = {name: str(tmp_path / name) for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR")}
    return {**environ, **folders, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


@pytest.mark.parametrize("path", ["", "work/train.ipynb"])
def test_notebook_is_told_apart(checkout: Checkout, kernel_environ: dict[str, str], path: str) -> None:
    if path:
        kernel_environ["JPY_SESSION_NAME"] = path
    # A real kernel, started and asked by Jupyter's own client.
    program = """
import sys
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3")
try:
    client.execute_interactive(sys.argv[1], timeout=30, allow_stdin=False)
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
"""
    arguments = ("-W", "ignore", "-c", program, PRINT_TAGS)
    tags = run_python(*arguments, folder=checkout.folder, environ=kernel_environ)
    assert tags["mlflow.source.type"] == "NOTEBOOK"
    assert tags["mlflow.source.name"] == (path or "<notebook>")
    assert tags["mlflow.source.git.branch"] == "feature/one"


def test_ipython_in_a_terminal_is_no_notebook(checkout: Checkout, kernel_environ: dict[str, str]) -> None:
    arguments = ("-W", "ignore", "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", PRINT_TAGS)
    tags = run_python(*arguments, folder=checkout.folder, environ=kernel_environ)
    assert tags["mlflow.source.type"] == "LOCAL"


def test_telling_the_source_imports_no_heavy_package(tmp_path: Path, environ: dict[str, str]) -> None:
    program = (
        "import os, sys; from trackwire.system_tags import system_tags; system_tags(os.environ);"
        " print(sorted(sys.modules.keys() & {'grpc', 'numpy', 'IPython', 'git', 'google.protobuf'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environ, capture_output=True, check=True)
    assert done.stdout == b"[]\n"

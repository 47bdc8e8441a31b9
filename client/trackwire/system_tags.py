"""What a run says of where it came from, under the names of MLflow's system tags.

mlflow.user                  mlflow.source.git.commit
mlflow.source.name           mlflow.source.git.branch      missing where HEAD is detached
mlflow.source.type           mlflow.source.git.repoURL     without the password
                             mlflow.source.git.dirty       "true" or "false"; untracked files don't count
"""

import logging
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from trackwire.user import user_name

logger = logging.getLogger(__name__)

GIT_TIMEOUT_SECONDS = 2.0

Found = TypeVar("Found")

# A training started from a git hook has these.
_VARIABLES_OF_ANOTHER_REPOSITORY = frozenset(
    {"GIT_COMMON_DIR", "GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_WORK_TREE"}
)
_HEAD_OF_BRANCH = "ref: refs/heads/"
# What git writes for readers of files where it keeps references in tables.
_HEAD_OF_REFTABLE = "ref: refs/heads/.invalid"
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SECTION = re.compile(r'\[\s*remote\s+"(?P<remote>[^"]+)"\s*\]')
# Git quotes what holds the sign of a comment.
_URL = re.compile(r'url\s*=\s*(?:"(?P<quoted>[^"]*)"|(?P<plain>[^"#;]*))', re.IGNORECASE)
# A password may hold an "@" that nobody encoded: up to the last one.
_CREDENTIALS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<user>[^/:]*)(?P<password>:[^/]*)?@", re.IGNORECASE)


def system_tags(environ: Mapping[str, str]) -> dict[str, str]:
    """The tags of this process's source. What can't be found out has no tag; nothing is raised."""
    own = {"mlflow.user": _user, "mlflow.source.name": _source_name, "mlflow.source.type": _source_type}
    found = {key: _attempt(key, partial(find_one, environ)) for key, find_one in own.items()}
    repository = _attempt("git", _own_repository)
    if repository is not None:
        found |= repository.tags(environ)
    # A path may have bytes that are no UTF-8, and a tag may not.
    return {key: value.encode(errors="replace").decode() for key, value in found.items() if value}


def _attempt(what: str, find: Callable[[], Found]) -> Found | None:
    try:
        return find()
    except Exception:
        # A training goes on without a tag, whatever is odd about the machine.
        logger.debug("system tags: %s can't be told", what, exc_info=True)
        return None


def _user(environ: Mapping[str, str]) -> str:
    return user_name(environ)


def _source_name(environ: Mapping[str, str]) -> str:
    if _in_notebook():
        # Jupyter tells the kernel the notebook's path in this variable.
        return environ.get("JPY_SESSION_NAME") or "<notebook>"
    return _program() or "<console>"


def _source_type(_environ: Mapping[str, str]) -> str:
    return "NOTEBOOK" if _in_notebook() else "LOCAL"


def _program() -> str:
    # A script's path, also of `python -m`; "-c"; empty in a console. An embedded Python may have no argv at all.
    return sys.argv[0] if getattr(sys, "argv", None) else ""


def _in_notebook() -> bool:
    # IPython is there before this code if it is there at all. Only a notebook's shell has a kernel.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def _own_repository() -> "Repository | None":
    program = Path(_program())
    # A notebook, a console and `python -c` have no file: there it is the folder in which they run.
    is_script = not _in_notebook() and program.is_file()
    return find_repository(program.resolve().parent if is_script else Path.cwd())


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository with a work tree. In a linked worktree, `git_folder` and `common_folder` differ."""

    work_tree: Path
    git_folder: Path
    common_folder: Path

    def tags(self, environ: Mapping[str, str]) -> dict[str, str | None]:
        """The tags of its HEAD and of its first remote; None for what can't be told."""
        find: dict[str, Callable[[], str]] = {
            "mlflow.source.git.commit": partial(self._commit, environ),
            "mlflow.source.git.branch": partial(self._branch, environ),
            "mlflow.source.git.repoURL": self._remote_url,
            "mlflow.source.git.dirty": partial(self._dirty, environ),
        }
        return {key: _attempt(key, find_one) for key, find_one in find.items()}

    def _head(self) -> str:
        return _read(self.git_folder / "HEAD").strip()

    def _commit(self, environ: Mapping[str, str]) -> str:
        head = self._head()
        if _COMMIT.fullmatch(head):
            return head
        name = head.removeprefix("ref: ")
        loose = self.common_folder / name
        if loose.is_file() and _COMMIT.fullmatch(commit := _read(loose).strip()):
            return commit
        packed = self.common_folder / "packed-refs"
        for line in _read(packed).splitlines() if packed.is_file() else ():
            commit, _space, packed_name = line.partition(" ")
            if packed_name == name:
                return commit
        # A branch that is another's name, or a format of these files that is newer.
        return self._git(environ, "rev-parse", "--verify", "--quiet", "HEAD").stdout.strip()

    def _branch(self, environ: Mapping[str, str]) -> str:
        head = self._head()
        if head == _HEAD_OF_REFTABLE:
            return self._git(environ, "symbolic-ref", "--short", "--quiet", "HEAD").stdout.strip()
        return head.removeprefix(_HEAD_OF_BRANCH) if head.startswith(_HEAD_OF_BRANCH) else ""

    def _remote_url(self) -> str:
        """Of origin, or else of the first remote."""
        urls: dict[str, str] = {}
        remote = ""
        for line in _read(self.common_folder / "config").splitlines():
            text = line.strip()
            if text.startswith("["):
                section = _SECTION.match(text)
                remote = section["remote"] if section else ""
            elif remote and (setting := _URL.match(text)):
                urls.setdefault(remote, (setting["quoted"] or setting["plain"] or "").strip())
        return without_password(urls.get("origin") or next(iter(urls.values()), ""))

    def _dirty(self, environ: Mapping[str, str]) -> str:
        """Git compares the files: no answer if it is not there, takes too long or does not trust the repository."""
        options = ("--quiet", "--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty")
        code = self._git(environ, "diff", *options, "HEAD", "--").returncode
        return {0: "false", 1: "true"}.get(code, "")

    def _git(self, environ: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
        # Neither a lock that would be in the user's way, nor a hook or a daemon that the repository names.
        command = ["git", "-C", str(self.work_tree), "--no-optional-locks", "-c", "core.fsmonitor=false", *arguments]
        return subprocess.run(
            command,
            env={name: value for name, value in environ.items() if name not in _VARIABLES_OF_ANOTHER_REPOSITORY},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
            timeout=GIT_TIMEOUT_SECONDS,
            check=False,
        )


def find_repository(folder: Path) -> Repository | None:
    """The repository around a folder, as its files say it: whoever owns them, and whether or not git is installed."""
    for parent in (folder, *folder.parents):
        git = parent / ".git"
        if git.is_file():
            # A linked worktree or a submodule.
            target = _read(git).removeprefix("gitdir:").strip()
            git = (parent / target).resolve()
        if (git / "HEAD").is_file():
            common = git / "commondir"
            shared = (git / _read(common).strip()).resolve() if common.is_file() else git
            return Repository(parent, git, shared)
    return None


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def without_password(url: str) -> str:
    """An address that may be shown; over HTTP without the user too, whose name may be a token."""
    found = _CREDENTIALS.match(url)
    if found is None:
        return url
    user = "" if found["scheme"].lower() in ("http", "https") or not found["user"] else f"{found['user']}@"
    return f"{found['scheme']}://{user}{url[found.end() :]}"

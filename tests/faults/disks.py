"""Small and read-only disks: limits and permissions, which work everywhere, and a tmpfs where mounting is possible."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


def _mount(folder: Path, *options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", ",".join(("mode=0755", *options)), "tmpfs", str(folder)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)


def remount(folder: Path, *options: str) -> None:
    """Changes a mounted disk, such as its size."""
    subprocess.run(["mount", "-o", ",".join(("remount", *options)), str(folder)], check=True, capture_output=True)


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[bool]:
    """A tmpfs at a folder; False, and just the folder, where mounting isn't possible."""
    folder.mkdir(exist_ok=True)
    is_mounted = _mount(folder, *options)
    try:
        yield is_mounted
    finally:
        if is_mounted:
            _unmount(folder)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder in which nothing can be written or made, by a process that is started BY_PERMISSION."""
    kept = {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
    for path, mode in kept.items():
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in kept.items():
            path.chmod(mode)


# Begins a command of root's whose process may write only what the permissions of files allow: it first gives up the
# capability to pass over them (PR_CAPBSET_DROP of CAP_DAC_OVERRIDE).
_GIVE_UP = """
import ctypes, os, sys
if ctypes.CDLL(None, use_errno=True).prctl(24, 1, 0, 0, 0):
    raise OSError(ctypes.get_errno(), "prctl")
os.execv(sys.argv[1], sys.argv[1:])
"""
BY_PERMISSION = [sys.executable, "-c", _GIVE_UP] if os.geteuid() == 0 else []


def limit_file_size(pid: int, size_bytes: int) -> None:
    """No file of a process may grow past this size, whatever the disk has room for."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size_bytes, hard))


def can_mount() -> bool:
    """Whether this process may mount a tmpfs."""
    with TemporaryDirectory() as folder, mounted(Path(folder)) as is_mounted:
        return is_mounted

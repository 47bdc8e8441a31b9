"""Small and read-only disks: a tmpfs where mounting is possible, and otherwise what comes nearest to it."""

import os
import subprocess
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
def read_only(folder: Path) -> Iterator[Path]:
    """A folder in which nothing can be written: mounted so, or without the permission, or of the kernel's."""
    with mounted(folder, "ro") as is_mounted:
        if is_mounted:
            yield folder
        elif os.geteuid() == 0:
            yield Path("/proc/trackwire")
        else:
            folder.chmod(0o555)
            yield folder
            folder.chmod(0o755)


def can_mount() -> bool:
    """Whether this process may mount a tmpfs."""
    with TemporaryDirectory() as folder, mounted(Path(folder)) as is_mounted:
        return is_mounted

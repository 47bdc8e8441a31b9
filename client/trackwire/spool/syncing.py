"""Has the disk keep a stream for good: its segments, the files that records name, and the folders above these."""

import errno
import os
import threading
from pathlib import Path

from trackwire.spool.places import StreamPlace


class StreamSync:
    """Remembers what the disk has for good, so that each time costs only what has come since. Safe to use from threads.

    What is not there any more was delivered, and is passed over.
    """

    def __init__(self, place: StreamPlace) -> None:
        self._place = place
        self._lock = threading.Lock()
        # 0: nothing was synced yet, nor do the folders above the stream's name it for good.
        self._last_segment = 0
        self._files: set[str] = set()

    def sync(self, last_segment: int) -> None:
        """Waits until the disk has all that is there, up to a segment. Raises OSError, and then tries again."""
        with self._lock:
            self._sync_files()
            place = self._place
            for number in range(max(self._last_segment, 1), last_segment + 1):
                sync_path(place.segment_path(number))
            if not self._last_segment:
                sync_path(place.description_path)
                sync_path(place.delivered_file.path)
            if last_segment > self._last_segment:
                _sync_folder(place.folder)
            if not self._last_segment:
                self._sync_folders_above()
            self._last_segment = last_segment

    def _sync_files(self) -> None:
        try:
            # All else there has a suffix, and no record names it.
            files = {path.name for path in self._place.files_folder.iterdir() if not path.suffix}
        except FileNotFoundError:
            return
        for name in files - self._files:
            sync_path(self._place.files_folder / name)
        if files - self._files or not self._last_segment:
            _sync_folder(self._place.files_folder)
        self._files = files

    def _sync_folders_above(self) -> None:
        """Up to the mount: all of these may have been made a moment ago, by this process or another."""
        for folder in self._place.folder.parents:
            _sync_folder(folder)
            if folder.is_mount():
                return


def sync_path(path: Path) -> None:
    """Waits until the disk has a file or what a folder names; of what is gone there is nothing to wait for."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _sync_folder(folder: Path) -> None:
    try:
        sync_path(folder)
    except PermissionError:
        # It may be gone through, and not read: then it can't be synced.
        return
    except OSError as error:
        # Not every file system syncs folders.
        if error.errno != errno.EINVAL:
            raise

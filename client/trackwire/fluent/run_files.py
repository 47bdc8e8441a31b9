"""What a run keeps as files: copied or written into the spool at the call, and uploaded from there."""

import importlib
import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO

from trackwire.errors import FailedPreconditionError, InvalidArgumentError
from trackwire.fluent.artifact_paths import below, checked_path
from trackwire.fluent.opening import Opening
from trackwire.fluent.recorder import Recorder
from trackwire.local_files import LocalPath, as_artifact_path, files_below, open_file
from trackwire.spool.kinds import RecordKind

logger = logging.getLogger(__name__)

# So many of the files that a call has left out are named.
_NAMED_FILES_MAX = 10


class RunFiles:
    """The part of an active run that stores files. A bad value is told at the call; a full disk drops and counts."""

    def __init__(self, recorder: Recorder, opening: Opening):
        self._recorder = recorder
        self._opening = opening
        # Nothing more is taken.
        self.has_ended = False
        # Whether its stream has its end; until then the end of the process sees to that.
        self.is_closed = False
        # One call at a time adds to the tables, or one would lose the rows of another.
        self._tables_lock = threading.RLock()
        # Copies of the tables that this process has logged, to be added to.
        self._tables: dict[str, Path] = {}
        # In the order in which they came.
        self._listed_tables: dict[str, None] = {}
        self._has_images = False

    def log_artifact(self, local_path: LocalPath, artifact_path: str | None = None) -> None:
        """Stores a file, or a folder with all below it, under its own name in the artifacts' folder `artifact_path`.

        As it is now: it may be changed or deleted right after the call. Pipes, sockets and devices are refused.
        """
        local = Path(local_path)
        target = below(artifact_path, as_artifact_path(local.name))
        if local.is_dir():
            self.log_artifacts(local, target)
        else:
            self._keep_copy(local, target)

    def log_artifacts(self, local_dir: LocalPath, artifact_path: str | None = None) -> None:
        """Stores all files below a folder at the same paths below `artifact_path`. Links to folders are left out.

        So are folders called .trackwire and the spool; and, with a warning, what can't be stored, such as a pipe, a
        broken link, or a name that no server takes.
        """
        folder = Path(local_dir)
        if artifact_path:
            checked_path(artifact_path.rstrip("/"))
        left_out: list[Exception] = []
        for file in files_below(folder, spool=self._recorder.destination.spool, on_error=left_out.append):
            try:
                self._keep_copy(file, below(artifact_path, as_artifact_path(file.relative_to(folder).as_posix())))
            except (OSError, InvalidArgumentError) as error:
                left_out.append(error)
        if left_out:
            self._tell_left_out(folder, left_out)

    def log_text(self, text: str, artifact_file: str) -> None:
        """Stores text as a file in UTF-8."""
        from trackwire.media.text import write_text

        self._keep(artifact_file, partial(write_text, text))

    def log_stream(self, stream: BinaryIO, artifact_file: str) -> None:
        """Stores what is left to read of a stream of bytes as a file."""
        from trackwire.media.text import write_stream

        self._keep(artifact_file, partial(write_stream, stream))

    def log_dict(self, dictionary: object, artifact_file: str) -> None:
        """Stores a dictionary as YAML (.yaml, .yml) or JSON (any other suffix)."""
        from trackwire.media.dicts import write_dict

        self._keep(artifact_file, partial(write_dict, dictionary))

    def log_figure(
        self, figure: object, artifact_file: str, *, save_kwargs: Mapping[str, object] | None = None
    ) -> None:
        """Stores a figure of matplotlib or plotly, in the format of the suffix."""
        from trackwire.media.figures import write_figure

        self._keep(artifact_file, lambda path: write_figure(figure, path, save_kwargs))

    def log_image(
        self,
        image: object,
        artifact_file: str | None = None,
        *,
        key: str | None = None,
        step: int | None = None,
        timestamp: int | None = None,
    ) -> None:
        """Stores an image as `artifact_file`, or as the image of the series `key` at `step` (from 0).

        `image` is an array H×W, H×W×1, H×W×3 or H×W×4 of bools, integers 0 to 255 or floats 0 to 1, or Pillow's.
        """
        from trackwire.media.images import IMAGES_TAG, image_paths, write_image, write_thumbnail

        paths = image_paths(artifact_file, key, step, timestamp)
        self._keep(paths.image, partial(write_image, image))
        if not paths.thumbnail:
            return
        self._keep(paths.thumbnail, partial(write_thumbnail, image))
        if not self._has_images:
            self._has_images = True
            self._recorder.say(RecordKind.SET_TAGS, {IMAGES_TAG: "True"})

    def log_table(self, data: object, artifact_file: str) -> None:
        """Stores a dict of columns or a pandas DataFrame as a table, behind the rows logged before."""
        with self._tables_lock:
            self._add_to_table(data, artifact_file)

    def begin_again_in_child(self) -> None:
        """To be called in a forked child: the copies of the tables are the parent's to add to, as is their lock."""
        self._tables_lock = threading.RLock()
        self._tables.clear()

    def _add_to_table(self, data: object, artifact_file: str) -> None:
        import json
        import shutil

        from trackwire.media.tables import TABLES_TAG, write_table

        self._require_open()
        self._find_earlier_rows(artifact_file)
        before = self._tables.get(artifact_file)

        def write(path: Path) -> None:
            write_table(data, path, append_to=before)
            # Beside the snapshot, which is gone once it is uploaded.
            kept = path.parent.with_suffix(".table")
            shutil.copyfile(path, kept)
            self._tables[artifact_file] = kept

        self._keep(artifact_file, write)
        if self._tables.get(artifact_file) == before:
            # The disk did not take it, which is told; or nothing is kept at all.
            return
        if before is not None:
            before.unlink(missing_ok=True)
        self._listed_tables[artifact_file] = None
        tables = [{"path": path, "type": "table"} for path in self._listed_tables]
        self._recorder.say(RecordKind.SET_TAGS, {TABLES_TAG: json.dumps(tables)})

    def _keep_copy(self, local: Path, artifact_path: str) -> None:
        from trackwire.fluent.snapshots import copy

        with open_file(local) as source:
            self._keep(artifact_path, partial(copy, source))

    def _tell_left_out(self, folder: Path, errors: list[Exception]) -> None:
        self._recorder.losses.files += len(errors)
        named = [str(error) for error in errors[:_NAMED_FILES_MAX]]
        if len(errors) > len(named):
            named.append(f"and {len(errors) - len(named):,} more")
        logger.warning(
            "run %s: %s of the entries below %r are left out: %s",
            self._opening.run_id,
            f"{len(errors):,}",
            str(folder),
            "; ".join(named),
        )

    def _keep(self, artifact_path: str, write: Callable[[Path], object]) -> None:
        self._require_open()
        self._recorder.keep_file(checked_path(artifact_path), write)

    def _require_open(self) -> None:
        if self.has_ended:
            raise self._ended_error()

    def _find_earlier_rows(self, artifact_file: str) -> None:
        """Takes up what another process has logged to a table: a server is asked for it, here and nowhere else.

        So it is where somebody has deleted the spool, and this process's own copy with it.
        """
        kept = self._tables.get(artifact_file)
        if kept is None and self._opening.is_owner and not self._opening.is_resumed:
            return
        if kept is not None and kept.exists():
            return
        self._tables.pop(artifact_file, None)
        # By name: what only logs knows nothing of clients.
        stored_table = importlib.import_module("trackwire.queries.tables").stored_table
        try:
            table, listed = stored_table(self._opening.run_id, artifact_file)
        except FailedPreconditionError as error:
            if error.reason != "NO_SERVER":
                raise
            logger.warning("%s; rows of %r that were logged before are replaced", error, artifact_file)
            return
        self._listed_tables.update(dict.fromkeys(listed))
        if table is not None:
            self._tables[artifact_file] = table

    def _ended_error(self) -> FailedPreconditionError:
        return FailedPreconditionError(f"run {self._opening.run_id!r} has ended", reason="RUN_ENDED")

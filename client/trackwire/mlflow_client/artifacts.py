"""Artifacts: files of runs."""

import json
import posixpath
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from trackwire.fluent.artifact_paths import below, checked_path
from trackwire.local_files import LocalPath, as_artifact_path
from trackwire.media.dicts import write_dict
from trackwire.media.figures import write_figure
from trackwire.media.images import IMAGES_TAG, image_paths, write_image, write_thumbnail
from trackwire.media.tables import TABLES_TAG, write_table
from trackwire.media.text import write_stream, write_text
from trackwire.mlflow_client.asking import Asking
from trackwire.queries.artifacts import download_artifacts, list_artifacts
from trackwire.queries.entities import FileInfo
from trackwire.queries.tables import joined_table, stored_table_of


class ArtifactMethods(Asking):
    """The methods for artifacts."""

    def log_artifact(self, run_id: str, local_path: LocalPath, artifact_path: str | None = None) -> None:
        """Stores a file, or a folder with all below it, under its own name in the artifacts' folder `artifact_path`."""
        local = Path(local_path)
        target = below(artifact_path, as_artifact_path(local.name))
        client = self._client("log_artifact")
        if local.is_dir():
            client.upload_folder(run_id, local, target)
        else:
            client.upload_artifact(run_id, local, target)

    def log_artifacts(self, run_id: str, local_dir: LocalPath, artifact_path: str | None = None) -> None:
        """Stores all files below a folder at the same paths below `artifact_path`."""
        self._client("log_artifacts").upload_folder(run_id, local_dir, artifact_path or "")

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        """Stores text as a file in UTF-8."""
        self._upload("log_text", run_id, artifact_file, partial(write_text, text))

    def log_dict(self, run_id: str, dictionary: object, artifact_file: str) -> None:
        """Stores a dictionary as YAML (.yaml, .yml) or JSON (any other suffix)."""
        self._upload("log_dict", run_id, artifact_file, partial(write_dict, dictionary))

    def log_stream(self, run_id: str, stream: BinaryIO, artifact_file: str) -> None:
        """Stores what is left to read of a stream of bytes as a file."""
        self._upload("log_stream", run_id, artifact_file, partial(write_stream, stream))

    def log_figure(
        self, run_id: str, figure: object, artifact_file: str, *, save_kwargs: Mapping[str, object] | None = None
    ) -> None:
        """Stores a figure of matplotlib or plotly, in the format of the suffix."""
        self._upload("log_figure", run_id, artifact_file, lambda path: write_figure(figure, path, save_kwargs))

    def log_image(
        self,
        run_id: str,
        image: object,
        artifact_file: str | None = None,
        key: str | None = None,
        step: int | None = None,
        timestamp: int | None = None,
        synchronous: bool | None = None,
    ) -> None:
        """Stores an image of numpy or Pillow as `artifact_file`, or as the image of the series `key` at `step`."""
        paths = image_paths(artifact_file, key, step, timestamp)
        self._upload("log_image", run_id, paths.image, partial(write_image, image))
        if not paths.thumbnail:
            return
        self._upload("log_image", run_id, paths.thumbnail, partial(write_thumbnail, image))
        self._client("log_image").set_tag(run_id, IMAGES_TAG, "True")

    def log_table(self, run_id: str, data: object, artifact_file: str) -> None:
        """Stores a dict of columns or a pandas DataFrame as a table, behind the rows that are there.

        Two that add to one table at the same time may lose the rows of one of them.
        """
        client = self._client("log_table")
        before, listed = stored_table_of(client, run_id, artifact_file)
        try:
            self._upload("log_table", run_id, artifact_file, lambda path: write_table(data, path, append_to=before))
        finally:
            if before is not None:
                before.unlink()
        paths = dict.fromkeys([*listed, artifact_file])
        client.set_tag(run_id, TABLES_TAG, json.dumps([{"path": path, "type": "table"} for path in paths]))

    # A DataFrame or a dict: pandas has no types of its own.
    def load_table(
        self,
        experiment_id: str,
        artifact_file: str,
        run_ids: Sequence[str] | None = None,
        extra_columns: Sequence[str] | None = None,
    ) -> Any:
        """The rows of a table of these runs, by default of all in the experiment that have logged it."""
        client = self._client("load_table")
        return joined_table(client, str(experiment_id), artifact_file, run_ids=run_ids, extra_columns=extra_columns)

    def list_artifacts(self, run_id: str, path: str | None = None) -> list[FileInfo]:
        """The entries right below a folder, by path; none where there is no folder."""
        return list_artifacts(run_id=run_id, artifact_path=path, tracking_uri=self._tracking_uri)

    def download_artifacts(self, run_id: str, path: str, dst_path: LocalPath | None = None) -> str:
        """Fetches a file or a folder to below `dst_path`, by default a new folder; where it lies now."""
        return download_artifacts(run_id=run_id, artifact_path=path, dst_path=dst_path, tracking_uri=self._tracking_uri)

    def _upload(self, asked: str, run_id: str, artifact_file: str, write: Callable[[Path], object]) -> None:
        checked_path(artifact_file)
        client = self._client(asked)
        with tempfile.TemporaryDirectory(prefix="trackwire-artifact-") as folder:
            path = Path(folder) / posixpath.basename(artifact_file)
            write(path)
            # A thumbnail that can't be made is none.
            if path.exists():
                client.upload_artifact(run_id, path, artifact_file)

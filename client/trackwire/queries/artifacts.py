"""Artifacts: to list, to download, and to read them right away."""

import json
import os
import posixpath
import shutil
import tempfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackwire.errors import InvalidArgumentError
from trackwire.media.packages import import_optional
from trackwire.queries.artifact_uris import ArtifactPlace, place_of, place_of_uri
from trackwire.queries.entities import FileInfo
from trackwire.queries.server import client_for

if TYPE_CHECKING:
    from trackwire.client import Client


def download_artifacts(
    artifact_uri: str | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    dst_path: str | os.PathLike[str] | None = None,
    tracking_uri: str | None = None,
) -> str:
    """Fetches a file or a folder into `dst_path`, by default a new folder; where it lies now.

    With `run_id`, it lies at `artifact_path` below that folder; with a URI, at the last part of it.
    """
    client = client_for("download_artifacts", tracking_uri)
    place = place_of(client, artifact_uri=artifact_uri, run_id=run_id, artifact_path=artifact_path)
    if dst_path is not None:
        return _download(client, place, Path(dst_path))
    folder = Path(tempfile.mkdtemp(prefix="trackwire-artifacts-"))
    try:
        return _download(client, place, folder)
    except BaseException:
        shutil.rmtree(folder)
        raise


def list_artifacts(
    artifact_uri: str | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    tracking_uri: str | None = None,
) -> list[FileInfo]:
    """The entries right below a folder, by path; none where there is no folder.

    With `run_id`, paths are those of the run; with a URI, they begin with the last part of it.
    """
    from trackwire.queries.convert import file_info_of

    client = client_for("list_artifacts", tracking_uri)
    place = place_of(client, artifact_uri=artifact_uri, run_id=run_id, artifact_path=artifact_path)
    entries = [file_info_of(message) for message in place.entries(client, place.path)]
    return [
        FileInfo(posixpath.join(place.name, posixpath.basename(entry.path)), entry.is_dir, entry.file_size)
        for entry in entries
    ]


def load_text(artifact_uri: str) -> str:
    """A file's text, in UTF-8."""
    return _read("load_text", artifact_uri).decode()


# What JSON holds.
def load_dict(artifact_uri: str) -> Any:
    """What a file of JSON holds."""
    data = _read("load_dict", artifact_uri)
    try:
        return json.loads(data)
    except ValueError as error:
        raise InvalidArgumentError(f"artifact_uri: {artifact_uri!r}: is no JSON: {error}") from None


# Pillow's Image, which this package does not need.
def load_image(artifact_uri: str) -> Any:
    """A picture, as a PIL.Image.Image."""
    images = import_optional("PIL.Image", package="pillow", purpose="load_image")
    return images.open(BytesIO(_read("load_image", artifact_uri)))


def _read(asked: str, artifact_uri: str) -> bytes:
    client = client_for(asked)
    return place_of_uri(client, artifact_uri).read(client)


def _download(client: "Client", place: ArtifactPlace, folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    return str(place.download(client, folder / place.name).absolute())

"""Files and folders of this machine, up to the artifacts of a run or a logged model and down from them."""

import os
import uuid
from contextlib import aclosing
from pathlib import Path
from typing import BinaryIO, Unpack

from trackwire.client.downloads import download
from trackwire.client.paging import all_entries
from trackwire.client.sources import FileSource
from trackwire.client.transfers import Owner, upload
from trackwire.client.transport import Transport
from trackwire.errors import DataLossError, NotFoundError
from trackwire.local_files import LocalPath, as_artifact_path, files_below
from trackwire.v1.artifacts_pb2 import Artifact, DownloadArtifactRequest, ListArtifactsRequest, ListArtifactsResponse


async def upload_folder(transport: Transport, folder: Path, *, path: str, **owner: Unpack[Owner]) -> list[Artifact]:
    """Stores all files below a folder, at the same paths below `path`."""
    prefix = f"{path}/" if path else ""
    return [
        await upload(
            transport,
            FileSource(file),
            path=prefix + as_artifact_path(file.relative_to(folder).as_posix()),
            **owner,
        )
        for file in await transport.work(_files_below, folder)
    ]


def _files_below(folder: Path) -> list[Path]:
    return list(files_below(folder))


async def download_artifact(transport: Transport, path: str, local_path: LocalPath, **owner: Unpack[Owner]) -> Path:
    """Fetches a file to `local_path`, or into it where that is a folder; or a folder's files to below it."""
    # As folders are listed: "images/".
    path, target = path.rstrip("/"), Path(local_path)
    if path:
        file = await transport.work(_place_of_file, path, local_path)
        try:
            return await _download_file(transport, owner, path, file)
        except NotFoundError:
            # A folder perhaps: those are not there for a download.
            if not await _is_folder(transport, owner, path):
                raise
    await _download_folder(transport, owner, path, target)
    return target


def _place_of_file(path: str, local_path: LocalPath) -> Path:
    target = Path(local_path)
    # A Path has no "/" at its end any more, which says that a folder is meant.
    is_folder = os.fspath(local_path).endswith("/") or target.is_dir()
    return target / path.rpartition("/")[2] if is_folder else target


async def _is_folder(transport: Transport, owner: Owner, path: str) -> bool:
    request = ListArtifactsRequest(path=path, page_size=1, **owner)
    page = await transport.call(request, ListArtifactsResponse)
    return bool(page.artifacts)


async def _download_folder(transport: Transport, owner: Owner, path: str, target: Path) -> None:
    await transport.work(_make_folder, target)
    listing = all_entries(
        transport,
        ListArtifactsRequest(path=path, **owner),
        ListArtifactsResponse,
        lambda page: page.artifacts,
    )
    async with aclosing(listing) as entries:
        async for entry in entries:
            below = target / _name_below(path, entry.path)
            if entry.is_dir:
                await _download_folder(transport, owner, entry.path, below)
            else:
                await _download_file(transport, owner, entry.path, below)


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


def _name_below(folder: str, path: str) -> str:
    """The last part of a listed path. A server is not trusted with where files are written."""
    parent, _, name = path.rpartition("/")
    if parent != folder or name in ("", ".", "..") or Path(name).name != name:
        raise DataLossError(f"the server lists {path!r} in the folder {folder!r}, where it can't lie")
    return name


async def _download_file(transport: Transport, owner: Owner, path: str, target: Path) -> Path:
    partial = _PartialFile(target)
    try:
        sink = await transport.work(partial.open)
        await download(transport, DownloadArtifactRequest(path=path, **owner), sink)
        return await transport.work(partial.keep)
    finally:
        await transport.work(partial.discard)


class _PartialFile:
    """A file that is there whole or not at all: it is written beside its place, and moved there once it is whole."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = target.with_name(f".{uuid.uuid4().hex}.part")
        self._file: BinaryIO | None = None

    def open(self) -> BinaryIO:
        """Where to write to."""
        _make_folder(self._target.parent)
        self._file = self._path.open("wb")
        return self._file

    def keep(self) -> Path:
        """Moves it to its place."""
        self._close()
        return self._path.replace(self._target)

    def discard(self) -> None:
        """Removes what was not kept."""
        if self._file is not None:
            self._close()
            self._path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()

"""Where runs and logged models keep artifacts. The scheme of an artifact_uri says who reaches them:

trackwire-artifacts:/<experiment>/<run>/artifacts     this server, in its own byte store
file:///<folder>/<run>/artifacts, /<folder>/…         this server, in a folder of its file system
s3://<bucket>/<folder>/<run>/artifacts                this server where it is told so, or clients by themselves
gs://… and all others                                 clients, by themselves
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote, unquote, urlsplit

from trackwire_server.core.artifact_paths import (
    ArtifactHome,
    artifact_root,
    artifacts_elsewhere,
    control_fault,
    path_fault,
)
from trackwire_server.core.byte_stores import ByteStore
from trackwire_server.core.entities import ARTIFACT_SCHEME

S3_SCHEME = "s3"
OWN_SCHEME = ARTIFACT_SCHEME.partition(":")[0]
FILE_SCHEME = "file"
# Two letters at least: "C:\data" is a path and no URI.
_URI = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]+):.+", re.DOTALL)
# Names of buckets, as S3 and its like have them; a URI has no query, fragment or user.
_S3 = re.compile(r"s3://(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{1,254})(/(?P<folder>[^?#]*))?", re.DOTALL)
# What somebody who reads a path as a URI would take for something else than a part of it.
_READ_OTHERWISE = re.compile(r"[%?#:]")
_RIGHT = 'must be a URI such as "s3://bucket/folder" or a folder such as "/data/artifacts"'


# A bucket's name and a folder in it, "" for all of it.
BucketFolder: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ArtifactFolder:
    """An owner's folder in a byte store, for as long as it is open."""

    store: ByteStore
    path: str

    def of(self, path: str) -> str:
        """A path of the owner's, as the store has it."""
        return f"{self.path}/{path}" if path else self.path


Opener: TypeAlias = Callable[[ArtifactHome], AbstractAsyncContextManager[ArtifactFolder]]


class ByteStores:
    """The byte stores that this server reaches, by the scheme of the URIs that lead there."""

    def __init__(self, openers: Mapping[str, Opener]):
        self._openers = openers

    def opened(self, home: ArtifactHome) -> AbstractAsyncContextManager[ArtifactFolder]:
        """Where artifacts lie, open while the context lasts.

        Raises FailedPrecondition (ARTIFACTS_ELSEWHERE) if that is not for this server to reach.
        """
        opener = self._openers.get(scheme_of(home.uri))
        if opener is None:
            raise artifacts_elsewhere(home)
        return opener(home)


def own_store(store: ByteStore) -> Opener:
    """Opens nothing: the server's own store is open as long as the server lives."""

    @asynccontextmanager
    async def opened(home: ArtifactHome) -> AsyncIterator[ArtifactFolder]:
        yield ArtifactFolder(store, artifact_root(home))

    return opened


def scheme_of(uri: str) -> str:
    """The scheme of a URI; that of files for an absolute path, and "" for what is neither."""
    found = _URI.fullmatch(uri)
    if found is None:
        return FILE_SCHEME if uri.startswith("/") else ""
    return found["scheme"].lower()


def local_folder(uri: str) -> Path | None:
    """The folder of a file URI or of an absolute path; None if it is neither, or leads through ".." and the like."""
    path = uri if uri.startswith("/") else _file_path(uri)
    if path is None or not path.startswith("/") or path_fault(path[1:].rstrip("/")):
        return None
    return Path(path)


def lies_in(place: BucketFolder, other: BucketFolder) -> bool:
    """Whether a folder of a bucket is another one, or below it."""
    return place[0] == other[0] and (not other[1] or f"{place[1]}/".startswith(f"{other[1]}/"))


def bucket_folder(uri: str) -> BucketFolder | None:
    """What an S3 URI names; None if it is none, or leads through ".." and the like."""
    found = _S3.fullmatch(uri)
    if found is None:
        return None
    folder = (found["folder"] or "").rstrip("/")
    return None if folder and path_fault(folder) else (found["bucket"], folder)


def checked_location(location: str, working_folder: Path) -> str:
    """An artifact location as it is kept: a folder is made absolute. Raises ValueError saying what would be right."""
    scheme = scheme_of(location)
    if scheme not in ("", FILE_SCHEME):
        return location
    if not location.strip():
        raise ValueError(f"{_RIGHT}: it is blank")
    is_uri = scheme == FILE_SCHEME and not location.startswith("/")
    path = _file_path(location) if is_uri else location
    if path is None:
        raise ValueError(f"{_RIGHT}: a file URI has no other host, no query and no fragment")
    if not is_uri and (found := _READ_OTHERWISE.search(path)):
        raise ValueError(f"{_RIGHT}: {found[0]!r} in a path needs a URI, file:///…")
    absolute = path if path.startswith("/") else _below(working_folder, path)
    # urlsplit drops control characters: they are looked for in what was said.
    if fault := path_fault(absolute[1:].rstrip("/")) or control_fault(location):
        raise ValueError(f"{_RIGHT}: {fault}")
    if path.startswith("/"):
        return location
    return f"file://{quote(absolute)}" if is_uri else absolute


def _below(folder: Path, path: str) -> str:
    parts = [part for part in path.rstrip("/").split("/") if part != "."]
    return "/".join([str(folder).rstrip("/"), *parts])


def _file_path(uri: str) -> str | None:
    """The path of a file URI, decoded; None if it is none, or names more than a path of this machine."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    is_plain = parts.scheme == FILE_SCHEME and parts.netloc in ("", "localhost")
    return unquote(parts.path) if is_plain and not (parts.query or parts.fragment) else None

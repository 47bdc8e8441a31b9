"""What every store says alike of an upload that can't go on."""

from trackwire_server.core.entities import Upload
from trackwire_server.core.errors import Aborted, AlreadyExists, FailedPrecondition


class UploadInUse(Aborted):
    """Another stream of the same upload is under way."""

    default_reason = "UPLOAD_IN_USE"

    def __init__(self) -> None:
        super().__init__(
            "header.upload_id: another stream of this upload is under way: wait for it to end",
            metadata={"field": "header.upload_id"},
        )


class ArtifactIsFolder(FailedPrecondition):
    """A folder is where a file is to be."""

    default_reason = "ARTIFACT_IS_FOLDER"

    def __init__(self, path: str):
        super().__init__(
            f"header.path: {path!r} is a folder: delete it first, or upload to a path in it",
            metadata={"field": "header.path", "value": path},
        )


class ArtifactNotFolder(FailedPrecondition):
    """A file is where a folder is to be."""

    default_reason = "ARTIFACT_NOT_FOLDER"

    def __init__(self, path: str):
        super().__init__(
            f"header.path: {path!r} is a file: nothing can lie below it",
            metadata={"field": "header.path", "value": path},
        )


def check_same_header(known: Upload, again: Upload) -> None:
    """Whether an upload that is there is the one announced again. Raises AlreadyExists."""
    if (known.path, known.size_bytes, known.sha256) == (again.path, again.size_bytes, again.sha256):
        return
    raise AlreadyExists(
        "upload",
        again.upload_id,
        field="header.upload_id",
        hint="with another path, size or checksum: choose another upload_id",
    )

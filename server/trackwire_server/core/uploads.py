"""What every store says alike of an upload that can't go on."""

from trackwire_server.core.entities import Upload
from trackwire_server.core.errors import Aborted, AlreadyExists, FailedPrecondition, InvalidArgument


class UploadInUse(Aborted):
    """Another stream of the same upload is under way."""

    default_reason = "UPLOAD_IN_USE"

    def __init__(self) -> None:
        super().__init__(
            "header.upload_id: another stream of this upload is under way: wait for it to end",
            metadata={"field": "header.upload_id"},
        )


class TooManyBytes(InvalidArgument):
    """More came than was announced: what arrived can't be trusted."""

    def __init__(self, arrived_bytes: int, size_bytes: int):
        expected = f"more than the {size_bytes} that the header announced; nothing was kept"
        super().__init__("data", f"{arrived_bytes} bytes", expected, reason="TOO_MANY_BYTES", limit=size_bytes)


class IncompleteUpload(InvalidArgument):
    """The stream ended too early; what arrived is kept."""

    def __init__(self, arrived_bytes: int, size_bytes: int):
        expected = f"the stream ended after {arrived_bytes} bytes, or without a finish: go on at this offset"
        super().__init__("header.size_bytes", size_bytes, expected, reason="INCOMPLETE_UPLOAD", limit=arrived_bytes)
        self.metadata["offset"] = str(arrived_bytes)


class UploadDiffers(AlreadyExists):
    """An upload of another file has this id."""

    def __init__(self, upload_id: str, difference: str):
        hint = f"with another {difference}: choose another upload_id"
        super().__init__("upload", upload_id, field="header.upload_id", hint=hint)


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


class PartsGone(Aborted):
    """Nothing gathers any more under what a client calls its parts."""

    default_reason = "PARTS_GONE"

    def __init__(self) -> None:
        super().__init__(
            "parts_id: no such upload in parts is under way: begin anew, without parts_id",
            metadata={"field": "parts_id"},
        )


class PartsMissing(FailedPrecondition):
    """Not all parts of a file have arrived, or others than were announced."""

    default_reason = "PARTS_MISSING"

    def __init__(self, arrived: str, announced: str):
        super().__init__(
            f"crc32s: {arrived} have arrived, and not {announced}: nothing was published",
            metadata={"field": "crc32s", "value": announced},
        )


def check_same_header(known: Upload, again: Upload) -> None:
    """Whether an upload that is there is the one announced again. Raises AlreadyExists."""
    if (known.path, known.size_bytes) == (again.path, again.size_bytes):
        return
    raise UploadDiffers(again.upload_id, "path or size")

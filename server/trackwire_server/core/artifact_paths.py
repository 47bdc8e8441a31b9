"""Names in the artifact store: which paths are clean, and where the files and uploads of runs and logged models lie."""

import hashlib
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

from trackwire_server.core.checks import check_characters
from trackwire_server.core.entities import ARTIFACT_SCHEME, Run
from trackwire_server.core.errors import FailedPrecondition, InvalidArgument
from trackwire_server.core.limits import LIMITS

_RULE = 'must be relative to the run\'s root, with "/" between its parts, such as "plots/loss.png": '


def check_artifact_path(field: str, path: str) -> str:
    """A path that stays below the run's root, however often something on the way decodes "%2e%2e" and the like."""
    if not path:
        raise InvalidArgument(field, path, "is required", reason="REQUIRED")
    check_characters(field, path, LIMITS.artifact_path_characters)
    for part in path.split("/"):
        if (part_bytes := len(part.encode("utf-8", "surrogatepass"))) > LIMITS.artifact_path_part_bytes:
            raise InvalidArgument(
                field,
                path,
                f"has a part of {part_bytes:,} bytes, at most {LIMITS.artifact_path_part_bytes} are allowed",
                reason="TOO_LONG",
                limit=LIMITS.artifact_path_part_bytes,
            )
    decoded = path
    while True:
        if fault := _fault(decoded):
            once = "" if decoded == path else f" once decoded to {decoded!r}"
            raise InvalidArgument(field, path, f"{_RULE}{fault}{once}", reason="BAD_ARTIFACT_PATH")
        if (again := unquote(decoded)) == decoded:
            return path
        decoded = again


def _fault(path: str) -> str:
    """What is wrong with a path; empty if nothing."""
    if path.startswith("/"):
        return "it is absolute"
    if "\\" in path:
        return "it has a backslash"
    # Cc: control characters; Cs: halves of surrogate pairs, which no file system stores.
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in path):
        return "it has a control character"
    for part in path.split("/"):
        if part in ("", ".", ".."):
            return f"it has {part!r} as a part" if part else "it has an empty part"
    return ""


def artifact_root(run: Run) -> str:
    """The folder of a run in the server's artifact store. Raises FailedPrecondition if its artifacts lie elsewhere."""
    return ArtifactHome("run", "run_id", run.run_id, run.artifact_uri).root()


@dataclass(frozen=True, slots=True)
class ArtifactHome:
    """Where the files of an owner lie; `field` is what requests call the id of its kind."""

    kind: str
    field: str
    owner_id: str
    uri: str

    def root(self) -> str:
        """The folder in the server's artifact store. Raises FailedPrecondition if the files lie elsewhere."""
        return _folder_of(self)


def _folder_of(home: ArtifactHome) -> str:
    folder = home.uri.removeprefix(ARTIFACT_SCHEME)
    if folder == home.uri or _fault(folder):
        raise FailedPrecondition(
            f"{home.kind} {home.owner_id!r} keeps its artifacts at {home.uri!r}, outside of this server's artifact"
            " store: read and write them there",
            reason="ARTIFACTS_ELSEWHERE",
            metadata={home.field: home.owner_id, "artifact_uri": home.uri},
        )
    return "/".join(_split_long(part) for part in folder.split("/"))


def partial_id(run_id: str, upload_id: str) -> str:
    """One name for an upload of a run, as short as any file's name may be."""
    return hashlib.sha256(f"{run_id}/{upload_id}".encode()).hexdigest()


def model_partial_id(model_id: str, upload_id: str) -> str:
    """One name for an upload of a logged model; a run may have chosen the same id."""
    return hashlib.sha256(f"models/{model_id}/{upload_id}".encode()).hexdigest()


def _split_long(name: str) -> str:
    # A run's id may have 256 characters, a file's name 255 bytes: the last one becomes a folder of its own.
    limit = LIMITS.artifact_path_part_bytes
    return name if len(name) <= limit else f"{name[:limit]}/{name[limit:]}"

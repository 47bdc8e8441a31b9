"""Names in the artifact store: which paths are clean, and where the files and uploads of runs and logged models lie."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

from trackwire_server.core.checks import check_characters
from trackwire_server.core.entities import ARTIFACT_SCHEME, Run, run_artifact_uri
from trackwire_server.core.errors import FailedPrecondition, InvalidArgument
from trackwire_server.core.limits import LIMITS

_PARTIAL_ID = re.compile(r"[0-9a-f]{64}")
_RULE = 'must be relative, with "/" between its parts, such as "plots/loss.png": '


def check_artifact_path(field: str, path: str) -> str:
    """A path that stays below its owner's root, however often something on the way decodes "%2e%2e" and the like."""
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
    if fault := path_fault(path):
        raise InvalidArgument(field, path, f"{_RULE}{fault}", reason="BAD_ARTIFACT_PATH")
    return path


def path_fault(path: str) -> str:
    """What is wrong with a relative path, however often it is decoded; empty if nothing."""
    decoded = path
    while True:
        if fault := _fault(decoded):
            return fault if decoded == path else f"{fault} once decoded to {decoded!r}"
        if (again := unquote(decoded)) == decoded:
            return ""
        decoded = again


def _fault(path: str) -> str:
    if path.startswith("/"):
        return "it is absolute"
    if "\\" in path:
        return "it has a backslash"
    if fault := control_fault(path):
        return fault
    for part in path.split("/"):
        if part in ("", ".", ".."):
            return f"it has {part!r} as a part" if part else "it has an empty part"
    return ""


def control_fault(text: str) -> str:
    """What is wrong with a text that has control characters; empty if it has none."""
    # Cc: control characters; Cs: halves of surrogate pairs, which no file system stores.
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        return "it has a control character"
    return ""


@dataclass(frozen=True, slots=True)
class ArtifactHome:
    """Where an owner's artifacts lie: `depth` is how many parts of the URI follow its experiment's location."""

    kind: str
    # What requests call the ids of its kind.
    field: str
    owner_id: str
    uri: str
    depth: int


def home_of_run(run: Run) -> ArtifactHome:
    """A run's artifacts lie in <location>/<run>/artifacts."""
    return ArtifactHome("run", "run_id", run.run_id, run.artifact_uri, 2)


def home_of_model(model_id: str, uri: str) -> ArtifactHome:
    """A logged model's artifacts lie in <location>/models/<model>/artifacts."""
    return ArtifactHome("logged model", "model_id", model_id, uri, 3)


def home_in(location: str) -> ArtifactHome:
    """A home in the store that an experiment keeps its artifacts in, for what is asked of the store alone."""
    return ArtifactHome("experiment", "experiment_id", "any", run_artifact_uri(location, "any"), 2)


def artifact_root(home: ArtifactHome) -> str:
    """The folder in the server's own artifact store. Raises FailedPrecondition if the owner has none there."""
    folder = home.uri.removeprefix(ARTIFACT_SCHEME)
    if folder == home.uri or _fault(folder):
        raise artifacts_elsewhere(home)
    return short_parts(folder)


def artifacts_elsewhere(home: ArtifactHome, why: str = "outside of what this server reaches") -> FailedPrecondition:
    """These artifacts are not for this server to read or write."""
    return FailedPrecondition(
        f"{home.kind} {home.owner_id!r} keeps its artifacts at {home.uri!r}, {why}: read and write them there,"
        " as clients that reach it do by themselves",
        reason="ARTIFACTS_ELSEWHERE",
        metadata={home.field: home.owner_id, "artifact_uri": home.uri},
    )


def partial_id(run_id: str, upload_id: str) -> str:
    """One name for an upload of a run, as short as any file's name may be."""
    return hashlib.sha256(f"{run_id}/{upload_id}".encode()).hexdigest()


def model_partial_id(model_id: str, upload_id: str) -> str:
    """One name for an upload of a logged model; a run may have chosen the same id."""
    return hashlib.sha256(f"models/{model_id}/{upload_id}".encode()).hexdigest()


def is_partial_id(name: str) -> bool:
    """Whether a name may be that of an upload: nobody else's files have such a one."""
    return _PARTIAL_ID.fullmatch(name) is not None


def short_parts(folder: str) -> str:
    """A folder whose parts may be names of files: a run's id may have 256 characters, a file's name 255 bytes."""
    return "/".join(_split_long(part) for part in folder.split("/"))


def _split_long(name: str) -> str:
    # The last character becomes a folder of its own.
    limit = LIMITS.artifact_path_part_bytes
    return name if len(name) <= limit else f"{name[:limit]}/{name[limit:]}"

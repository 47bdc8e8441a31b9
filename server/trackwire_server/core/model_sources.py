"""What a version's source says of where its files lie and what it comes from.

runs:/<run_id>/<path>                          artifacts of a run
models:/<name>/<version>, …/<stage>, …/latest  what that version has
models:/<name>@<alias>                         the same, by alias
models:/m-<id>                                 a logged model
file:///<path>, /<path>                        a folder, which only those reach who share it
<scheme>:…                                     a place of its own
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote

from trackwire_server.core.checks import check_required
from trackwire_server.core.entities import ModelStage, NewModelVersion
from trackwire_server.core.errors import InvalidArgument, shown
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.model_names import VERSION_MAX, check_climbs_nowhere, is_latest, scheme_of, stage_named

_MODEL_URI = re.compile(r"models:/(?P<name>[^/]+)(?:/(?P<selector>[^/]+))?", re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,10}")
_LOGGED_MODEL_ID = re.compile(r"m-[\w\-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class VersionReference:
    """A version of a registered model: by its number, its alias, or as the highest one of a stage."""

    name: str
    selector: int | str | ModelStage


@dataclass(frozen=True, slots=True)
class LoggedModelReference:
    """A logged model by its id."""

    model_id: str


def model_reference(field: str, source: str) -> VersionReference | LoggedModelReference | None:
    """What a `models:/` source refers to; None for any other source. Raises InvalidArgument."""
    if scheme_of(source) != "models":
        return None
    match = _MODEL_URI.fullmatch(source)
    if match is None:
        raise InvalidArgument(
            field, source, "must be models:/<name>/<version>, models:/<name>@<alias> or models:/m-<id>"
        )
    name, selector = match["name"], match["selector"]
    if selector is not None:
        return VersionReference(name, _selector(field, selector))
    before, _, alias = name.rpartition("@")
    if before and alias:
        return VersionReference(before, alias)
    if not _LOGGED_MODEL_ID.fullmatch(name) or len(name) > LIMITS.model_id_characters:
        raise InvalidArgument(field, source, "must go on with /<version> or @<alias>, or be models:/m-<id>")
    return LoggedModelReference(name)


def _selector(field: str, selector: str) -> int | str | ModelStage:
    if _NUMBER.fullmatch(selector) and 1 <= int(selector) <= VERSION_MAX:
        return int(selector)
    return selector if is_latest(selector) else stage_named(field, selector)


def is_local(source: str) -> bool:
    """Whether a source is a path in somebody's file system."""
    return scheme_of(source) in ("", "file")


def check_local_source(field: str, source: str, root: str) -> str:
    """A local source, which must lie in this artifact directory of its run; "" for none. Raises InvalidArgument."""
    check_required(field, source, LIMITS.uri_characters)
    check_climbs_nowhere(field, source)
    path, folder = _path(source), _path(root) if root and is_local(root) else None
    if folder is None or not folder.is_absolute() or not path.is_relative_to(folder):
        raise InvalidArgument(
            field,
            source,
            "a local path must lie in the artifact directory of the run that run_id names",
            reason="LOCAL_SOURCE",
        )
    return source


def _path(source: str) -> PurePosixPath:
    """The path that a local source means; in a URI it is percent-encoded, and names no host."""
    if scheme_of(source) != "file":
        return PurePosixPath(source)
    path = unquote(source.partition(":")[2])
    return PurePosixPath(path.removeprefix("//") if path.startswith("///") else path)


def same_lineage(field: str, given: str, found: str, new: NewModelVersion) -> str:
    """The run or logged model of the version that `new` refers to, which must be the given one if one is given."""
    if given and given != found:
        raise InvalidArgument(field, given, f"differs from {shown(found)}, which {shown(new.source)} comes from")
    return found

"""How models, versions, aliases and sources may be named, and what is said when there is none of that name."""

import re
from urllib.parse import unquote

from trackwire_server.core.checks import check_required, check_run_id
from trackwire_server.core.entities import ModelStage
from trackwire_server.core.errors import InvalidArgument, NotFound, shown
from trackwire_server.core.limits import LIMITS

LATEST_ALIAS = "latest"
VERSION_MAX = 2**31 - 1

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_STAGES = {stage.lower(): stage for stage in ModelStage}
_ALIAS = re.compile(r"[\w\-]+")
_VERSION_ALIAS = re.compile(r"[vV]\d+")
# One letter before the colon is a Windows drive, not a scheme.
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]+):(?P<rest>.*)", re.DOTALL)
_RUN_SOURCE = re.compile(r"/+(?P<run_id>[^/]+)/+(?P<path>[^/].*)", re.DOTALL)


def check_model_name(field: str, name: str) -> str:
    """The name of a registered model: "/" and ":" would not survive in `models:/name/version`."""
    check_required(field, name, LIMITS.model_name_characters)
    if not name.strip():
        raise InvalidArgument(field, name, "must not be blank", reason="REQUIRED")
    if "/" in name or ":" in name:
        raise InvalidArgument(field, name, 'must not contain "/" or ":"')
    if _CONTROL.search(name):
        raise InvalidArgument(field, name, "must not contain control characters")
    if name in (".", ".."):
        raise InvalidArgument(field, name, 'must not be "." or ".."')
    return name


def check_version(field: str, version: int) -> int:
    """The number of a version."""
    if version == 0:
        raise InvalidArgument(field, version, "is required", reason="REQUIRED")
    if not 1 <= version <= VERSION_MAX:
        raise InvalidArgument(field, version, f"must be from 1 to {VERSION_MAX:,}", limit=VERSION_MAX)
    return version


def check_alias(field: str, alias: str) -> str:
    """An alias that may be set: what reads as a version or as the newest one must always mean just that."""
    check_required(field, alias, LIMITS.alias_characters)
    if not _ALIAS.fullmatch(alias):
        raise InvalidArgument(field, alias, 'may only have letters, digits, "_" and "-"')
    if is_latest(alias):
        raise InvalidArgument(field, alias, "is reserved for the highest version", reason="RESERVED_ALIAS")
    if _VERSION_ALIAS.fullmatch(alias):
        raise InvalidArgument(
            field, alias, 'is reserved: "v" with a number reads as a version', reason="RESERVED_ALIAS"
        )
    return alias


def stage_named(field: str, stage: str) -> ModelStage:
    """The stage of this name, in any case. Raises InvalidArgument."""
    found = _STAGES.get(stage.lower())
    if found is None:
        raise InvalidArgument(field, stage, f"must be one of {', '.join(ModelStage)}")
    return found


def is_latest(alias: str) -> bool:
    """Whether an alias means the highest version, whatever is set."""
    return alias.lower() == LATEST_ALIAS


def check_source(field: str, source: str) -> str:
    """Where a version's files lie: a URI that stays below its root however often it is percent-decoded."""
    check_required(field, source, LIMITS.uri_characters)
    if not scheme_of(source):
        raise InvalidArgument(field, source, "must be a URI with a scheme, such as s3://bucket/model")
    return check_climbs_nowhere(field, source)


def scheme_of(source: str) -> str:
    """A URI's scheme in lower case; "" for a path."""
    match = _SCHEME.fullmatch(source)
    return match["scheme"].lower() if match else ""


def check_climbs_nowhere(field: str, source: str) -> str:
    """A URI or a path that stays below its root however often it is percent-decoded."""
    decoded, encoded = source, ""
    while decoded != encoded:
        match = _SCHEME.fullmatch(decoded)
        what = ""
        if _CONTROL.search(decoded):
            what = "control characters"
        elif ".." in re.split(r"[/\\]", match["rest"] if match else decoded):
            what = '".."'
        if what:
            expected = f"must not contain {what}, percent-encoded ones included"
            raise InvalidArgument(field, source, expected, reason="UNSAFE_SOURCE")
        encoded, decoded = decoded, unquote(decoded)
    return source


def source_of_run(source: str) -> tuple[str, str] | None:
    """The run and the path in it that a `runs:/` source names; None for other sources."""
    scheme, _, rest = source.partition(":")
    found = _RUN_SOURCE.fullmatch(rest) if scheme.lower() == "runs" else None
    return (found["run_id"], found["path"].rstrip("/")) if found else None


def lineage(source: str, run_id: str) -> str:
    """The run that a version comes from: the one given, else the one that a `runs:/` source names; "" for none."""
    scheme, _, rest = source.partition(":")
    if scheme.lower() == "runs":
        named = _RUN_SOURCE.fullmatch(rest)
        if named is None:
            raise InvalidArgument("source", source, "must be runs:/<run_id>/<path>")
        check_run_id("source", named["run_id"])
        if run_id and run_id != named["run_id"]:
            raise InvalidArgument("run_id", run_id, f"differs from the run in source {shown(source)}")
        return named["run_id"]
    return check_run_id("run_id", run_id) if run_id else ""


def model_not_found(name: str) -> NotFound:
    """No registered model has this name."""
    return NotFound("registered model", name, field="name")


def version_not_found(name: str, version: int | str) -> NotFound:
    """The registered model is there, this version of it isn't."""
    return NotFound("model version", f"{name}/{version}", field="version")


def alias_not_found(name: str, alias: str) -> NotFound:
    """The registered model is there, and the alias doesn't point at any version of it."""
    return NotFound("alias", f"{name}@{alias}", field="alias")


def request_id_reused(request_id: str, made: str) -> InvalidArgument:
    """A retry repeats its request unchanged; this one asks for another model."""
    return InvalidArgument(
        "request_id",
        request_id,
        f"made {shown(made)} already: use a new id for a version of another model",
        reason="REQUEST_ID_REUSED",
    )

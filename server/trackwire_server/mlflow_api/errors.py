"""What each of core's errors is to MLflow's clients: a status, an error code and words that they know."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from trackwire_server.core import errors

SEE_DOCS = "See the API docs for more information about request parameters."
# Of a name that something may have, nothing is cut.
NAME_SHOWN_CHARACTERS_MAX = 500


class MlflowCode(NamedTuple):
    """An error code, and the status that its clients expect with it."""

    name: str
    status: int


INVALID_PARAMETER_VALUE = MlflowCode("INVALID_PARAMETER_VALUE", 400)
INTERNAL_ERROR = MlflowCode("INTERNAL_ERROR", 500)
NOT_IMPLEMENTED = MlflowCode("NOT_IMPLEMENTED", 501)
RESOURCE_DOES_NOT_EXIST = MlflowCode("RESOURCE_DOES_NOT_EXIST", 404)
ENDPOINT_NOT_FOUND = MlflowCode("ENDPOINT_NOT_FOUND", 404)

# Its clients send anything that fails with 429 or 503 once more, and nothing of what fails with 400.
CODES: Mapping[type[errors.TrackwireError], MlflowCode] = {
    errors.TrackwireError: INTERNAL_ERROR,
    errors.InvalidArgument: INVALID_PARAMETER_VALUE,
    errors.NotFound: RESOURCE_DOES_NOT_EXIST,
    errors.AlreadyExists: MlflowCode("RESOURCE_ALREADY_EXISTS", 400),
    errors.FailedPrecondition: INVALID_PARAMETER_VALUE,
    errors.Aborted: MlflowCode("ABORTED", 409),
    errors.OutOfRange: INVALID_PARAMETER_VALUE,
    errors.Overloaded: MlflowCode("RESOURCE_EXHAUSTED", 429),
    errors.StorageFull: MlflowCode("TEMPORARILY_UNAVAILABLE", 503),
    errors.StoreUnavailable: MlflowCode("TEMPORARILY_UNAVAILABLE", 503),
    errors.StoreCorrupt: MlflowCode("DATA_LOSS", 500),
    errors.Unauthenticated: MlflowCode("UNAUTHENTICATED", 401),
    errors.PermissionDenied: MlflowCode("PERMISSION_DENIED", 403),
}

# What core calls otherwise than all of MLflow's requests do; what only some do, `fields_called` knows.
FIELDS: Mapping[str, str] = {"page_size": "max_results"}

# Programs look for these words for what is missing or there already; {} are the parts of its name.
WORDS: Mapping[tuple[type[errors.TrackwireError], str], str] = {
    (errors.NotFound, "run"): "Run with id={0} not found",
    (errors.NotFound, "experiment"): "No Experiment with id={0} exists",
    (errors.NotFound, "logged model"): "Logged model with ID '{0}' not found",
    (errors.NotFound, "issue"): "Issue with ID '{0}' not found",
    (errors.NotFound, "evaluation dataset"): "Evaluation dataset with id '{0}' not found",
    (errors.NotFound, "tag"): "No tag with name: {0} exists",
    (errors.NotFound, "registered model"): "Registered Model with name={0} not found",
    (errors.AlreadyExists, "registered model"): "Registered Model (name={0}) already exists.",
    (errors.NotFound, "model version"): "Model Version (name={0}, version={1}) not found",
    (errors.NotFound, "alias"): "Registered model alias {1} not found.",
}
# For a version's source that core refuses, by the reason; {} is what core expects.
SOURCE_WORDS: Mapping[str, str] = {
    "UNSAFE_SOURCE": "If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts"
    " uri, an absolute path must be given without relative path references: it {0}",
    "LOCAL_SOURCE": "To use a local path as a model version source, run_id has to name a run, and the path has to lie"
    " in the artifact directory of that run",
}
_PLACE = re.compile(r"\[[^\]]*\]")


class MlflowError(Exception):
    """An answer that is an error."""

    def __init__(self, code: MlflowCode, message: str):
        super().__init__(message)
        self.code = code
        self.message = message


def missing(parameter: str) -> MlflowError:
    """A field that must be there."""
    return MlflowError(INVALID_PARAMETER_VALUE, f"Missing value for required parameter '{parameter}'. {SEE_DOCS}")


def invalid(parameter: str, value: object, hint: str) -> MlflowError:
    """A field with a value that it can't have; the value is shown as JSON."""
    return MlflowError(
        INVALID_PARAMETER_VALUE,
        f"Invalid value {_as_json(value)} for parameter '{parameter}' supplied:  Hint: {hint}. {SEE_DOCS}",
    )


def not_implemented(name: str) -> MlflowError:
    """Something of MLflow's that this server does not have."""
    return MlflowError(NOT_IMPLEMENTED, f"{name} is not implemented by this server")


def invalid_path() -> MlflowError:
    """A path that could lead out of its folder, in the two words that MLflow has for it."""
    return MlflowError(INVALID_PARAMETER_VALUE, "Invalid path")


@contextmanager
def fields_called(theirs: Mapping[str, str]) -> Iterator[None]:
    """Has core's fields told by the names that a request has for them; "[]" is any place: "datasets[].name"."""
    try:
        yield
    except errors.InvalidArgument as error:
        places = iter(_PLACE.findall(error.field))
        field = _PLACE.sub("[]", error.field)
        known = next((name for name in theirs if field == name or field.startswith((f"{name}.", f"{name}["))), None)
        if known is None:
            raise
        named = re.sub(r"\[\]", lambda _: next(places), theirs[known] + field.removeprefix(known))
        raise errors.InvalidArgument(named, error.value, error.expected, reason=error.reason) from error


def error_of(error: errors.TrackwireError) -> MlflowError:
    """One of core's errors in MLflow's words, where it has words for it."""
    code = next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)
    if error.reason == "BAD_ARTIFACT_PATH":
        return invalid_path()
    if isinstance(error, errors.NotFound | errors.AlreadyExists):
        return _about_name(error, code)
    if isinstance(error, errors.InvalidArgument):
        field = FIELDS.get(error.field, error.field)
        if error.reason == "REQUIRED":
            return missing(field)
        if words := SOURCE_WORDS.get(error.reason):
            source = _as_json(error.value)
            return MlflowError(code, f"Invalid model version source: {source}. {words.format(error.expected)}.")
        return MlflowError(
            code, f"Invalid value {_as_json(error.value)} for parameter '{field}' supplied: {error.expected}"
        )
    if isinstance(error, errors.RunDeleted):
        run_id = error.metadata["run_id"]
        return MlflowError(code, f"The run {run_id} must be in the 'active' state. Current state is deleted.")
    # An upload has a header over gRPC alone.
    return MlflowError(code, error.message.removeprefix("header."))


def _about_name(error: errors.NotFound | errors.AlreadyExists, code: MlflowCode) -> MlflowError:
    words = WORDS.get((type(error), error.kind))
    # Whoever asks for an experiment by its name is told the name.
    if words is None or (error.kind == "experiment" and error.metadata.get("field") in ("name", "experiment_name")):
        return MlflowError(code, error.message)
    # A model's name has no "/", and an alias no "@".
    separator = {"model version": "/", "alias": "@"}.get(error.kind)
    parts = error.name.rsplit(separator, 1) if separator else [error.name]
    return MlflowError(INVALID_PARAMETER_VALUE if error.kind == "alias" else code, words.format(*map(_cut, parts)))


def _as_json(value: object) -> str:
    """A value as its request had it, cut if long."""
    return _cut(json.dumps(value, default=str), errors.VALUE_SHOWN_CHARACTERS_MAX)


def _cut(text: str, limit: int = NAME_SHOWN_CHARACTERS_MAX) -> str:
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"

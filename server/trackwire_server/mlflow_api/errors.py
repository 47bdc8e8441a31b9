"""What each of core's errors is to MLflow's clients: a status, an error code and words that they know."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from trackwire_server.core import errors

SEE_DOCS = "See the API docs for more information about request parameters."
STORE_RETRY_SECONDS = 1.0


class MlflowCode(NamedTuple):
    """An error code, and the status that its clients expect with it."""

    name: str
    status: int


INVALID_PARAMETER_VALUE = MlflowCode("INVALID_PARAMETER_VALUE", 400)
INTERNAL_ERROR = MlflowCode("INTERNAL_ERROR", 500)
NOT_IMPLEMENTED = MlflowCode("NOT_IMPLEMENTED", 501)
ENDPOINT_NOT_FOUND = MlflowCode("ENDPOINT_NOT_FOUND", 404)

# Its clients send anything that fails with 429 or 503 once more, and nothing of what fails with 400.
CODES: Mapping[type[errors.TrackwireError], MlflowCode] = {
    errors.TrackwireError: INTERNAL_ERROR,
    errors.InvalidArgument: INVALID_PARAMETER_VALUE,
    errors.NotFound: MlflowCode("RESOURCE_DOES_NOT_EXIST", 404),
    errors.AlreadyExists: MlflowCode("RESOURCE_ALREADY_EXISTS", 400),
    errors.FailedPrecondition: INVALID_PARAMETER_VALUE,
    errors.Aborted: MlflowCode("ABORTED", 409),
    errors.OutOfRange: INVALID_PARAMETER_VALUE,
    errors.Overloaded: MlflowCode("RESOURCE_EXHAUSTED", 429),
    errors.StorageFull: MlflowCode("TEMPORARILY_UNAVAILABLE", 503),
    errors.StoreUnavailable: MlflowCode("TEMPORARILY_UNAVAILABLE", 503),
    errors.StoreCorrupt: MlflowCode("DATA_LOSS", 500),
}

# What core calls otherwise than MLflow's requests do.
FIELDS: Mapping[str, str] = {"page_size": "max_results"}


# Programs look for these words.
NOT_FOUND_WORDS: Mapping[str, str] = {
    "run": "Run with id={} not found",
    "experiment": "No Experiment with id={} exists",
    "tag": "No tag with name: {} exists",
}


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


def error_of(error: errors.TrackwireError) -> MlflowError:
    """One of core's errors in MLflow's words, where it has words for it."""
    code = next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)
    if isinstance(error, errors.InvalidArgument):
        field = FIELDS.get(error.field, error.field)
        if error.reason == "REQUIRED":
            return missing(field)
        return MlflowError(
            code, f"Invalid value {_as_json(error.value)} for parameter '{field}' supplied: {error.expected}"
        )
    if isinstance(error, errors.NotFound):
        kind = error.metadata["resource_type"]
        # Whoever asks by a name is told the name.
        words = None if error.metadata.get("field") in ("name", "experiment_name") else NOT_FOUND_WORDS.get(kind)
        return MlflowError(code, error.message if words is None else words.format(error.metadata["resource_name"]))
    if isinstance(error, errors.RunDeleted):
        run_id = error.metadata["run_id"]
        return MlflowError(code, f"The run {run_id} must be in the 'active' state. Current state is deleted.")
    return MlflowError(code, error.message)


def retry_seconds_of(error: errors.TrackwireError) -> float | None:
    """After how long the same call may be sent again; None where it would fail again."""
    if isinstance(error, errors.Overloaded | errors.StorageFull):
        return error.retry_after_seconds
    return STORE_RETRY_SECONDS if isinstance(error, errors.StoreUnavailable) else None


def _as_json(value: object) -> str:
    """A value as its request had it, cut if long."""
    text = json.dumps(value, default=str)
    limit = errors.VALUE_SHOWN_CHARACTERS_MAX
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"

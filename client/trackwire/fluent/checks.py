"""The server's rules for what a run says of itself, told at the call: later nobody could mend it."""

import re
from collections.abc import Mapping

from trackwire.errors import InvalidArgumentError
from trackwire.gathering import MetricContext, check_key

VALUE_CHARACTERS_MAX = 65_536
RUN_ID_CHARACTERS_MAX = 256
RUN_NAME_CHARACTERS_MAX = 250
EXPERIMENT_NAME_CHARACTERS_MAX = 500
MODEL_ID_CHARACTERS_MAX = 64
DATASET_NAME_CHARACTERS_MAX = 500
DATASET_DIGEST_CHARACTERS_MAX = 36
RANK_MAX = 2**31 - 1
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def check_run_id(field: str, run_id: str) -> str:
    """The id of a run."""
    text = checked_text(field, run_id, RUN_ID_CHARACTERS_MAX)
    if not _RUN_ID.fullmatch(text):
        raise _error(field, text, 'must begin with a letter or digit and go on with letters, digits, "_", "-"')
    return text


def metric_context(model_id: str | None, dataset: object) -> MetricContext:
    """What metrics are of and on. A dataset is what has a `name` and a `digest`, such as those of `trackwire.data`."""
    name, digest = ("", "") if dataset is None else (getattr(dataset, each, None) for each in ("name", "digest"))
    if not isinstance(name, str) or not isinstance(digest, str):
        raise TypeError(f"dataset: must have a name and a digest, which a {type(dataset).__name__} does not")
    return MetricContext(
        model_id=checked_text("model_id", model_id or "", MODEL_ID_CHARACTERS_MAX),
        dataset_name=checked_text("dataset.name", name, DATASET_NAME_CHARACTERS_MAX),
        dataset_digest=checked_text("dataset.digest", digest, DATASET_DIGEST_CHARACTERS_MAX),
    )


def checked_rank(rank: int) -> int:
    """The number of a process of a job."""
    try:
        number = rank.__index__()
    except AttributeError:
        raise TypeError(f"rank: {rank!r}: must be an int or None, not {type(rank).__name__}") from None
    if not 0 <= number <= RANK_MAX:
        raise _error("rank", str(number), f"must be 0 to {RANK_MAX}, or None where there are no ranks")
    return number


def checked_entries(field: str, entries: Mapping[str, object]) -> dict[str, str]:
    """Params or tags, each value as `str()` gives it now."""
    if not isinstance(entries, Mapping):
        raise TypeError(f"{field}: must map keys to values, not be a {type(entries).__name__}")
    return {
        check_key(key): checked_text(f"{field}[{key!r}]", value, VALUE_CHARACTERS_MAX) for key, value in entries.items()
    }


def checked_text(field: str, value: object, characters_max: int) -> str:
    """A value as text that a request can carry."""
    text = str(value)
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise _error(field, text, "must not contain NUL or half of a surrogate pair")
    if len(text) > characters_max:
        raise _error(field, text, f"has {len(text):,} characters, at most {characters_max:,} are allowed")
    return text


def required_text(field: str, value: object, characters_max: int) -> str:
    """A value as text that must be there."""
    text = checked_text(field, value, characters_max)
    if not text:
        raise _error(field, text, "is required")
    return text


def _error(field: str, text: str, what: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"{field}: {text[:60]!r}: {what}", metadata={"field": field})

"""Tags and params: a list of keys and values on MLflow's wire, a mapping everywhere else."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from trackwire_server.core.errors import InvalidArgument


class Entry(Struct):
    """A tag or a param."""

    key: str
    value: str = ""


def from_entries(entries: Sequence[Entry]) -> dict[str, str]:
    """Tags as a mapping; the last of a key wins."""
    return {entry.key: entry.value for entry in entries}


def params_of(entries: Sequence[Entry]) -> dict[str, str]:
    """Params as a mapping. Raises InvalidArgument if a key has two."""
    params: dict[str, str] = {}
    for at, entry in enumerate(entries):
        if entry.key in params:
            raise InvalidArgument(f"params[{at}].key", entry.key, "Duplicate parameter keys: each may be logged once")
        params[entry.key] = entry.value
    return params


def to_entries(entries: Mapping[str, str]) -> list[dict[str, str]]:
    """As MLflow lists them."""
    return [{"key": key, "value": value} for key, value in entries.items()]

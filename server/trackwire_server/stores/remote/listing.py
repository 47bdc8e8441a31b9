"""Entries of a folder as they are shown: by name, and none that is no file and no folder."""

import heapq
from collections.abc import Collection, Iterable, Sequence

from trackwire_server.core.entities import Artifact
from trackwire_server.stores.remote.drive import Entry, Kind

PARTIALS = ".partial"


def first_names(
    entries: Iterable[Entry], *, after: str, limit: int, hidden: Collection[str] = ()
) -> Sequence[Artifact]:
    """Entries whose names follow `after`, by name, without those that are hidden."""
    shown = {entry.name: entry for entry in entries if _is_shown(entry) and entry.name not in hidden}
    return [artifact_of(name, shown[name]) for name in heapq.nsmallest(limit, (name for name in shown if name > after))]


def artifact_of(path: str, entry: Entry) -> Artifact:
    """An entry, as a listing says it."""
    if entry.kind is Kind.FOLDER:
        return Artifact(path, is_dir=True)
    return Artifact(path, False, entry.size_bytes, entry.modification_time_ms)


def _is_shown(entry: Entry) -> bool:
    try:
        entry.name.encode()
    except UnicodeEncodeError:
        return False
    return bool(entry.name) and entry.kind is not Kind.OTHER

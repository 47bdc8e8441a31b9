"""Gives runs another server than the one that they name, as long as that one has nothing of them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from trackwire.errors import TrackwireError
from trackwire.spool.delivered import Delivered
from trackwire.spool.places import STORED_SUFFIX, StreamPlace, open_streams, write_description
from trackwire.spool.syncing import sync_path


@dataclass(frozen=True, slots=True)
class Redirected:
    """The runs that go to the new server now, and those that stay, as the old one may have a part of them."""

    moved: set[str]
    kept: set[str]


def redirect(spool: Path, old_addresses: Iterable[str], new_address: str) -> Redirected:
    """Has streams name the new server in their descriptions, all of a run or none. For the holder of the lock.

    On the disk, so that a sync that is broken off leaves none that is delivered here in part and there in part. What
    was moved before a crash is moved already.
    """
    runs: dict[str, list[StreamPlace]] = {}
    for place in open_streams(spool):
        if place.tracking_uri in old_addresses:
            runs.setdefault(place.run_id, []).append(place)
    moved = {run_id for run_id, places in runs.items() if all(map(_is_untouched, places))}
    for run_id in moved:
        for place in runs[run_id]:
            write_description(replace(place, tracking_uri=new_address))
            # Before anything is sent there: after a crash of the machine the old name must not be back.
            sync_path(place.folder / "stream.json")
            sync_path(place.folder)
    return Redirected(moved, runs.keys() - moved)


def _is_untouched(place: StreamPlace) -> bool:
    try:
        delivered = place.delivered_file.read()
    except TrackwireError:
        return False
    return delivered == Delivered() and not any(place.files_folder.glob(f"*{STORED_SUFFIX}"))

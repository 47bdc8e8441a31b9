"""Lets go of what servers have refused, once a user has been told: see rejected.py."""

import shutil

from trackwire.shipper.delivery import GONE_SUFFIX
from trackwire.shipper.rejected import RejectedFolder
from trackwire.spool.places import StreamPlace


def may_discard(place: StreamPlace) -> bool:
    """Whether nothing else of a stream is left.

    Before that a shipper still needs to know what was refused: the next stamp must not name it, and a record that a
    killed shipper has not counted yet must not be sent again.
    """
    return not place.segments() and not place.writer_lives and not RejectedFolder(place).is_empty()


def discard(place: StreamPlace) -> None:
    """Removes a stream of which only refused records and damaged bytes are left. For whoever has the spool's lock."""
    if may_discard(place):
        remove(place)


def remove(place: StreamPlace) -> None:
    """Deletes a stream's folder: one half deleted is no stream any more, and the next shipper deletes the rest."""
    gone = place.folder.with_name(f"{place.writer_id}{GONE_SUFFIX}")
    place.folder.rename(gone)
    shutil.rmtree(gone)

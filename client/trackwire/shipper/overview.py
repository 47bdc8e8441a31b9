"""A spool as people want to see it: what waits, for which server, what has been delivered, and what was refused."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from trackwire.shipper.rejected import KeptDamage, Rejection, read_damages, read_rejections
from trackwire.spool.contents import Amount, StreamContents
from trackwire.spool.places import StreamPlace, open_streams, unreadable_streams

if TYPE_CHECKING:
    from trackwire.errors import TrackwireError


class _Stream:
    """A stream's records, and what was refused of them."""

    def __init__(self, place: StreamPlace) -> None:
        self.contents = StreamContents(place)
        self.rejections: list[Rejection] = []
        self.damages: list[KeptDamage] = []
        self._files_seen = 0

    def look(self) -> None:
        place = self.contents.place
        files = sum(1 for _ in place.rejected_folder.glob("*.json"))
        if files != self._files_seen:
            self._files_seen = files
            self.rejections = list(read_rejections(place))
            self.damages = list(read_damages(place))
        self.contents.look([(rejection.sequence, rejection.points) for rejection in self.rejections])


class SpoolOverview:
    """All streams of a spool as of the last `look`, and those that were there at an earlier one."""

    def __init__(self, spool: Path, offline_address: str = "") -> None:
        self.spool = spool
        self.offline_address = offline_address
        self.unreadable: dict[Path, TrackwireError] = {}
        self._streams: dict[str, _Stream] = {}

    def look(self) -> None:
        """Counts anew."""
        there = {place.writer_id: place for place in open_streams(self.spool)}
        for writer_id, place in there.items():
            if writer_id not in self._streams:
                self._streams[writer_id] = _Stream(place)
            # Delivered and deleted just now: the next look finds it gone.
            with contextlib.suppress(FileNotFoundError):
                self._streams[writer_id].look()
        for writer_id in self._streams.keys() - there.keys():
            self._streams[writer_id].contents.gone()
        self.unreadable = unreadable_streams(self.spool)

    @property
    def waiting(self) -> Amount:
        """What is not settled yet."""
        return Amount.sum(contents.waiting for contents in self._contents())

    @property
    def delivered(self) -> Amount:
        """What servers have taken since the first look."""
        return Amount.sum(contents.delivered for contents in self._contents())

    @property
    def runs_waiting(self) -> set[str]:
        """The runs of which something waits."""
        return {contents.place.run_id for contents in self._contents() if contents.is_waiting}

    @property
    def runs_delivered(self) -> set[str]:
        """The runs of which something waited since the first look, and nothing does now."""
        return {contents.place.run_id for contents in self._contents() if contents.was_waiting} - self.runs_waiting

    @property
    def runs_written(self) -> set[str]:
        """The runs whose processes live."""
        return {contents.place.run_id for contents in self._contents() if contents.writer_lives}

    @property
    def destinations(self) -> dict[tuple[str, bool], set[str]]:
        """The runs that wait, by server and whether they name it themselves."""
        found: dict[tuple[str, bool], set[str]] = {}
        for contents in self._contents():
            if contents.is_waiting:
                named = contents.place.tracking_uri
                found.setdefault((named or self.offline_address, bool(named)), set()).add(contents.place.run_id)
        return found

    @property
    def servers(self) -> set[str]:
        """Those that something waits for."""
        return {address for address, _ in self.destinations}

    def rejections(self) -> Iterator[tuple[StreamPlace, Rejection]]:
        """What servers have refused, ever, and nobody has discarded."""
        for stream in self._streams.values():
            for rejection in stream.rejections:
                yield stream.contents.place, rejection

    def damages(self) -> Iterator[tuple[StreamPlace, KeptDamage]]:
        """What could not be read, ever, and nobody has discarded."""
        for stream in self._streams.values():
            for damage in stream.damages:
                yield stream.contents.place, damage

    def _contents(self) -> list[StreamContents]:
        return [stream.contents for stream in self._streams.values()]

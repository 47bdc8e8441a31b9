"""Where streams lie, and what others can tell of one: who writes it, into which run, and whether that process lives.

<spool>/shipper.lock      locked while a shipper lives; says who it is
<spool>/away/<address>    why a server can't be reached; there while it can't, from the shipper
<spool>/streams/<writer_id>/
    stream.json     who writes, into which run, to which server
    stream.lock     locked while the writer lives
    00000001.seg …  its records, in order
    files/          snapshots of files that UPLOAD records name
    delivered       how far the shipper has come
    stop            empty; there once the run was asked to stop, from the shipper
    rejected/       what the server has refused for good, from the shipper
"""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path

from trackwire.errors import DataLossError, FailedPreconditionError, TrackwireError
from trackwire.spool.delivered import DeliveredFile

# What an empty file is called beside the name of a snapshot that the server has, and that is gone.
STORED_SUFFIX = ".stored"
_FORMAT = 1
_DESCRIPTION = "stream.json"
_DESCRIBED = {"writer_id": str, "run_id": str, "tracking_uri": str, "pid": int, "host": str, "created_ms": int}


@dataclass(frozen=True, slots=True)
class StreamPlace:
    """A stream as others find it. `tracking_uri` is empty where the process knew no server."""

    folder: Path
    writer_id: str
    run_id: str
    tracking_uri: str
    pid: int
    host: str
    created_ms: int

    @property
    def writer_lives(self) -> bool:
        """Whether its writer may still append, by trying its lock. Once it is dead it stays so.

        Ask before reading to the end, not behind it: then what was read is all.
        """
        return is_locked(self.lock_path)

    @property
    def description_path(self) -> Path:
        """The file that describes it."""
        return self.folder / _DESCRIPTION

    @property
    def lock_path(self) -> Path:
        """The file that the writer has locked."""
        return self.folder / "stream.lock"

    @property
    def delivered_file(self) -> DeliveredFile:
        """How far the shipper has come."""
        return DeliveredFile(self.folder / "delivered")

    @property
    def stop_path(self) -> Path:
        """The file that says that the run was asked to stop; the shipper makes it."""
        return self.folder / "stop"

    @property
    def stop_requested(self) -> bool:
        """Whether its writer should stop; False also where the disk can't tell."""
        return os.path.exists(self.stop_path)  # noqa: PTH110  # Path.exists raises where a disk fails

    @property
    def files_folder(self) -> Path:
        """Where the files lie that UPLOAD records name."""
        return self.folder / "files"

    def is_stored(self, file_name: str) -> bool:
        """Whether the server has the file that an UPLOAD record names."""
        return (self.files_folder / f"{file_name}{STORED_SUFFIX}").exists()

    @property
    def rejected_folder(self) -> Path:
        """Where the shipper puts what the server has refused; made by it."""
        return self.folder / "rejected"

    def segments(self) -> list[Path]:
        """Its segments in order. All but the last are complete, and the last too once the writer is dead."""
        return sorted(self.folder.glob("*.seg"))

    def segment_path(self, number: int) -> Path:
        """Where the segment of this number lies; the first is 1."""
        return self.folder / f"{number:08}.seg"


def shipper_lock(spool: Path) -> Path:
    """The file that a spool's shipper has locked."""
    return spool / "shipper.lock"


def away_folder(spool: Path) -> Path:
    """Where the shipper says which servers can't be reached."""
    return spool / "away"


def absence_path(spool: Path, address: str) -> Path:
    """The file that says why a server can't be reached."""
    return away_folder(spool) / address.replace("/", "-")


def absence_of(spool: Path, address: str) -> str | None:
    """Why the shipper can't reach a server; None where it can, or hasn't tried."""
    try:
        return absence_path(spool, address).read_text(encoding="utf-8")
    except OSError:
        return None


def stream_folder(spool: Path, writer_id: str) -> Path:
    """Where the stream of a writer lies."""
    return spool.absolute() / "streams" / writer_id


def open_streams(spool: Path) -> list[StreamPlace]:
    """The streams of a spool, the oldest first; those that `unreadable_streams` names are left out."""
    places = [place for place in _descriptions(spool).values() if isinstance(place, StreamPlace)]
    return sorted(places, key=lambda place: (place.created_ms, place.writer_id))


def unreadable_streams(spool: Path) -> dict[Path, TrackwireError]:
    """The folders of streams whose description can't be read, and why."""
    return {folder: place for folder, place in _descriptions(spool).items() if isinstance(place, TrackwireError)}


def _descriptions(spool: Path) -> dict[Path, StreamPlace | TrackwireError]:
    found: dict[Path, StreamPlace | TrackwireError] = {}
    for folder in _folders(stream_folder(spool, "*").parent):
        path = folder / _DESCRIPTION
        try:
            found[folder] = _read_description(path)
        except (FileNotFoundError, NotADirectoryError):
            # Not there yet, or delivered and deleted just now.
            continue
        except OSError as error:
            found[folder] = DataLossError(f"{path}: can't be read: {error}", reason="SPOOL_UNREADABLE")
        except TrackwireError as error:
            found[folder] = error
    return found


def _folders(parent: Path) -> list[Path]:
    """Not by glob: that looks at each of them, and ends at the first that the disk does not show."""
    try:
        return sorted(parent.iterdir())
    except FileNotFoundError:
        return []


def write_description(place: StreamPlace) -> None:
    """Lets others see the stream: all else must be there by then."""
    described = {"format": _FORMAT} | {name: getattr(place, name) for name in _DESCRIBED}
    unfinished = place.folder / f"{_DESCRIPTION}.new"
    unfinished.write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    unfinished.rename(place.description_path)


def _read_description(path: Path) -> StreamPlace:
    try:
        described = json.loads(path.read_bytes())
        if described["format"] == _FORMAT:
            for name, kind in _DESCRIBED.items():
                if not isinstance(described[name], kind):
                    raise TypeError(f"{name}: {described[name]!r}: must be of the type {kind.__name__}")
            if described["writer_id"] != path.parent.name:
                raise ValueError(f"writer_id: {described['writer_id']!r}: must be its folder's name")
            return StreamPlace(path.parent, **{name: described[name] for name in _DESCRIBED})
        written_format = described["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataLossError(f"{path}: doesn't describe a stream: {error!r}", reason="SPOOL_DAMAGED") from error
    raise FailedPreconditionError(
        f"{path}: is of format {written_format!r}, this program reads format {_FORMAT}", reason="SPOOL_VERSION_UNKNOWN"
    )


def take_lock(path: Path) -> int:
    """Locks a file, which it makes, until the descriptor is closed. Raises BlockingIOError if another has it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(fd)
        raise
    return fd


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock; it is not taken for longer than the look."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        # Shared: two that look at the same time don't take each other for the writer.
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False

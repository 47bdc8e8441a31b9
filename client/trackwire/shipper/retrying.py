"""Gives what a server has refused another way to it, once the cause is put right: as a stream of its own.

rejected/*.seg of an old stream ──▶ <new>/00000001.seg, files/, `retries` ──▶ <new>/stream.json ──▶ the old ones go

The server has stored none of these records, so that under a new writer's stamps each is stored once. Whoever holds the
spool's lock sees one of three states, and none of them loses or doubles a record:

    no stream.json yet           nothing has happened: the half-made folder goes
    stream.json and `retries`    it has happened: the old records go, before any of the new stream is sent
    no `retries`                 it is a stream like any other
"""

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from trackwire.errors import DataLossError
from trackwire.internal.v1.spool_pb2 import SpooledUpload
from trackwire.shipper.discarding import may_discard, remove
from trackwire.shipper.rejected import RejectedFolder, read_rejections
from trackwire.spool.delivered import Delivered
from trackwire.spool.kinds import RecordKind
from trackwire.spool.places import StreamPlace, open_streams, stream_folder, write_description
from trackwire.spool.segments import Record, SegmentWriter, read_segment
from trackwire.spool.syncing import sync_path

# It holds the name of the old stream.
_RETRIES = "retries"


def retry_rejected(spool: Path, place: StreamPlace) -> int:
    """Makes a stream of what was refused of one, in its order; how many records. For the holder of the lock.

    It goes to the server that has refused it. What was said later and stored meanwhile stays said before it: a tag that
    was refused replaces a newer one. Raises OSError where the disk doesn't take it; all is as before then.
    """
    addresses = [rejection.address for rejection in read_rejections(place)]
    if not addresses or not may_discard(place):
        return 0
    writer_id = uuid.uuid4().hex
    new = replace(
        place,
        folder=stream_folder(spool, writer_id),
        writer_id=writer_id,
        tracking_uri=place.tracking_uri or addresses[0],
        pid=os.getpid(),
        host=os.uname().nodename,
        created_ms=time.time_ns() // 1_000_000,
    )
    new.folder.mkdir(parents=True)
    try:
        (new.folder / _RETRIES).write_text(place.writer_id)
        _fill(new, place)
        for path in (new.folder / _RETRIES, new.files_folder, new.folder):
            sync_path(path)
        write_description(new)
    finally:
        finish_retries(spool)
    return len(addresses)


def finish_retries(spool: Path) -> None:
    """Does what `retry_rejected` does last or a crash has left; before anything is sent. For the holder of the lock."""
    there = {place.writer_id: place for place in open_streams(spool)}
    for path in stream_folder(spool, "*").parent.glob(f"*/{_RETRIES}"):
        description = path.with_name("stream.json")
        if not description.exists():
            shutil.rmtree(path.parent)
            continue
        for made in (description, path.parent, path.parent.parent):
            sync_path(made)
        old = there.get(path.read_text())
        if old is not None:
            _remove_refused(old)
        path.unlink()


def _fill(new: StreamPlace, old: StreamPlace) -> None:
    new.files_folder.mkdir()
    segment = SegmentWriter(new.segment_path(1), new.writer_id)
    try:
        sequence = 0
        for sequence, record in enumerate(_refused_records(old), 1):
            if record.kind is RecordKind.UPLOAD:
                _keep_file(SpooledUpload.FromString(record.payload).file_name, new, old)
            segment.append(record.kind, sequence, record.payload)
        segment.append(RecordKind.END, sequence + 1, b"")
        segment.sync()
    finally:
        segment.close()
    new.delivered_file.write(Delivered())


def _refused_records(place: StreamPlace) -> Iterator[Record]:
    for rejection in read_rejections(place):
        path = place.rejected_folder / f"{rejection.sequence:08}.seg"
        record = next(read_segment(path, is_complete=True), None)
        if not isinstance(record, Record):
            raise DataLossError(f"{path}: can't be read: {record or 'it holds no record'}", reason="SPOOL_DAMAGED")
        yield record


def _keep_file(name: str, new: StreamPlace, old: StreamPlace) -> None:
    """One that is gone is refused again."""
    source, target = old.files_folder / name, new.files_folder / name
    if target.exists() or not source.exists():
        return
    try:
        target.hardlink_to(source)
    except OSError:
        # Not every disk can.
        shutil.copyfile(source, target)
        sync_path(target)


def _remove_refused(place: StreamPlace) -> None:
    """Damage that is still to be told keeps the rest of the stream."""
    for path in sorted(place.rejected_folder.glob("[0-9]*.json")):
        path.unlink()
    for path in place.rejected_folder.glob("[0-9]*.seg"):
        path.unlink()
    sync_path(place.rejected_folder)
    if RejectedFolder(place).is_empty():
        remove(place)
        sync_path(place.folder.parent)

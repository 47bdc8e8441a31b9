"""What was refused becomes a stream of its own, whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

from tests.client.shipper.shipping import NO_ADDRESS, begin, log_points, spool_file
from tests.client.spooled import records_of
from tests.conftest import ROOT

from trackwire.errors import NotFoundError
from trackwire.shipper.rejected import RejectedFolder, read_rejections
from trackwire.shipper.retrying import finish_retries, retry_rejected
from trackwire.spool.kinds import RecordKind
from trackwire.spool.places import StreamPlace, open_streams
from trackwire.spool.records import points_of

# Killed before each thing that it does in the spool, in a copy of it for each; what is there is printed after that.
_KILLED_ANYWHERE = """
import os, shutil, signal, sys
from itertools import count
from pathlib import Path
from trackwire.shipper.retrying import retry_rejected
from trackwire.spool.places import open_streams

def kill(event, arguments):
    if kill.left and event.startswith(("os.", "open", "shutil.")) and "streams" in str(arguments[0]):
        kill.left -= 1
        if not kill.left:
            os.kill(os.getpid(), signal.SIGKILL)

for number in count(1):
    spool = Path(sys.argv[1]).with_name(f"killed-{number}")
    shutil.copytree(sys.argv[1], spool)
    pid = os.fork()
    if not pid:
        kill.left = number
        sys.addaudithook(kill)
        retry_rejected(spool, open_streams(spool)[0])
        os._exit(0)
    if os.waitpid(pid, 0)[1] == 0:
        break
"""


def refused_stream(spool: Path) -> StreamPlace:
    """A stream of which nothing is left but five records that a server has refused."""
    stream = begin(spool, "retried", NO_ADDRESS)
    spool_file(stream, "1-notes", b"notes", "notes.txt")
    for value in range(3):
        log_points(stream, [value])
    stream.close()
    for record in records_of(stream.place)[:-1]:
        points = points_of(record.kind, record.payload)
        RejectedFolder(stream.place).keep(record, points, NotFoundError("it is gone", reason="GONE"), NO_ADDRESS)
    stream.place.segments()[0].unlink()
    return stream.place


def test_refused_records_become_a_stream_in_their_order(spool: Path) -> None:
    old = refused_stream(spool)
    assert retry_rejected(spool, old) == 5
    (new,) = open_streams(spool)
    assert (new.run_id, new.tracking_uri, new.writer_lives) == ("retried", NO_ADDRESS, False)
    kind = RecordKind
    assert [record.kind for record in records_of(new)] == [kind.CREATE_RUN, kind.UPLOAD, *[kind.INGEST] * 3, kind.END]
    assert (new.files_folder / "1-notes").read_bytes() == b"notes"
    assert os.listdir(spool / "streams") == [new.writer_id]
    assert sorted(os.listdir(new.folder)) == ["00000001.seg", "delivered", "files", "stream.json"]


def test_damage_beside_refused_records_is_kept(spool: Path) -> None:
    old = refused_stream(spool)
    (old.rejected_folder / "damage-00000001-9.json").write_text("{}")
    assert retry_rejected(spool, old) == 5
    assert open_streams(spool)[0] == old
    assert os.listdir(old.rejected_folder) == ["damage-00000001-9.json"]
    assert retry_rejected(spool, old) == 0


def test_retry_that_is_killed_anywhere_neither_loses_nor_doubles_a_record(spool: Path) -> None:
    refused_stream(spool)
    path = os.pathsep.join(str(ROOT / folder) for folder in ("client", "server"))
    command = [sys.executable, "-c", _KILLED_ANYWHERE, str(spool)]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, check=True, timeout=100)
    copies = list(spool.parent.glob("killed-*"))
    assert len(copies) > 20
    ways = set()
    for copy in copies:
        finish_retries(copy)
        (place,) = open_streams(copy)
        kept, renewed = len(list(read_rejections(place))), sum(len(records_of(place)) for _ in place.segments())
        assert (kept, renewed) in ((5, 0), (0, 6)), copy
        assert {path.name for path in place.files_folder.iterdir()} == {"1-notes"}
        ways.add(bool(kept))
        # What a shipper deletes at its start, and a folder in which nothing was yet, are in nobody's way.
        left = [path for path in (copy / "streams").iterdir() if path.suffix != ".gone" and any(path.iterdir())]
        assert left == [place.folder]
    assert ways == {True, False}

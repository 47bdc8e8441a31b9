"""What a run has said, as its streams in a spool hold it."""

from pathlib import Path

from trackwire.internal.v1.spool_pb2 import SpooledUpload
from trackwire.spool.kinds import RecordKind
from trackwire.spool.segments import Record, read_segment
from trackwire.spool.stream import StreamPlace, open_streams
from trackwire.v1.metrics_pb2 import IngestMetricsRequest
from trackwire.v1.runs_pb2 import SetRunTagsRequest, UpdateRunRequest

KIND = RecordKind


def records_of(place: StreamPlace) -> list[Record]:
    found = [record for path in place.segments() for record in read_segment(path, is_complete=True)]
    assert all(isinstance(record, Record) for record in found), found
    return found  # type: ignore[return-value]


def run_records(spool: Path, run_id: str) -> list[Record]:
    """All records of a run, stream by stream in the order in which they were made."""
    places = sorted(open_streams(spool), key=lambda place: place.created_ms)
    return [record for place in places if place.run_id == run_id for record in records_of(place)]


def points_of(records: list[Record]) -> list[tuple[str, int, float]]:
    points = []
    for record in records:
        if record.kind is KIND.INGEST:
            request = IngestMetricsRequest.FromString(record.payload)
            keys = [key for key, count in zip(request.keys, request.counts, strict=True) for _ in range(count)]
            points += list(zip(keys, request.steps, request.values, strict=True))
    return points


def statuses(records: list[Record]) -> list[int]:
    return [UpdateRunRequest.FromString(record.payload).status for record in records if record.kind is KIND.UPDATE_RUN]


def tags_of(records: list[Record]) -> dict[str, str]:
    requests = [SetRunTagsRequest.FromString(record.payload) for record in records if record.kind is KIND.SET_TAGS]
    return {key: value for request in requests for key, value in request.tags.items()}


def files_of(spool: Path, run_id: str) -> dict[str, bytes]:
    """What will be uploaded of a run, by its path; later ones of a stream replace earlier ones."""
    found = {}
    for place in open_streams(spool):
        for record in records_of(place) if place.run_id == run_id else ():
            if record.kind is KIND.UPLOAD:
                upload = SpooledUpload.FromString(record.payload)
                found[upload.artifact_path] = (place.files_folder / upload.file_name).read_bytes()
                assert len(found[upload.artifact_path]) == upload.size_bytes
    return found

"""What uploads have left in a bucket: notes, and multipart uploads of which there is no note.

The multipart uploads are listed first. One that was begun long before has its note by then, if it will ever have one.
"""

from collections.abc import Sequence

from trackwire_server.core.artifact_paths import is_partial_id
from trackwire_server.core.byte_stores import LeftUpload
from trackwire_server.stores.s3.bucket import Bucket, ObjectFacts
from trackwire_server.stores.s3.notes import noted_uploads

# Part of the path of each artifact: whatever else lies in the bucket is not ours.
_ARTIFACTS = "/artifacts/"


async def remains_of(bucket: Bucket, folder: str, partials: str, *, before_ms: int, limit: int) -> Sequence[LeftUpload]:
    """What nobody has written to since a time, below two prefixes that end in "/", the first of which may be empty."""
    begun = [each async for each in bucket.begun_multiparts(folder)]
    notes = [facts async for page in bucket.all_below(partials) for facts in page]
    left = _stale_notes(bucket, notes, partials, before_ms)
    old = [each for each in begun if each.begin_time_ms < before_ms and _ARTIFACTS in each.key[len(folder) :]]
    if old:
        noted = {note.upload_id for note in await noted_uploads(bucket, notes)}
        left += [
            LeftUpload(f"s3://{bucket.name}/{each.key}", 0, key=each.key, upload_id=each.upload_id)
            for each in old
            if each.upload_id not in noted
        ]
    return left[:limit]


def _stale_notes(bucket: Bucket, notes: Sequence[ObjectFacts], partials: str, before_ms: int) -> list[LeftUpload]:
    by_partial: dict[str, list[ObjectFacts]] = {}
    for facts in notes:
        by_partial.setdefault(facts.key[len(partials) :].partition("/")[0], []).append(facts)
    return [
        LeftUpload(f"s3://{bucket.name}/{partials}{partial_id}", sum(each.size_bytes for each in objects), partial_id)
        for partial_id, objects in by_partial.items()
        if is_partial_id(partial_id) and max(each.modification_time_ms for each in objects) < before_ms
    ]

"""What uploads have left in a bucket: notes, and multipart uploads of which there is no note.

The multipart uploads are listed first. One that was begun long before has its note by then, if it will ever have one.
One place may lie in another: an upload is noted in the folder that its own place begins at, any of those above its key.
"""

import re
from collections.abc import AsyncIterator, Sequence

from trackwire_server.core.artifact_paths import is_partial_id
from trackwire_server.core.byte_stores import LeftUpload
from trackwire_server.core.errors import StoreRefuses
from trackwire_server.stores.s3.bucket import BegunUpload, Bucket, ObjectFacts
from trackwire_server.stores.s3.notes import PARTIALS, noted_uploads

# Where this server puts artifacts: whatever else lies in the bucket is not ours.
IN_OWN_STORE = re.compile(r".+/artifacts/.+", re.DOTALL)
IN_LOCATION = re.compile(r"(models/)?[^/]+/artifacts/.+", re.DOTALL)


async def remains_of(
    bucket: Bucket, folder: str, artifacts: re.Pattern[str], *, before_ms: int, limit: int
) -> Sequence[LeftUpload]:
    """What nobody has written to since a time, below a prefix that is empty or ends in "/"."""
    begun = [each async for each in bucket.begun_multiparts(folder)]
    partials = f"{folder}{PARTIALS}/"
    notes = await _notes_in(bucket, partials)
    left = _stale_notes(bucket, notes, partials, before_ms)[:limit]
    old = [each for each in begun if each.begin_time_ms < before_ms and artifacts.fullmatch(each.key[len(folder) :])]
    async for each in _without_note(bucket, old, {folder: await _ids_in(bucket, notes)} if old else {}):
        if len(left) == limit:
            break
        left.append(LeftUpload(f"s3://{bucket.name}/{each.key}", 0, key=each.key, upload_id=each.upload_id))
    return left


async def _without_note(
    bucket: Bucket, begun: Sequence[BegunUpload], noted: dict[str, set[str]]
) -> AsyncIterator[BegunUpload]:
    """Those that no folder above their keys has a note of; `noted` is what is known of some."""
    for each in begun:
        for folder in _folders_above(each.key):
            if folder not in noted:
                noted[folder] = await _noted_in(bucket, folder)
            if each.upload_id in noted[folder]:
                break
        else:
            yield each


async def _noted_in(bucket: Bucket, folder: str) -> set[str]:
    try:
        return await _ids_in(bucket, await _notes_in(bucket, f"{folder}{PARTIALS}/"))
    except StoreRefuses:
        # Where the server has no rights, it has noted nothing.
        return set()


async def _notes_in(bucket: Bucket, partials: str) -> list[ObjectFacts]:
    return [facts async for page in bucket.all_below(partials) for facts in page]


async def _ids_in(bucket: Bucket, notes: Sequence[ObjectFacts]) -> set[str]:
    return {note.upload_id for note in await noted_uploads(bucket, notes)}


def _folders_above(key: str) -> list[str]:
    """As prefixes, from the whole bucket down to the folder that the artifacts' own lies in."""
    ends = [at + 1 for at, character in enumerate(key[: key.rindex("/artifacts/")]) if character == "/"]
    return ["", *(key[:end] for end in ends)]


def _stale_notes(bucket: Bucket, notes: Sequence[ObjectFacts], partials: str, before_ms: int) -> list[LeftUpload]:
    by_partial: dict[str, list[ObjectFacts]] = {}
    for facts in notes:
        by_partial.setdefault(facts.key[len(partials) :].partition("/")[0], []).append(facts)
    return [
        LeftUpload(f"s3://{bucket.name}/{partials}{partial_id}", sum(each.size_bytes for each in objects), partial_id)
        for partial_id, objects in by_partial.items()
        if is_partial_id(partial_id) and max(each.modification_time_ms for each in objects) < before_ms
    ]

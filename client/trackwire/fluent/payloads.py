"""What a run says, as payloads of records. Loads protobuf; only the thread that writes records imports it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from trackwire.columns import MetricColumns
from trackwire.fluent.inputs import PARTS_CHARACTERS_MAX, TAG_PREFIX
from trackwire.fluent.opening import Opening
from trackwire.gathering import MetricContext
from trackwire.internal.v1.spool_pb2 import SpooledUpload
from trackwire.spool.kinds import RecordKind
from trackwire.v1.metrics_pb2 import SeriesContext
from trackwire.v1.run_inputs_pb2 import Dataset
from trackwire.v1.runs_pb2 import (
    CreateRunRequest,
    DeleteRunTagRequest,
    LogParamsRequest,
    LogRunInputsRequest,
    SetRunTagsRequest,
    UpdateRunRequest,
)

Payload: TypeAlias = tuple[RecordKind, bytes]
# One thing that a run said: what it is, and its words.
Saying: TypeAlias = tuple[RecordKind, Mapping[str, str]]

# What the server takes in one request, and of its bytes a part that leaves room for others.
_ENTRIES_MAX = 1_000
_CHARACTERS_MAX = 4 * 1024 * 1024


def creation_of(opening: Opening) -> list[bytes]:
    """The request that makes the run, or joins it, and those that bring the tags that don't fit into it."""
    first, *more = list(_parts(opening.tags.items())) or [{}]
    rest = [SetRunTagsRequest(run_id=opening.run_id, tags=tags).SerializeToString() for tags in more]
    return [_create_run(opening, first), *rest]


def _create_run(opening: Opening, tags: Mapping[str, str]) -> bytes:
    request = CreateRunRequest(
        run_id=opening.run_id,
        if_exists="IF_EXISTS_JOIN",
        run_name=opening.run_name,
        user_id=opening.user_id,
        parent_run_id=opening.parent_run_id,
        start_time_ms=opening.start_time_ms,
        tags=tags,
    )
    if opening.experiment.name:
        request.experiment_name = opening.experiment.name
        request.create_experiment = True
    elif opening.experiment.experiment_id:
        request.experiment_id = opening.experiment.experiment_id
    return request.SerializeToString()


def in_context(columns: MetricColumns, rank: int | None, context: MetricContext) -> MetricColumns:
    """The same points as those of this rank and context."""
    if rank is None and context == MetricContext():
        return columns
    return replace(columns, contexts=(SeriesContext(rank=rank, **context._asdict()),))


def payloads_of(run_id: str, sayings: Sequence[Saying]) -> Iterator[Payload]:
    """What was said, in its order; what follows one another and is of one kind goes together."""
    at = 0
    while at < len(sayings):
        kind = sayings[at][0]
        end = at
        while end < len(sayings) and sayings[end][0] is kind:
            end += 1
        yield from _of_kind(run_id, kind, [words for _, words in sayings[at:end]])
        at = end


def _of_kind(run_id: str, kind: RecordKind, sayings: Sequence[Mapping[str, str]]) -> Iterator[Payload]:
    match kind:
        case RecordKind.LOG_PARAMS:
            for words in sayings:
                # Never joined: a param that is refused must not take those of another call with it.
                for part in _parts(words.items()):
                    yield kind, LogParamsRequest(run_id=run_id, params=part).SerializeToString()
        case RecordKind.SET_TAGS:
            joined = {key: value for words in sayings for key, value in words.items()}
            for part in _parts(joined.items()):
                yield kind, SetRunTagsRequest(run_id=run_id, tags=part).SerializeToString()
        case RecordKind.DELETE_TAG:
            for words in sayings:
                yield kind, DeleteRunTagRequest(run_id=run_id, key=words["key"]).SerializeToString()
        case RecordKind.LOG_INPUTS:
            for words in sayings:
                yield kind, _log_inputs(run_id, words).SerializeToString()
        case RecordKind.UPDATE_RUN:
            for words in sayings:
                request = UpdateRunRequest(run_id=run_id, status=f"RUN_STATUS_{words['status']}")
                if "end_time_ms" in words:
                    request.end_time_ms = int(words["end_time_ms"])
                yield kind, request.SerializeToString()
        case RecordKind.UPLOAD:
            for words in sayings:
                yield kind, _upload(run_id, words).SerializeToString()
        case _:
            raise ValueError(f"kind: {kind!r}: nothing that is said")


def _log_inputs(run_id: str, words: Mapping[str, str]) -> LogRunInputsRequest:
    request = LogRunInputsRequest(run_id=run_id)
    if "model_id" in words:
        request.models.add(model_id=words["model_id"])
        return request
    parts = {part: words[part] for part in PARTS_CHARACTERS_MAX}
    tags = {key.removeprefix(TAG_PREFIX): value for key, value in words.items() if key.startswith(TAG_PREFIX)}
    request.datasets.add(dataset=Dataset(**parts), tags=tags)
    return request


def _upload(run_id: str, words: Mapping[str, str]) -> SpooledUpload:
    return SpooledUpload(
        run_id=run_id,
        file_name=words["file_name"],
        artifact_path=words["artifact_path"],
        size_bytes=int(words["size_bytes"]),
        sha256=bytes.fromhex(words["sha256"]),
    )


def _parts(entries: Iterable[tuple[str, str]]) -> Iterator[dict[str, str]]:
    part: dict[str, str] = {}
    characters = 0
    for key, value in entries:
        characters += len(key) + len(value)
        if part and (len(part) >= _ENTRIES_MAX or characters > _CHARACTERS_MAX):
            yield part
            part, characters = {}, len(key) + len(value)
        part[key] = value
    if part:
        yield part

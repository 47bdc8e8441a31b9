"""The messages of administration and core's values, each way."""

from trackwire.v1 import admin_pb2 as pb
from trackwire_server.core.admin import GarbageRequest, ServerInfo
from trackwire_server.core.garbage import Garbage


def info_to_proto(info: ServerInfo) -> pb.GetServerInfoResponse:
    """What a server is, and how much it has before it."""
    return pb.GetServerInfoResponse(
        version=info.facts.version,
        store=info.facts.store,
        schema_version=info.facts.schema_version,
        start_time_ms=info.facts.start_time_ms,
        journal_rows=info.backlog.rows,
        journal_points=info.backlog.points,
        queued_points=info.queued_points,
        artifacts_uri=info.facts.artifacts_uri,
    )


def garbage_request_from_proto(request: pb.CollectGarbageRequest) -> GarbageRequest:
    """What to collect."""
    return GarbageRequest(
        older_than_ms=request.older_than_ms,
        run_ids=tuple(request.run_ids),
        experiment_ids=tuple(request.experiment_ids),
        dry_run=request.dry_run,
    )


def garbage_to_proto(garbage: Garbage) -> pb.CollectGarbageResponse:
    """What was collected."""
    return pb.CollectGarbageResponse(
        run_ids=garbage.run_ids,
        experiment_ids=garbage.experiment_ids,
        model_ids=garbage.model_ids,
        uploads=garbage.uploads,
        artifact_bytes=garbage.artifact_bytes,
        artifact_uris_left=garbage.artifact_uris_left,
    )

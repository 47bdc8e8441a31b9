"""The messages of administration and core's values, each way."""

from trackwire.v1 import admin_pb2 as pb
from trackwire_server.core.admin import Garbage, GarbageRequest, IngestLoad, ServerFacts


def info_to_proto(facts: ServerFacts, load: IngestLoad) -> pb.GetServerInfoResponse:
    """What a server is, and how much it has before it."""
    return pb.GetServerInfoResponse(
        version=facts.version,
        store=facts.store,
        schema_version=facts.schema_version,
        start_time_ms=facts.start_time_ms,
        journal_rows=load.journal_rows,
        journal_points=load.journal_points,
        queued_points=load.queued_points,
        artifacts_uri=facts.artifacts_uri,
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
        uploads=garbage.uploads,
        artifact_bytes=garbage.artifact_bytes,
    )

"""The messages of administration and core's values, each way."""

from trackwire.v1 import admin_pb2 as pb
from trackwire_server.core.admin import GarbageRequest, GrpcEndpoint, ServerInfo
from trackwire_server.core.garbage import Garbage
from trackwire_server.core.limits import LIMITS


def info_to_proto(info: ServerInfo) -> pb.GetServerInfoResponse:
    """What a server is, and how much it has before it."""
    since_ms = info.backlog.since_ms
    return pb.GetServerInfoResponse(
        version=info.facts.version,
        store=info.facts.store,
        schema_version=info.facts.schema_version,
        start_time_ms=info.facts.start_time_ms,
        journal_rows=info.backlog.rows,
        journal_points=info.backlog.points,
        queued_points=info.data_plane.queue.points,
        artifacts_uri=info.facts.artifacts_uri,
        time_ms=info.now_ms,
        journal_wait_ms=0 if since_ms is None else max(0, info.now_ms - since_ms),
        load=_load_to_proto(info),
        grpc=None if info.grpc is None else _grpc_to_proto(info.grpc),
    )


def _grpc_to_proto(grpc: GrpcEndpoint) -> pb.GrpcEndpoint:
    return pb.GrpcEndpoint(port=grpc.port, tls=grpc.tls, uri=grpc.uri)


def _load_to_proto(info: ServerInfo) -> pb.ServerLoad:
    queue, commits = info.data_plane.queue, info.data_plane.commits
    return pb.ServerLoad(
        queued_requests=queue.requests,
        queued_bytes=queue.bytes,
        queued_requests_max=LIMITS.queue_requests,
        queued_points_max=LIMITS.queue_points,
        queued_bytes_max=LIMITS.queue_bytes,
        refused_requests=commits.refused_requests,
        commit_p99_seconds=commits.recent_p99_seconds(),
        compaction_failures=info.data_plane.compaction.failures_in_a_row,
        pools=[
            pb.StorePool(name=pool.name, size=pool.size, in_use=pool.in_use, waiting=pool.waiting)
            for pool in info.pools
        ],
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
        orphaned_uploads=garbage.orphaned_uploads,
    )

from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("version", "store", "schema_version", "start_time_ms", "journal_rows", "journal_points", "queued_points", "artifacts_uri", "time_ms", "journal_wait_ms", "load", "grpc")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    START_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_ROWS_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_POINTS_FIELD_NUMBER: _ClassVar[int]
    QUEUED_POINTS_FIELD_NUMBER: _ClassVar[int]
    ARTIFACTS_URI_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_WAIT_MS_FIELD_NUMBER: _ClassVar[int]
    LOAD_FIELD_NUMBER: _ClassVar[int]
    GRPC_FIELD_NUMBER: _ClassVar[int]
    version: str
    store: str
    schema_version: int
    start_time_ms: int
    journal_rows: int
    journal_points: int
    queued_points: int
    artifacts_uri: str
    time_ms: int
    journal_wait_ms: int
    load: ServerLoad
    grpc: GrpcEndpoint
    def __init__(self, version: _Optional[str] = ..., store: _Optional[str] = ..., schema_version: _Optional[int] = ..., start_time_ms: _Optional[int] = ..., journal_rows: _Optional[int] = ..., journal_points: _Optional[int] = ..., queued_points: _Optional[int] = ..., artifacts_uri: _Optional[str] = ..., time_ms: _Optional[int] = ..., journal_wait_ms: _Optional[int] = ..., load: _Optional[_Union[ServerLoad, _Mapping]] = ..., grpc: _Optional[_Union[GrpcEndpoint, _Mapping]] = ...) -> None: ...

class GrpcEndpoint(_message.Message):
    __slots__ = ("port", "tls", "uri")
    PORT_FIELD_NUMBER: _ClassVar[int]
    TLS_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    port: int
    tls: bool
    uri: str
    def __init__(self, port: _Optional[int] = ..., tls: bool = ..., uri: _Optional[str] = ...) -> None: ...

class ServerLoad(_message.Message):
    __slots__ = ("queued_requests", "queued_bytes", "queued_requests_max", "queued_points_max", "queued_bytes_max", "refused_requests", "commit_p99_seconds", "compaction_failures", "pools")
    QUEUED_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    QUEUED_BYTES_FIELD_NUMBER: _ClassVar[int]
    QUEUED_REQUESTS_MAX_FIELD_NUMBER: _ClassVar[int]
    QUEUED_POINTS_MAX_FIELD_NUMBER: _ClassVar[int]
    QUEUED_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    REFUSED_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    COMMIT_P99_SECONDS_FIELD_NUMBER: _ClassVar[int]
    COMPACTION_FAILURES_FIELD_NUMBER: _ClassVar[int]
    POOLS_FIELD_NUMBER: _ClassVar[int]
    queued_requests: int
    queued_bytes: int
    queued_requests_max: int
    queued_points_max: int
    queued_bytes_max: int
    refused_requests: int
    commit_p99_seconds: float
    compaction_failures: int
    pools: _containers.RepeatedCompositeFieldContainer[StorePool]
    def __init__(self, queued_requests: _Optional[int] = ..., queued_bytes: _Optional[int] = ..., queued_requests_max: _Optional[int] = ..., queued_points_max: _Optional[int] = ..., queued_bytes_max: _Optional[int] = ..., refused_requests: _Optional[int] = ..., commit_p99_seconds: _Optional[float] = ..., compaction_failures: _Optional[int] = ..., pools: _Optional[_Iterable[_Union[StorePool, _Mapping]]] = ...) -> None: ...

class StorePool(_message.Message):
    __slots__ = ("name", "size", "in_use", "waiting")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    IN_USE_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    name: str
    size: int
    in_use: int
    waiting: int
    def __init__(self, name: _Optional[str] = ..., size: _Optional[int] = ..., in_use: _Optional[int] = ..., waiting: _Optional[int] = ...) -> None: ...

class CollectGarbageRequest(_message.Message):
    __slots__ = ("older_than_ms", "run_ids", "experiment_ids", "dry_run")
    OLDER_THAN_MS_FIELD_NUMBER: _ClassVar[int]
    RUN_IDS_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    older_than_ms: int
    run_ids: _containers.RepeatedScalarFieldContainer[str]
    experiment_ids: _containers.RepeatedScalarFieldContainer[str]
    dry_run: bool
    def __init__(self, older_than_ms: _Optional[int] = ..., run_ids: _Optional[_Iterable[str]] = ..., experiment_ids: _Optional[_Iterable[str]] = ..., dry_run: bool = ...) -> None: ...

class CollectGarbageResponse(_message.Message):
    __slots__ = ("run_ids", "experiment_ids", "uploads", "artifact_bytes", "artifact_uris_left", "model_ids", "orphaned_uploads")
    RUN_IDS_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    UPLOADS_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_BYTES_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_URIS_LEFT_FIELD_NUMBER: _ClassVar[int]
    MODEL_IDS_FIELD_NUMBER: _ClassVar[int]
    ORPHANED_UPLOADS_FIELD_NUMBER: _ClassVar[int]
    run_ids: _containers.RepeatedScalarFieldContainer[str]
    experiment_ids: _containers.RepeatedScalarFieldContainer[str]
    uploads: int
    artifact_bytes: int
    artifact_uris_left: _containers.RepeatedScalarFieldContainer[str]
    model_ids: _containers.RepeatedScalarFieldContainer[str]
    orphaned_uploads: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, run_ids: _Optional[_Iterable[str]] = ..., experiment_ids: _Optional[_Iterable[str]] = ..., uploads: _Optional[int] = ..., artifact_bytes: _Optional[int] = ..., artifact_uris_left: _Optional[_Iterable[str]] = ..., model_ids: _Optional[_Iterable[str]] = ..., orphaned_uploads: _Optional[_Iterable[str]] = ...) -> None: ...

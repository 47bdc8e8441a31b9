from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("version", "store", "schema_version", "start_time_ms", "journal_rows", "journal_points", "queued_points", "artifacts_uri")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    START_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_ROWS_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_POINTS_FIELD_NUMBER: _ClassVar[int]
    QUEUED_POINTS_FIELD_NUMBER: _ClassVar[int]
    ARTIFACTS_URI_FIELD_NUMBER: _ClassVar[int]
    version: str
    store: str
    schema_version: int
    start_time_ms: int
    journal_rows: int
    journal_points: int
    queued_points: int
    artifacts_uri: str
    def __init__(self, version: _Optional[str] = ..., store: _Optional[str] = ..., schema_version: _Optional[int] = ..., start_time_ms: _Optional[int] = ..., journal_rows: _Optional[int] = ..., journal_points: _Optional[int] = ..., queued_points: _Optional[int] = ..., artifacts_uri: _Optional[str] = ...) -> None: ...

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
    __slots__ = ("run_ids", "experiment_ids", "uploads", "artifact_bytes", "artifact_uris_left", "model_ids")
    RUN_IDS_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    UPLOADS_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_BYTES_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_URIS_LEFT_FIELD_NUMBER: _ClassVar[int]
    MODEL_IDS_FIELD_NUMBER: _ClassVar[int]
    run_ids: _containers.RepeatedScalarFieldContainer[str]
    experiment_ids: _containers.RepeatedScalarFieldContainer[str]
    uploads: int
    artifact_bytes: int
    artifact_uris_left: _containers.RepeatedScalarFieldContainer[str]
    model_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, run_ids: _Optional[_Iterable[str]] = ..., experiment_ids: _Optional[_Iterable[str]] = ..., uploads: _Optional[int] = ..., artifact_bytes: _Optional[int] = ..., artifact_uris_left: _Optional[_Iterable[str]] = ..., model_ids: _Optional[_Iterable[str]] = ...) -> None: ...

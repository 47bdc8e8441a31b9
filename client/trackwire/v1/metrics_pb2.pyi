from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WriterStamp(_message.Message):
    __slots__ = ("writer_id", "sequence", "previous_sequence")
    WRITER_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    writer_id: str
    sequence: int
    previous_sequence: int
    def __init__(self, writer_id: _Optional[str] = ..., sequence: _Optional[int] = ..., previous_sequence: _Optional[int] = ...) -> None: ...

class SeriesContext(_message.Message):
    __slots__ = ("rank", "model_id", "dataset_name", "dataset_digest")
    RANK_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    DATASET_NAME_FIELD_NUMBER: _ClassVar[int]
    DATASET_DIGEST_FIELD_NUMBER: _ClassVar[int]
    rank: int
    model_id: str
    dataset_name: str
    dataset_digest: str
    def __init__(self, rank: _Optional[int] = ..., model_id: _Optional[str] = ..., dataset_name: _Optional[str] = ..., dataset_digest: _Optional[str] = ...) -> None: ...

class SeriesHeader(_message.Message):
    __slots__ = ("run_id", "key", "context")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    key: str
    context: SeriesContext
    def __init__(self, run_id: _Optional[str] = ..., key: _Optional[str] = ..., context: _Optional[_Union[SeriesContext, _Mapping]] = ...) -> None: ...

class IngestMetricsRequest(_message.Message):
    __slots__ = ("run_id", "writer", "keys", "contexts", "context_indexes", "counts", "steps", "times_ms", "values")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    WRITER_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    CONTEXTS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_INDEXES_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    TIMES_MS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    writer: WriterStamp
    keys: _containers.RepeatedScalarFieldContainer[str]
    contexts: _containers.RepeatedCompositeFieldContainer[SeriesContext]
    context_indexes: _containers.RepeatedScalarFieldContainer[int]
    counts: _containers.RepeatedScalarFieldContainer[int]
    steps: _containers.RepeatedScalarFieldContainer[int]
    times_ms: _containers.RepeatedScalarFieldContainer[int]
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, run_id: _Optional[str] = ..., writer: _Optional[_Union[WriterStamp, _Mapping]] = ..., keys: _Optional[_Iterable[str]] = ..., contexts: _Optional[_Iterable[_Union[SeriesContext, _Mapping]]] = ..., context_indexes: _Optional[_Iterable[int]] = ..., counts: _Optional[_Iterable[int]] = ..., steps: _Optional[_Iterable[int]] = ..., times_ms: _Optional[_Iterable[int]] = ..., values: _Optional[_Iterable[float]] = ...) -> None: ...

class IngestMetricsResponse(_message.Message):
    __slots__ = ("acknowledged_sequence", "stored_points")
    ACKNOWLEDGED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STORED_POINTS_FIELD_NUMBER: _ClassVar[int]
    acknowledged_sequence: int
    stored_points: int
    def __init__(self, acknowledged_sequence: _Optional[int] = ..., stored_points: _Optional[int] = ...) -> None: ...

class MetricPoint(_message.Message):
    __slots__ = ("key", "value", "step", "time_ms", "context")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: float
    step: int
    time_ms: int
    context: SeriesContext
    def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ..., step: _Optional[int] = ..., time_ms: _Optional[int] = ..., context: _Optional[_Union[SeriesContext, _Mapping]] = ...) -> None: ...

class LogMetricsRequest(_message.Message):
    __slots__ = ("run_id", "writer", "points")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    WRITER_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    writer: WriterStamp
    points: _containers.RepeatedCompositeFieldContainer[MetricPoint]
    def __init__(self, run_id: _Optional[str] = ..., writer: _Optional[_Union[WriterStamp, _Mapping]] = ..., points: _Optional[_Iterable[_Union[MetricPoint, _Mapping]]] = ...) -> None: ...

class LogMetricsResponse(_message.Message):
    __slots__ = ("acknowledged_sequence", "stored_points")
    ACKNOWLEDGED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STORED_POINTS_FIELD_NUMBER: _ClassVar[int]
    acknowledged_sequence: int
    stored_points: int
    def __init__(self, acknowledged_sequence: _Optional[int] = ..., stored_points: _Optional[int] = ...) -> None: ...

class ReadMetricsRequest(_message.Message):
    __slots__ = ("run_ids", "keys", "min_step", "max_step", "min_time_ms", "max_time_ms", "max_points")
    RUN_IDS_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    MIN_STEP_FIELD_NUMBER: _ClassVar[int]
    MAX_STEP_FIELD_NUMBER: _ClassVar[int]
    MIN_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    MAX_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    MAX_POINTS_FIELD_NUMBER: _ClassVar[int]
    run_ids: _containers.RepeatedScalarFieldContainer[str]
    keys: _containers.RepeatedScalarFieldContainer[str]
    min_step: int
    max_step: int
    min_time_ms: int
    max_time_ms: int
    max_points: int
    def __init__(self, run_ids: _Optional[_Iterable[str]] = ..., keys: _Optional[_Iterable[str]] = ..., min_step: _Optional[int] = ..., max_step: _Optional[int] = ..., min_time_ms: _Optional[int] = ..., max_time_ms: _Optional[int] = ..., max_points: _Optional[int] = ...) -> None: ...

class ReadMetricsResponse(_message.Message):
    __slots__ = ("series", "counts", "steps", "times_ms", "values", "tail_token")
    SERIES_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    TIMES_MS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    TAIL_TOKEN_FIELD_NUMBER: _ClassVar[int]
    series: _containers.RepeatedCompositeFieldContainer[SeriesHeader]
    counts: _containers.RepeatedScalarFieldContainer[int]
    steps: _containers.RepeatedScalarFieldContainer[int]
    times_ms: _containers.RepeatedScalarFieldContainer[int]
    values: _containers.RepeatedScalarFieldContainer[float]
    tail_token: str
    def __init__(self, series: _Optional[_Iterable[_Union[SeriesHeader, _Mapping]]] = ..., counts: _Optional[_Iterable[int]] = ..., steps: _Optional[_Iterable[int]] = ..., times_ms: _Optional[_Iterable[int]] = ..., values: _Optional[_Iterable[float]] = ..., tail_token: _Optional[str] = ...) -> None: ...

class MetricSummary(_message.Message):
    __slots__ = ("run_id", "key", "context", "primary", "count", "nan_count", "last_value", "last_step", "last_time_ms", "first_value", "first_step", "first_time_ms", "min_value", "max_value")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    NAN_COUNT_FIELD_NUMBER: _ClassVar[int]
    LAST_VALUE_FIELD_NUMBER: _ClassVar[int]
    LAST_STEP_FIELD_NUMBER: _ClassVar[int]
    LAST_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    FIRST_VALUE_FIELD_NUMBER: _ClassVar[int]
    FIRST_STEP_FIELD_NUMBER: _ClassVar[int]
    FIRST_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    MIN_VALUE_FIELD_NUMBER: _ClassVar[int]
    MAX_VALUE_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    key: str
    context: SeriesContext
    primary: bool
    count: int
    nan_count: int
    last_value: float
    last_step: int
    last_time_ms: int
    first_value: float
    first_step: int
    first_time_ms: int
    min_value: float
    max_value: float
    def __init__(self, run_id: _Optional[str] = ..., key: _Optional[str] = ..., context: _Optional[_Union[SeriesContext, _Mapping]] = ..., primary: bool = ..., count: _Optional[int] = ..., nan_count: _Optional[int] = ..., last_value: _Optional[float] = ..., last_step: _Optional[int] = ..., last_time_ms: _Optional[int] = ..., first_value: _Optional[float] = ..., first_step: _Optional[int] = ..., first_time_ms: _Optional[int] = ..., min_value: _Optional[float] = ..., max_value: _Optional[float] = ...) -> None: ...

class GetMetricSummariesRequest(_message.Message):
    __slots__ = ("run_ids", "keys", "page_size", "page_token")
    RUN_IDS_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    run_ids: _containers.RepeatedScalarFieldContainer[str]
    keys: _containers.RepeatedScalarFieldContainer[str]
    page_size: int
    page_token: str
    def __init__(self, run_ids: _Optional[_Iterable[str]] = ..., keys: _Optional[_Iterable[str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class GetMetricSummariesResponse(_message.Message):
    __slots__ = ("summaries", "next_page_token")
    SUMMARIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    summaries: _containers.RepeatedCompositeFieldContainer[MetricSummary]
    next_page_token: str
    def __init__(self, summaries: _Optional[_Iterable[_Union[MetricSummary, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class TailMetricsRequest(_message.Message):
    __slots__ = ("run_ids", "keys", "resume_token")
    RUN_IDS_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    run_ids: _containers.RepeatedScalarFieldContainer[str]
    keys: _containers.RepeatedScalarFieldContainer[str]
    resume_token: str
    def __init__(self, run_ids: _Optional[_Iterable[str]] = ..., keys: _Optional[_Iterable[str]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class TailMetricsResponse(_message.Message):
    __slots__ = ("series", "counts", "steps", "times_ms", "values", "resume_token")
    SERIES_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    TIMES_MS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    series: _containers.RepeatedCompositeFieldContainer[SeriesHeader]
    counts: _containers.RepeatedScalarFieldContainer[int]
    steps: _containers.RepeatedScalarFieldContainer[int]
    times_ms: _containers.RepeatedScalarFieldContainer[int]
    values: _containers.RepeatedScalarFieldContainer[float]
    resume_token: str
    def __init__(self, series: _Optional[_Iterable[_Union[SeriesHeader, _Mapping]]] = ..., counts: _Optional[_Iterable[int]] = ..., steps: _Optional[_Iterable[int]] = ..., times_ms: _Optional[_Iterable[int]] = ..., values: _Optional[_Iterable[float]] = ..., resume_token: _Optional[str] = ...) -> None: ...

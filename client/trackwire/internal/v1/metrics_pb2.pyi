from trackwire.v1 import metrics_pb2 as _metrics_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IngestMetricsColumns(_message.Message):
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
    writer: _metrics_pb2.WriterStamp
    keys: _containers.RepeatedScalarFieldContainer[str]
    contexts: _containers.RepeatedCompositeFieldContainer[_metrics_pb2.SeriesContext]
    context_indexes: _containers.RepeatedScalarFieldContainer[bytes]
    counts: _containers.RepeatedScalarFieldContainer[bytes]
    steps: _containers.RepeatedScalarFieldContainer[bytes]
    times_ms: _containers.RepeatedScalarFieldContainer[bytes]
    values: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, run_id: _Optional[str] = ..., writer: _Optional[_Union[_metrics_pb2.WriterStamp, _Mapping]] = ..., keys: _Optional[_Iterable[str]] = ..., contexts: _Optional[_Iterable[_Union[_metrics_pb2.SeriesContext, _Mapping]]] = ..., context_indexes: _Optional[_Iterable[bytes]] = ..., counts: _Optional[_Iterable[bytes]] = ..., steps: _Optional[_Iterable[bytes]] = ..., times_ms: _Optional[_Iterable[bytes]] = ..., values: _Optional[_Iterable[bytes]] = ...) -> None: ...

class SeriesColumns(_message.Message):
    __slots__ = ("series", "counts", "steps", "times_ms", "values", "token")
    SERIES_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    TIMES_MS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    series: _containers.RepeatedCompositeFieldContainer[_metrics_pb2.SeriesHeader]
    counts: _containers.RepeatedScalarFieldContainer[bytes]
    steps: _containers.RepeatedScalarFieldContainer[bytes]
    times_ms: _containers.RepeatedScalarFieldContainer[bytes]
    values: _containers.RepeatedScalarFieldContainer[bytes]
    token: str
    def __init__(self, series: _Optional[_Iterable[_Union[_metrics_pb2.SeriesHeader, _Mapping]]] = ..., counts: _Optional[_Iterable[bytes]] = ..., steps: _Optional[_Iterable[bytes]] = ..., times_ms: _Optional[_Iterable[bytes]] = ..., values: _Optional[_Iterable[bytes]] = ..., token: _Optional[str] = ...) -> None: ...

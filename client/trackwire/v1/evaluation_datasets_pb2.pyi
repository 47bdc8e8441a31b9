from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EvaluationRecordSourceType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVALUATION_RECORD_SOURCE_TYPE_UNSPECIFIED: _ClassVar[EvaluationRecordSourceType]
    EVALUATION_RECORD_SOURCE_TYPE_TRACE: _ClassVar[EvaluationRecordSourceType]
    EVALUATION_RECORD_SOURCE_TYPE_HUMAN: _ClassVar[EvaluationRecordSourceType]
    EVALUATION_RECORD_SOURCE_TYPE_DOCUMENT: _ClassVar[EvaluationRecordSourceType]
    EVALUATION_RECORD_SOURCE_TYPE_CODE: _ClassVar[EvaluationRecordSourceType]
EVALUATION_RECORD_SOURCE_TYPE_UNSPECIFIED: EvaluationRecordSourceType
EVALUATION_RECORD_SOURCE_TYPE_TRACE: EvaluationRecordSourceType
EVALUATION_RECORD_SOURCE_TYPE_HUMAN: EvaluationRecordSourceType
EVALUATION_RECORD_SOURCE_TYPE_DOCUMENT: EvaluationRecordSourceType
EVALUATION_RECORD_SOURCE_TYPE_CODE: EvaluationRecordSourceType

class EvaluationDataset(_message.Message):
    __slots__ = ("dataset_id", "name", "tags", "schema", "record_count", "digest", "creation_time_ms", "last_update_time_ms", "created_by", "last_updated_by", "experiment_ids")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    RECORD_COUNT_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    CREATION_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    LAST_UPDATE_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    CREATED_BY_FIELD_NUMBER: _ClassVar[int]
    LAST_UPDATED_BY_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    name: str
    tags: _containers.ScalarMap[str, str]
    schema: str
    record_count: int
    digest: str
    creation_time_ms: int
    last_update_time_ms: int
    created_by: str
    last_updated_by: str
    experiment_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dataset_id: _Optional[str] = ..., name: _Optional[str] = ..., tags: _Optional[_Mapping[str, str]] = ..., schema: _Optional[str] = ..., record_count: _Optional[int] = ..., digest: _Optional[str] = ..., creation_time_ms: _Optional[int] = ..., last_update_time_ms: _Optional[int] = ..., created_by: _Optional[str] = ..., last_updated_by: _Optional[str] = ..., experiment_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class EvaluationRecordSource(_message.Message):
    __slots__ = ("type", "data")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    type: EvaluationRecordSourceType
    data: str
    def __init__(self, type: _Optional[_Union[EvaluationRecordSourceType, str]] = ..., data: _Optional[str] = ...) -> None: ...

class EvaluationDatasetRecord(_message.Message):
    __slots__ = ("record_id", "dataset_id", "inputs", "outputs", "expectations", "tags", "source", "creation_time_ms", "last_update_time_ms", "created_by", "last_updated_by")
    RECORD_ID_FIELD_NUMBER: _ClassVar[int]
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    EXPECTATIONS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CREATION_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    LAST_UPDATE_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    CREATED_BY_FIELD_NUMBER: _ClassVar[int]
    LAST_UPDATED_BY_FIELD_NUMBER: _ClassVar[int]
    record_id: str
    dataset_id: str
    inputs: str
    outputs: str
    expectations: str
    tags: str
    source: EvaluationRecordSource
    creation_time_ms: int
    last_update_time_ms: int
    created_by: str
    last_updated_by: str
    def __init__(self, record_id: _Optional[str] = ..., dataset_id: _Optional[str] = ..., inputs: _Optional[str] = ..., outputs: _Optional[str] = ..., expectations: _Optional[str] = ..., tags: _Optional[str] = ..., source: _Optional[_Union[EvaluationRecordSource, _Mapping]] = ..., creation_time_ms: _Optional[int] = ..., last_update_time_ms: _Optional[int] = ..., created_by: _Optional[str] = ..., last_updated_by: _Optional[str] = ...) -> None: ...

class CreateEvaluationDatasetRequest(_message.Message):
    __slots__ = ("request_id", "name", "experiment_ids", "tags", "created_by")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    CREATED_BY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    experiment_ids: _containers.RepeatedScalarFieldContainer[str]
    tags: _containers.ScalarMap[str, str]
    created_by: str
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., experiment_ids: _Optional[_Iterable[str]] = ..., tags: _Optional[_Mapping[str, str]] = ..., created_by: _Optional[str] = ...) -> None: ...

class CreateEvaluationDatasetResponse(_message.Message):
    __slots__ = ("dataset",)
    DATASET_FIELD_NUMBER: _ClassVar[int]
    dataset: EvaluationDataset
    def __init__(self, dataset: _Optional[_Union[EvaluationDataset, _Mapping]] = ...) -> None: ...

class GetEvaluationDatasetRequest(_message.Message):
    __slots__ = ("dataset_id",)
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    def __init__(self, dataset_id: _Optional[str] = ...) -> None: ...

class GetEvaluationDatasetResponse(_message.Message):
    __slots__ = ("dataset",)
    DATASET_FIELD_NUMBER: _ClassVar[int]
    dataset: EvaluationDataset
    def __init__(self, dataset: _Optional[_Union[EvaluationDataset, _Mapping]] = ...) -> None: ...

class SearchEvaluationDatasetsRequest(_message.Message):
    __slots__ = ("experiment_ids", "filter", "order_by", "page_size", "page_token", "tags_required")
    EXPERIMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TAGS_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    experiment_ids: _containers.RepeatedScalarFieldContainer[str]
    filter: str
    order_by: _containers.RepeatedScalarFieldContainer[str]
    page_size: int
    page_token: str
    tags_required: bool
    def __init__(self, experiment_ids: _Optional[_Iterable[str]] = ..., filter: _Optional[str] = ..., order_by: _Optional[_Iterable[str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., tags_required: bool = ...) -> None: ...

class SearchEvaluationDatasetsResponse(_message.Message):
    __slots__ = ("datasets", "next_page_token")
    DATASETS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    datasets: _containers.RepeatedCompositeFieldContainer[EvaluationDataset]
    next_page_token: str
    def __init__(self, datasets: _Optional[_Iterable[_Union[EvaluationDataset, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteEvaluationDatasetRequest(_message.Message):
    __slots__ = ("dataset_id",)
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    def __init__(self, dataset_id: _Optional[str] = ...) -> None: ...

class DeleteEvaluationDatasetResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SetEvaluationDatasetTagsRequest(_message.Message):
    __slots__ = ("dataset_id", "tags")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    tags: _containers.ScalarMap[str, str]
    def __init__(self, dataset_id: _Optional[str] = ..., tags: _Optional[_Mapping[str, str]] = ...) -> None: ...

class SetEvaluationDatasetTagsResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeleteEvaluationDatasetTagRequest(_message.Message):
    __slots__ = ("dataset_id", "key")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    key: str
    def __init__(self, dataset_id: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class DeleteEvaluationDatasetTagResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class NewEvaluationDatasetRecord(_message.Message):
    __slots__ = ("inputs", "outputs", "expectations", "tags", "source")
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    EXPECTATIONS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    inputs: str
    outputs: str
    expectations: str
    tags: str
    source: EvaluationRecordSource
    def __init__(self, inputs: _Optional[str] = ..., outputs: _Optional[str] = ..., expectations: _Optional[str] = ..., tags: _Optional[str] = ..., source: _Optional[_Union[EvaluationRecordSource, _Mapping]] = ...) -> None: ...

class UpsertEvaluationDatasetRecordsRequest(_message.Message):
    __slots__ = ("dataset_id", "records", "updated_by")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    UPDATED_BY_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    records: _containers.RepeatedCompositeFieldContainer[NewEvaluationDatasetRecord]
    updated_by: str
    def __init__(self, dataset_id: _Optional[str] = ..., records: _Optional[_Iterable[_Union[NewEvaluationDatasetRecord, _Mapping]]] = ..., updated_by: _Optional[str] = ...) -> None: ...

class UpsertEvaluationDatasetRecordsResponse(_message.Message):
    __slots__ = ("inserted_count", "updated_count")
    INSERTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_COUNT_FIELD_NUMBER: _ClassVar[int]
    inserted_count: int
    updated_count: int
    def __init__(self, inserted_count: _Optional[int] = ..., updated_count: _Optional[int] = ...) -> None: ...

class ListEvaluationDatasetRecordsRequest(_message.Message):
    __slots__ = ("dataset_id", "page_size", "page_token")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    page_size: int
    page_token: str
    def __init__(self, dataset_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListEvaluationDatasetRecordsResponse(_message.Message):
    __slots__ = ("records", "next_page_token")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[EvaluationDatasetRecord]
    next_page_token: str
    def __init__(self, records: _Optional[_Iterable[_Union[EvaluationDatasetRecord, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteEvaluationDatasetRecordsRequest(_message.Message):
    __slots__ = ("dataset_id", "record_ids")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    RECORD_IDS_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    record_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dataset_id: _Optional[str] = ..., record_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class DeleteEvaluationDatasetRecordsResponse(_message.Message):
    __slots__ = ("deleted_count",)
    DELETED_COUNT_FIELD_NUMBER: _ClassVar[int]
    deleted_count: int
    def __init__(self, deleted_count: _Optional[int] = ...) -> None: ...

class AddEvaluationDatasetToExperimentsRequest(_message.Message):
    __slots__ = ("dataset_id", "experiment_ids")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    experiment_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dataset_id: _Optional[str] = ..., experiment_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class AddEvaluationDatasetToExperimentsResponse(_message.Message):
    __slots__ = ("dataset",)
    DATASET_FIELD_NUMBER: _ClassVar[int]
    dataset: EvaluationDataset
    def __init__(self, dataset: _Optional[_Union[EvaluationDataset, _Mapping]] = ...) -> None: ...

class RemoveEvaluationDatasetFromExperimentsRequest(_message.Message):
    __slots__ = ("dataset_id", "experiment_ids")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    experiment_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dataset_id: _Optional[str] = ..., experiment_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class RemoveEvaluationDatasetFromExperimentsResponse(_message.Message):
    __slots__ = ("dataset",)
    DATASET_FIELD_NUMBER: _ClassVar[int]
    dataset: EvaluationDataset
    def __init__(self, dataset: _Optional[_Union[EvaluationDataset, _Mapping]] = ...) -> None: ...

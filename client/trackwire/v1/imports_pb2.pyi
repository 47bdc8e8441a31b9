from trackwire.v1 import evaluation_datasets_pb2 as _evaluation_datasets_pb2
from trackwire.v1 import experiments_pb2 as _experiments_pb2
from trackwire.v1 import issues_pb2 as _issues_pb2
from trackwire.v1 import logged_models_pb2 as _logged_models_pb2
from trackwire.v1 import model_registry_pb2 as _model_registry_pb2
from trackwire.v1 import runs_pb2 as _runs_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ImportExperimentRequest(_message.Message):
    __slots__ = ("experiment",)
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    experiment: _experiments_pb2.Experiment
    def __init__(self, experiment: _Optional[_Union[_experiments_pb2.Experiment, _Mapping]] = ...) -> None: ...

class ImportExperimentResponse(_message.Message):
    __slots__ = ("experiment",)
    EXPERIMENT_FIELD_NUMBER: _ClassVar[int]
    experiment: _experiments_pb2.Experiment
    def __init__(self, experiment: _Optional[_Union[_experiments_pb2.Experiment, _Mapping]] = ...) -> None: ...

class ImportRunRequest(_message.Message):
    __slots__ = ("run",)
    RUN_FIELD_NUMBER: _ClassVar[int]
    run: _runs_pb2.Run
    def __init__(self, run: _Optional[_Union[_runs_pb2.Run, _Mapping]] = ...) -> None: ...

class ImportRunResponse(_message.Message):
    __slots__ = ("run",)
    RUN_FIELD_NUMBER: _ClassVar[int]
    run: _runs_pb2.Run
    def __init__(self, run: _Optional[_Union[_runs_pb2.Run, _Mapping]] = ...) -> None: ...

class ImportLoggedModelRequest(_message.Message):
    __slots__ = ("logged_model",)
    LOGGED_MODEL_FIELD_NUMBER: _ClassVar[int]
    logged_model: _logged_models_pb2.LoggedModel
    def __init__(self, logged_model: _Optional[_Union[_logged_models_pb2.LoggedModel, _Mapping]] = ...) -> None: ...

class ImportLoggedModelResponse(_message.Message):
    __slots__ = ("logged_model",)
    LOGGED_MODEL_FIELD_NUMBER: _ClassVar[int]
    logged_model: _logged_models_pb2.LoggedModel
    def __init__(self, logged_model: _Optional[_Union[_logged_models_pb2.LoggedModel, _Mapping]] = ...) -> None: ...

class ImportRegisteredModelRequest(_message.Message):
    __slots__ = ("registered_model",)
    REGISTERED_MODEL_FIELD_NUMBER: _ClassVar[int]
    registered_model: _model_registry_pb2.RegisteredModel
    def __init__(self, registered_model: _Optional[_Union[_model_registry_pb2.RegisteredModel, _Mapping]] = ...) -> None: ...

class ImportRegisteredModelResponse(_message.Message):
    __slots__ = ("registered_model",)
    REGISTERED_MODEL_FIELD_NUMBER: _ClassVar[int]
    registered_model: _model_registry_pb2.RegisteredModel
    def __init__(self, registered_model: _Optional[_Union[_model_registry_pb2.RegisteredModel, _Mapping]] = ...) -> None: ...

class ImportModelVersionRequest(_message.Message):
    __slots__ = ("model_version",)
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    model_version: _model_registry_pb2.ModelVersion
    def __init__(self, model_version: _Optional[_Union[_model_registry_pb2.ModelVersion, _Mapping]] = ...) -> None: ...

class ImportModelVersionResponse(_message.Message):
    __slots__ = ("model_version",)
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    model_version: _model_registry_pb2.ModelVersion
    def __init__(self, model_version: _Optional[_Union[_model_registry_pb2.ModelVersion, _Mapping]] = ...) -> None: ...

class ImportIssueRequest(_message.Message):
    __slots__ = ("issue",)
    ISSUE_FIELD_NUMBER: _ClassVar[int]
    issue: _issues_pb2.Issue
    def __init__(self, issue: _Optional[_Union[_issues_pb2.Issue, _Mapping]] = ...) -> None: ...

class ImportIssueResponse(_message.Message):
    __slots__ = ("issue",)
    ISSUE_FIELD_NUMBER: _ClassVar[int]
    issue: _issues_pb2.Issue
    def __init__(self, issue: _Optional[_Union[_issues_pb2.Issue, _Mapping]] = ...) -> None: ...

class ImportEvaluationDatasetRequest(_message.Message):
    __slots__ = ("dataset",)
    DATASET_FIELD_NUMBER: _ClassVar[int]
    dataset: _evaluation_datasets_pb2.EvaluationDataset
    def __init__(self, dataset: _Optional[_Union[_evaluation_datasets_pb2.EvaluationDataset, _Mapping]] = ...) -> None: ...

class ImportEvaluationDatasetResponse(_message.Message):
    __slots__ = ("dataset",)
    DATASET_FIELD_NUMBER: _ClassVar[int]
    dataset: _evaluation_datasets_pb2.EvaluationDataset
    def __init__(self, dataset: _Optional[_Union[_evaluation_datasets_pb2.EvaluationDataset, _Mapping]] = ...) -> None: ...

class ImportEvaluationDatasetRecordsRequest(_message.Message):
    __slots__ = ("dataset_id", "records")
    DATASET_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    dataset_id: str
    records: _containers.RepeatedCompositeFieldContainer[_evaluation_datasets_pb2.EvaluationDatasetRecord]
    def __init__(self, dataset_id: _Optional[str] = ..., records: _Optional[_Iterable[_Union[_evaluation_datasets_pb2.EvaluationDatasetRecord, _Mapping]]] = ...) -> None: ...

class ImportEvaluationDatasetRecordsResponse(_message.Message):
    __slots__ = ("dataset",)
    DATASET_FIELD_NUMBER: _ClassVar[int]
    dataset: _evaluation_datasets_pb2.EvaluationDataset
    def __init__(self, dataset: _Optional[_Union[_evaluation_datasets_pb2.EvaluationDataset, _Mapping]] = ...) -> None: ...

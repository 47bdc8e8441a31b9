"""What reads give and batches are made of, at the place where MLflow has it."""

from trackwire.queries.entities import (
    Dataset,
    Experiment,
    ExperimentTag,
    FileInfo,
    Metric,
    ModelVersion,
    PagedList,
    Param,
    RegisteredModel,
    Run,
    RunData,
    RunInfo,
    RunTag,
)
from trackwire.queries.named_values import LifecycleStage, RunStatus, ViewType

__all__ = [
    "Dataset",
    "Experiment",
    "ExperimentTag",
    "FileInfo",
    "LifecycleStage",
    "Metric",
    "ModelVersion",
    "PagedList",
    "Param",
    "RegisteredModel",
    "Run",
    "RunData",
    "RunInfo",
    "RunStatus",
    "RunTag",
    "ViewType",
]

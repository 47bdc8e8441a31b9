"""Trackwire: experiment tracking over the wire.

Names are loaded when they are first used, so that `import trackwire` costs next to nothing.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trackwire import artifacts, data, entities, exceptions, tracking
    from trackwire.client import Client
    from trackwire.client.aio import AsyncClient
    from trackwire.client.metrics import MetricRead
    from trackwire.client.runs import Returning
    from trackwire.client.writer import MetricWriter
    from trackwire.columns import MetricColumns, Series, SeriesBatch
    from trackwire.diagnosis import doctor
    from trackwire.errors import (
        AbortedError,
        AlreadyExistsError,
        CancelledError,
        DataLossError,
        DeadlineExceededError,
        FailedPreconditionError,
        FieldViolation,
        InternalError,
        InvalidArgumentError,
        NotFoundError,
        OutOfRangeError,
        PermissionDeniedError,
        ResourceExhaustedError,
        TrackwireError,
        UnauthenticatedError,
        UnavailableError,
        UnimplementedError,
    )
    from trackwire.exceptions import MlflowException
    from trackwire.fluent.active import active_run, end_run, last_active_run, start_run
    from trackwire.fluent.active_run import ActiveRun
    from trackwire.fluent.api import (
        autolog,
        delete_tag,
        flush,
        flush_artifact_async_logging,
        flush_async_logging,
        get_artifact_uri,
        log_artifact,
        log_artifacts,
        log_dict,
        log_figure,
        log_image,
        log_input,
        log_inputs,
        log_metric,
        log_metrics,
        log_param,
        log_params,
        log_stream,
        log_table,
        log_text,
        set_tag,
        set_tags,
    )
    from trackwire.fluent.choices import (
        get_registry_uri,
        get_tracking_uri,
        is_tracking_uri_set,
        set_experiment,
        set_registry_uri,
        set_tracking_uri,
    )
    from trackwire.fluent.sampling import (
        disable_system_metrics_logging,
        enable_system_metrics_logging,
        set_system_metrics_sampling_interval,
    )
    from trackwire.media.picture import Image
    from trackwire.mlflow_client import MlflowClient
    from trackwire.queries.artifacts import (
        download_artifacts,
        list_artifacts,
        load_dict,
        load_image,
        load_text,
    )
    from trackwire.queries.experiments import (
        create_experiment,
        delete_experiment,
        delete_experiment_tag,
        get_experiment,
        get_experiment_by_name,
        restore_experiment,
        search_experiments,
        set_experiment_tag,
        set_experiment_tags,
    )
    from trackwire.queries.model_registry import (
        delete_registered_model_alias,
        get_model_version,
        get_model_version_by_alias,
        register_model,
        search_model_versions,
        search_registered_models,
        set_model_version_tag,
        set_registered_model_alias,
    )
    from trackwire.queries.named_values import ViewType
    from trackwire.queries.runs import (
        delete_run,
        get_metric_history,
        get_parent_run,
        get_run,
        restore_run,
        search_runs,
    )
    from trackwire.queries.tables import load_table

_NAMES_OF_MODULE = {
    "trackwire.client": ("Client",),
    "trackwire.client.aio": ("AsyncClient",),
    "trackwire.columns": ("MetricColumns", "Series", "SeriesBatch"),
    "trackwire.diagnosis": ("doctor",),
    "trackwire.errors": (
        "AbortedError",
        "AlreadyExistsError",
        "CancelledError",
        "DataLossError",
        "DeadlineExceededError",
        "FailedPreconditionError",
        "FieldViolation",
        "InternalError",
        "InvalidArgumentError",
        "NotFoundError",
        "OutOfRangeError",
        "PermissionDeniedError",
        "ResourceExhaustedError",
        "TrackwireError",
        "UnauthenticatedError",
        "UnavailableError",
        "UnimplementedError",
    ),
    "trackwire.exceptions": ("MlflowException",),
    "trackwire.fluent.active": ("active_run", "end_run", "last_active_run", "start_run"),
    "trackwire.fluent.active_run": ("ActiveRun",),
    "trackwire.fluent.api": (
        "autolog",
        "delete_tag",
        "flush",
        "flush_artifact_async_logging",
        "flush_async_logging",
        "get_artifact_uri",
        "log_artifact",
        "log_artifacts",
        "log_dict",
        "log_figure",
        "log_image",
        "log_input",
        "log_inputs",
        "log_metric",
        "log_metrics",
        "log_param",
        "log_params",
        "log_stream",
        "log_table",
        "log_text",
        "set_tag",
        "set_tags",
    ),
    "trackwire.fluent.choices": (
        "get_registry_uri",
        "get_tracking_uri",
        "is_tracking_uri_set",
        "set_experiment",
        "set_registry_uri",
        "set_tracking_uri",
    ),
    "trackwire.fluent.sampling": (
        "disable_system_metrics_logging",
        "enable_system_metrics_logging",
        "set_system_metrics_sampling_interval",
    ),
    "trackwire.client.metrics": ("MetricRead",),
    "trackwire.media.picture": ("Image",),
    "trackwire.mlflow_client": ("MlflowClient",),
    "trackwire.queries.artifacts": (
        "download_artifacts",
        "list_artifacts",
        "load_dict",
        "load_image",
        "load_text",
    ),
    "trackwire.queries.experiments": (
        "create_experiment",
        "delete_experiment",
        "delete_experiment_tag",
        "get_experiment",
        "get_experiment_by_name",
        "restore_experiment",
        "search_experiments",
        "set_experiment_tag",
        "set_experiment_tags",
    ),
    "trackwire.queries.model_registry": (
        "delete_registered_model_alias",
        "get_model_version",
        "get_model_version_by_alias",
        "register_model",
        "search_model_versions",
        "search_registered_models",
        "set_model_version_tag",
        "set_registered_model_alias",
    ),
    "trackwire.queries.named_values": ("ViewType",),
    "trackwire.queries.runs": (
        "delete_run",
        "get_metric_history",
        "get_parent_run",
        "get_run",
        "restore_run",
        "search_runs",
    ),
    "trackwire.queries.tables": ("load_table",),
    "trackwire.client.runs": ("Returning",),
    "trackwire.client.writer": ("MetricWriter",),
}
_MODULE_OF_NAME = {name: module for module, names in _NAMES_OF_MODULE.items() for name in names}
# Where MLflow has them; `import trackwire.entities` works too.
_MODULES = ("artifacts", "data", "entities", "exceptions", "tracking")
# What scripts of MLflow's may ask for and no part of Trackwire is, with what to do instead.
_FLAVORS = "it keeps files and knows no kinds of models: save the model to a file, and log_artifact() that"
_TRACING = "it follows trainings and traces no calls"
_LEFT_OUT = {
    **dict.fromkeys(("catboost", "keras", "langchain", "lightgbm", "models", "onnx", "openai", "pyfunc"), _FLAVORS),
    **dict.fromkeys(("pytorch", "sklearn", "spark", "tensorflow", "transformers", "xgboost"), _FLAVORS),
    **dict.fromkeys(("genai", "search_traces", "start_span", "trace", "tracing"), _TRACING),
}

__all__ = [
    "AbortedError",
    "ActiveRun",
    "AlreadyExistsError",
    "AsyncClient",
    "CancelledError",
    "Client",
    "DataLossError",
    "DeadlineExceededError",
    "FailedPreconditionError",
    "FieldViolation",
    "Image",
    "InternalError",
    "InvalidArgumentError",
    "MetricColumns",
    "MetricRead",
    "MetricWriter",
    "MlflowClient",
    "MlflowException",
    "NotFoundError",
    "OutOfRangeError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "Returning",
    "Series",
    "SeriesBatch",
    "TrackwireError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "ViewType",
    "active_run",
    "artifacts",
    "autolog",
    "create_experiment",
    "data",
    "delete_experiment",
    "delete_experiment_tag",
    "delete_registered_model_alias",
    "delete_run",
    "delete_tag",
    "disable_system_metrics_logging",
    "doctor",
    "download_artifacts",
    "enable_system_metrics_logging",
    "end_run",
    "entities",
    "exceptions",
    "flush",
    "flush_artifact_async_logging",
    "flush_async_logging",
    "get_artifact_uri",
    "get_experiment",
    "get_experiment_by_name",
    "get_metric_history",
    "get_model_version",
    "get_model_version_by_alias",
    "get_parent_run",
    "get_registry_uri",
    "get_run",
    "get_tracking_uri",
    "is_tracking_uri_set",
    "last_active_run",
    "list_artifacts",
    "load_dict",
    "load_image",
    "load_table",
    "load_text",
    "log_artifact",
    "log_artifacts",
    "log_dict",
    "log_figure",
    "log_image",
    "log_input",
    "log_inputs",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "log_stream",
    "log_table",
    "log_text",
    "register_model",
    "restore_experiment",
    "restore_run",
    "search_experiments",
    "search_model_versions",
    "search_registered_models",
    "search_runs",
    "set_experiment",
    "set_experiment_tag",
    "set_experiment_tags",
    "set_model_version_tag",
    "set_registered_model_alias",
    "set_registry_uri",
    "set_system_metrics_sampling_interval",
    "set_tag",
    "set_tags",
    "set_tracking_uri",
    "start_run",
    "tracking",
]


def _installed_version() -> str:
    metadata = importlib.import_module("importlib.metadata")
    try:
        return str(metadata.version("trackwire"))
    except metadata.PackageNotFoundError:
        # Run from a source tree.
        return "0+uninstalled"


def __getattr__(name: str) -> object:
    if name == "__version__":
        return _installed_version()
    if name in _MODULES:
        return importlib.import_module(f"trackwire.{name}")
    module = _MODULE_OF_NAME.get(name)
    if module is None:
        instead = f": {_LEFT_OUT[name]}" if name in _LEFT_OUT else ""
        raise AttributeError(f"module 'trackwire' has no attribute {name!r}{instead}")
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})

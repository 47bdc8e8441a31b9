"""Trackwire: experiment tracking over the wire.

Names are loaded when they are first used, so that `import trackwire` costs next to nothing.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trackwire.client import Client
    from trackwire.client.aio import AsyncClient
    from trackwire.client.metrics import MetricRead
    from trackwire.client.runs import Returning
    from trackwire.client.writer import MetricWriter
    from trackwire.columns import MetricColumns, Series, SeriesBatch
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
    from trackwire.fluent.active import (
        active_run,
        end_run,
        get_tracking_uri,
        last_active_run,
        set_experiment,
        set_tracking_uri,
        start_run,
    )
    from trackwire.fluent.active_run import ActiveRun
    from trackwire.fluent.api import (
        delete_tag,
        flush,
        get_artifact_uri,
        log_artifact,
        log_artifacts,
        log_dict,
        log_figure,
        log_image,
        log_metric,
        log_metrics,
        log_param,
        log_params,
        log_table,
        log_text,
        set_tag,
        set_tags,
    )
    from trackwire.queries import artifacts, entities
    from trackwire.queries.artifacts import (
        download_artifacts,
        list_artifacts,
        load_dict,
        load_image,
        load_text,
    )
    from trackwire.queries.entities import ViewType
    from trackwire.queries.experiments import (
        create_experiment,
        delete_experiment,
        get_experiment,
        get_experiment_by_name,
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
    from trackwire.queries.runs import (
        delete_run,
        get_metric_history,
        get_parent_run,
        get_run,
        search_runs,
    )
    from trackwire.queries.tables import load_table

_NAMES_OF_MODULE = {
    "trackwire.client": ("Client",),
    "trackwire.client.aio": ("AsyncClient",),
    "trackwire.columns": ("MetricColumns", "Series", "SeriesBatch"),
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
    "trackwire.fluent.active": (
        "active_run",
        "end_run",
        "get_tracking_uri",
        "last_active_run",
        "set_experiment",
        "set_tracking_uri",
        "start_run",
    ),
    "trackwire.fluent.active_run": ("ActiveRun",),
    "trackwire.fluent.api": (
        "delete_tag",
        "flush",
        "get_artifact_uri",
        "log_artifact",
        "log_artifacts",
        "log_dict",
        "log_figure",
        "log_image",
        "log_metric",
        "log_metrics",
        "log_param",
        "log_params",
        "log_table",
        "log_text",
        "set_tag",
        "set_tags",
    ),
    "trackwire.client.metrics": ("MetricRead",),
    "trackwire.queries": ("artifacts", "entities"),
    "trackwire.queries.artifacts": (
        "download_artifacts",
        "list_artifacts",
        "load_dict",
        "load_image",
        "load_text",
    ),
    "trackwire.queries.entities": ("ViewType",),
    "trackwire.queries.experiments": (
        "create_experiment",
        "delete_experiment",
        "get_experiment",
        "get_experiment_by_name",
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
    "trackwire.queries.runs": (
        "delete_run",
        "get_metric_history",
        "get_parent_run",
        "get_run",
        "search_runs",
    ),
    "trackwire.queries.tables": ("load_table",),
    "trackwire.client.runs": ("Returning",),
    "trackwire.client.writer": ("MetricWriter",),
}
_MODULE_OF_NAME = {name: module for module, names in _NAMES_OF_MODULE.items() for name in names}

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
    "InternalError",
    "InvalidArgumentError",
    "MetricColumns",
    "MetricRead",
    "MetricWriter",
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
    "create_experiment",
    "delete_experiment",
    "delete_registered_model_alias",
    "delete_run",
    "delete_tag",
    "download_artifacts",
    "end_run",
    "entities",
    "flush",
    "get_artifact_uri",
    "get_experiment",
    "get_experiment_by_name",
    "get_metric_history",
    "get_model_version",
    "get_model_version_by_alias",
    "get_parent_run",
    "get_run",
    "get_tracking_uri",
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
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "log_table",
    "log_text",
    "register_model",
    "search_experiments",
    "search_model_versions",
    "search_registered_models",
    "search_runs",
    "set_experiment",
    "set_experiment_tag",
    "set_experiment_tags",
    "set_model_version_tag",
    "set_registered_model_alias",
    "set_tag",
    "set_tags",
    "set_tracking_uri",
    "start_run",
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
    module = _MODULE_OF_NAME.get(name)
    if module is None:
        raise AttributeError(f"module 'trackwire' has no attribute {name!r}")
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})

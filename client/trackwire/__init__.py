"""Trackwire: experiment tracking over the wire.

Names are loaded when they are first used, so that `import trackwire` costs next to nothing.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trackwire.client import Client
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
    from trackwire.metrics import MetricRead
    from trackwire.run import Run
    from trackwire.runs import Returning
    from trackwire.writer import MetricWriter

_NAMES_OF_MODULE = {
    "trackwire.client": ("Client",),
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
    "trackwire.metrics": ("MetricRead",),
    "trackwire.run": ("Run",),
    "trackwire.runs": ("Returning",),
    "trackwire.writer": ("MetricWriter",),
}
_MODULE_OF_NAME = {name: module for module, names in _NAMES_OF_MODULE.items() for name in names}

__all__ = [
    "AbortedError",
    "ActiveRun",
    "AlreadyExistsError",
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
    "Run",
    "Series",
    "SeriesBatch",
    "TrackwireError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "active_run",
    "delete_tag",
    "end_run",
    "flush",
    "get_artifact_uri",
    "get_tracking_uri",
    "last_active_run",
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
    "set_experiment",
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

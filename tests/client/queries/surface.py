"""The names that `import trackwire as mlflow` gives for reads, put together here from their modules."""

import importlib
from types import SimpleNamespace

NAMES_OF_MODULE = {
    "trackwire.queries": ("entities",),
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
    "trackwire.fluent.active": ("active_run", "end_run", "set_experiment", "set_tracking_uri", "start_run"),
}


def surface() -> SimpleNamespace:
    """All of them as attributes of one thing."""
    return SimpleNamespace(
        **{
            name: getattr(importlib.import_module(module), name)
            for module, names in NAMES_OF_MODULE.items()
            for name in names
        }
    )


mlflow = surface()

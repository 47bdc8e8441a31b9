"""`trackwire.log_metric()` and its like: each says something of this thread's active run, which it starts if need be.

Names and arguments are MLflow's. `run_id` names another run than the active one; `synchronous` is taken and changes
nothing: no call waits for the server, `flush` does.
"""

from collections.abc import Mapping
from typing import TypeVar

from trackwire.fluent.active import last_active_run, run_to_log
from trackwire.fluent.active_run import FLUSH_TIMEOUT_SECONDS
from trackwire.fluent.artifact_paths import below, checked_path
from trackwire.gathering import MetricValue
from trackwire.local_files import LocalPath

ValueT = TypeVar("ValueT")


def log_metric(
    key: str,
    value: MetricValue,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
) -> None:
    """Logs one point; without a step, one behind the key's last (from 0). `timestamp` is in Unix milliseconds."""
    run_to_log(run_id).log_metric(key, value, step, timestamp)


def log_metrics(
    metrics: Mapping[str, MetricValue],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
) -> None:
    """Logs a point of each key: all, or none if one is bad (TypeError, InvalidArgumentError)."""
    run_to_log(run_id).log_metrics(metrics, step, timestamp)


def log_param(key: str, value: ValueT, synchronous: bool | None = None) -> ValueT:
    """Logs one param, as `str()` gives it, and gives the value back; it never changes once set."""
    run_to_log().log_param(key, value)
    return value


def log_params(params: Mapping[str, object], synchronous: bool | None = None, run_id: str | None = None) -> None:
    """Logs params, each as `str()` gives it; they never change once set."""
    run_to_log(run_id).log_params(params)


def set_tag(key: str, value: object, synchronous: bool | None = None) -> None:
    """Sets one tag, as `str()` gives it; the last one wins."""
    run_to_log().set_tag(key, value)


def set_tags(tags: Mapping[str, object], synchronous: bool | None = None) -> None:
    """Sets tags, each as `str()` gives it; the last one of a key wins."""
    run_to_log().set_tags(tags)


def delete_tag(key: str) -> None:
    """Deletes one tag."""
    run_to_log().delete_tag(key)


def log_artifact(local_path: LocalPath, artifact_path: str | None = None, run_id: str | None = None) -> None:
    """Stores a file (or folder) as it is now, under its own name in the artifacts' folder `artifact_path`."""
    run_to_log(run_id).log_artifact(local_path, artifact_path)


def log_artifacts(local_dir: LocalPath, artifact_path: str | None = None, run_id: str | None = None) -> None:
    """Stores all files below a folder as they are now, at the same paths below `artifact_path`."""
    run_to_log(run_id).log_artifacts(local_dir, artifact_path)


def log_text(text: str, artifact_file: str, run_id: str | None = None) -> None:
    """Stores text as a file in UTF-8."""
    run_to_log(run_id).log_text(text, artifact_file)


def log_dict(dictionary: object, artifact_file: str, run_id: str | None = None) -> None:
    """Stores a dictionary as YAML (.yaml, .yml) or JSON (any other suffix)."""
    run_to_log(run_id).log_dict(dictionary, artifact_file)


def log_figure(figure: object, artifact_file: str, *, save_kwargs: Mapping[str, object] | None = None) -> None:
    """Stores a figure of matplotlib or plotly, in the format of the suffix; `save_kwargs` go to its own method."""
    run_to_log().log_figure(figure, artifact_file, save_kwargs=save_kwargs)


def log_image(
    image: object,
    artifact_file: str | None = None,
    key: str | None = None,
    step: int | None = None,
    timestamp: int | None = None,
    synchronous: bool | None = None,
) -> None:
    """Stores an image of numpy or Pillow as `artifact_file`, or as one of the series `key`."""
    run_to_log().log_image(image, artifact_file, key=key, step=step, timestamp=timestamp)


def log_table(data: object, artifact_file: str, run_id: str | None = None) -> None:
    """Stores a dict of columns or a pandas DataFrame as a table, behind the rows that are there."""
    run_to_log(run_id).log_table(data, artifact_file)


def get_artifact_uri(artifact_path: str | None = None) -> str:
    """The `runs:/` URI of the active run's artifacts, or of one of them; `download_artifacts` takes it."""
    root = run_to_log().info.artifact_uri
    return root if artifact_path is None else below(root, checked_path(artifact_path))


def flush(timeout_seconds: float = FLUSH_TIMEOUT_SECONDS) -> bool:
    """Waits until all that the active run, or the last one, has said is durable. False if that takes longer."""
    run = last_active_run()
    return run is None or run.flush(timeout_seconds)

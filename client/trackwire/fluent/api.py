"""`trackwire.log_metric()` and its like: each says something of this thread's active run, which it starts if need be.

Names and arguments are MLflow's. `run_id` names another run than the active one. No call waits for the server, whatever
`synchronous` says; False is answered with something to wait for.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import BinaryIO, Literal, TypeVar, overload

from trackwire.fluent.active import last_active_run, run_to_log
from trackwire.fluent.active_run import FLUSH_TIMEOUT_SECONDS
from trackwire.fluent.artifact_paths import below, checked_path
from trackwire.fluent.checks import metric_context
from trackwire.fluent.inputs import words_of_inputs
from trackwire.fluent.operations import RunOperations, operations_of
from trackwire.gathering import MetricValue
from trackwire.local_files import LocalPath

logger = logging.getLogger(__name__)

ValueT = TypeVar("ValueT")


def log_metric(
    key: str,
    value: MetricValue,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
    model_id: str | None = None,
    dataset: object = None,
) -> RunOperations | None:
    """Logs one point; without a step, one behind the key's last (from 0). `timestamp` is in Unix milliseconds.

    `model_id` and `dataset`, which has a name and a digest, say what was measured of and on: a series of its own.
    """
    run = run_to_log(run_id)
    context = None if model_id is None and dataset is None else metric_context(model_id, dataset)
    run.log_metric(key, value, step, timestamp, context=context)
    return None if synchronous is None else operations_of(run, synchronous)


def log_metrics(
    metrics: Mapping[str, MetricValue],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
    model_id: str | None = None,
    dataset: object = None,
) -> RunOperations | None:
    """Logs a point of each key: all, or none if one is bad (TypeError, InvalidArgumentError); see `log_metric`."""
    run = run_to_log(run_id)
    context = None if model_id is None and dataset is None else metric_context(model_id, dataset)
    run.log_metrics(metrics, step, timestamp, context=context)
    return None if synchronous is None else operations_of(run, synchronous)


@overload
def log_param(key: str, value: ValueT, synchronous: Literal[True] | None = None) -> ValueT: ...


@overload
def log_param(key: str, value: object, synchronous: Literal[False]) -> RunOperations: ...


def log_param(key: str, value: object, synchronous: bool | None = None) -> object:
    """Logs one param, as `str()` gives it, and gives the value back; it never changes once set."""
    run = run_to_log()
    run.log_param(key, value)
    return operations_of(run, synchronous) or value


def log_params(
    params: Mapping[str, object], synchronous: bool | None = None, run_id: str | None = None
) -> RunOperations | None:
    """Logs params, each as `str()` gives it; they never change once set."""
    run = run_to_log(run_id)
    run.log_params(params)
    return operations_of(run, synchronous)


def set_tag(key: str, value: object, synchronous: bool | None = None) -> RunOperations | None:
    """Sets one tag, as `str()` gives it; the last one wins."""
    run = run_to_log()
    run.set_tag(key, value)
    return operations_of(run, synchronous)


def set_tags(tags: Mapping[str, object], synchronous: bool | None = None) -> RunOperations | None:
    """Sets tags, each as `str()` gives it; the last one of a key wins."""
    run = run_to_log()
    run.set_tags(tags)
    return operations_of(run, synchronous)


def delete_tag(key: str) -> None:
    """Deletes one tag."""
    run_to_log().delete_tag(key)


def log_input(
    dataset: object | None = None,
    context: str | None = None,
    tags: Mapping[str, object] | None = None,
    model: object | None = None,
) -> None:
    """Says that the active run was given a dataset of `trackwire.data`: for training, testing or another context.

    Or a model, which is what has a `model_id`.
    """
    log_inputs([dataset], [context], [tags], [model])


def log_inputs(
    datasets: Sequence[object | None] | None = None,
    contexts: Sequence[str | None] | None = None,
    tags_list: Sequence[Mapping[str, object] | None] | None = None,
    models: Sequence[object | None] | None = None,
) -> None:
    """Says that the active run was given these datasets; one context and one set of tags for each, or none at all.

    A dataset that the run was given before keeps the context and the tags that it has.
    """
    said = words_of_inputs(datasets, contexts, tags_list, models)
    run_to_log().log_inputs(said)


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


def log_stream(stream: BinaryIO, artifact_file: str, run_id: str | None = None) -> None:
    """Stores what is left to read of a stream of bytes as a file."""
    run_to_log(run_id).log_stream(stream, artifact_file)


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
    """Stores an image of numpy or Pillow as `artifact_file`, or as one of the series `key`; it is kept at once."""
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


def flush_async_logging() -> None:
    """Waits as `flush` does, under MLflow's name."""
    flush()


def flush_artifact_async_logging() -> None:
    """The same: files go with all else."""
    flush()


def autolog(*, disable: bool = False, **options: object) -> None:
    """Warns that nothing is logged by itself: a training says here what is to be kept. All else of it goes on."""
    if not disable:
        logger.warning(
            "autolog: nothing is logged by itself: say what is to be kept by log_params(), log_metrics() and"
            " log_artifact()"
        )

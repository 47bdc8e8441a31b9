"""All that mlflow's client says of a store, so that two can be compared."""

from collections.abc import Iterator, Mapping

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, Run, ViewType
from mlflow.entities.model_registry import RegisteredModel
from mlflow.store.tracking.file_store import FileStore
from mlflow.tracking._tracking_service.utils import _get_store
from tests.importing.evaluations import evaluations
from tests.importing.filling import tracking_at

PROMPTS = "tag.`mlflow.prompt.is_prompt` = 'true'"


def contents(uri: str) -> Mapping[tuple[str, ...], object]:
    """Everything at a URI, by kind and name; values are plain and equal themselves."""
    with tracking_at(uri) as client:
        found = dict(_everything(client))
        store = _get_store(uri)
        # mlflow's folders have neither evaluation datasets nor issues.
        return found if isinstance(store, FileStore) else {**found, **dict(evaluations(store))}


def _everything(client: MlflowClient) -> Iterator[tuple[tuple[str, ...], object]]:
    for experiment in client.search_experiments(ViewType.ALL):
        times = (experiment.creation_time, experiment.last_update_time)
        said = (experiment.name, experiment.lifecycle_stage, experiment.tags, times)
        yield ("experiment", experiment.experiment_id), said
        for model in client.search_logged_models([experiment.experiment_id]):
            yield ("logged model", model.model_id), _model(model)
        for found in client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL):
            run = client.get_run(found.info.run_id)
            yield ("run", run.info.run_id), _run(run)
            for key in run.data.metrics:
                history = client.get_metric_history(run.info.run_id, key)
                points = sorted((point.step, point.timestamp, repr(point.value)) for point in history)
                yield ("points", run.info.run_id, key), points
    for model in [*client.search_registered_models(), *client.search_registered_models(PROMPTS)]:
        yield from _registered(client, model)


def _run(run: Run) -> object:
    info = run.info
    return (
        (info.run_name, info.status, info.start_time, info.end_time, info.lifecycle_stage, info.user_id),
        run.data.params,
        run.data.tags,
        {key: repr(value) for key, value in run.data.metrics.items()},
        [(vars(given.dataset), [(tag.key, tag.value) for tag in given.tags]) for given in run.inputs.dataset_inputs],
        [model.model_id for model in run.inputs.model_inputs],
        [(model.model_id, model.step) for model in run.outputs.model_outputs],
    )


def _model(model: LoggedModel) -> object:
    last = max((point.step, point.timestamp, point.value) for point in model.metrics or ())
    times = (model.creation_timestamp, model.last_updated_timestamp)
    said = (model.name, model.experiment_id, model.source_run_id, model.model_type, model.status)
    return said, times, model.tags, model.params, last


def _registered(client: MlflowClient, model: RegisteredModel) -> Iterator[tuple[tuple[str, ...], object]]:
    tags = {tag.key: tag.value for tag in model.to_proto().tags}
    times = (model.creation_timestamp, model.last_updated_timestamp)
    aliases = {alias: int(number) for alias, number in model.aliases.items()}
    yield ("registered model", model.name), (model.description or "", tags, times, aliases)
    wanted = f"name='{model.name}'" + (f" AND {PROMPTS}" if "mlflow.prompt.is_prompt" in tags else "")
    for version in client.search_model_versions(wanted):
        times = (version.creation_timestamp, version.last_updated_timestamp)
        said = (version.description or "", version.tags, version.current_stage, version.status, version.run_id or "")
        yield ("version", model.name, str(version.version)), (said, times)

"""The rules of taking over what was kept elsewhere: those of making something new, but nothing is chosen here."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from trackwire_server.core.artifact_places import FILE_SCHEME, OWN_SCHEME, local_folder, scheme_of
from trackwire_server.core.checks import (
    check_characters,
    check_entries,
    check_key,
    check_required,
    check_run_id,
    check_time,
    check_token,
)
from trackwire_server.core.clock import Clock
from trackwire_server.core.entities import (
    PARENT_RUN_TAG,
    RUN_NAME_TAG,
    Experiment,
    LifecycleStage,
    ModelVersion,
    RegisteredModel,
    Run,
    run_folder,
)
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.experiments import check_artifact_location, check_experiment_id, check_experiment_name
from trackwire_server.core.issue_entities import Issue
from trackwire_server.core.issues import check_issue
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.logged_model_entities import LoggedModel, logged_model_folder
from trackwire_server.core.logged_models import check_logged_model_name, check_model_id
from trackwire_server.core.model_names import (
    check_alias,
    check_climbs_nowhere,
    check_model_name,
    check_source,
    check_version,
)
from trackwire_server.core.model_names import scheme_of as source_scheme_of
from trackwire_server.core.run_inputs import checked_inputs_at, checked_outputs_at
from trackwire_server.core.runs import check_agreed
from trackwire_server.core.stores import ImportStore

# Numbers must remain above it for what is made here later.
EXPERIMENT_ID_DIGITS = 18
KEY_NAMED_BYTES = 150
MODEL_ID_OF_NOBODY = "artifacts"


class Imports:
    """What may be taken over. All of it may be asked for again, and raises AlreadyExists where something else is."""

    def __init__(self, store: ImportStore, clock: Clock, *, working_folder: Path):
        """`working_folder` is where relative artifact locations begin."""
        self._store = store
        self._clock = clock
        self._working_folder = working_folder

    async def import_experiment(self, experiment: Experiment) -> Experiment:
        """Takes over an experiment; "0" is always the one that is there."""
        check_experiment_id("experiment.experiment_id", experiment.experiment_id)
        if len(experiment.experiment_id) > EXPERIMENT_ID_DIGITS:
            raise InvalidArgument(
                "experiment.experiment_id",
                experiment.experiment_id,
                f"must have at most {EXPERIMENT_ID_DIGITS} digits",
                limit=EXPERIMENT_ID_DIGITS,
            )
        check_experiment_name("experiment.name", experiment.name)
        _check_times("experiment", experiment)
        _check_entries("experiment.tags", experiment.tags, LIMITS.tag_value_characters)
        location = check_artifact_location(
            "experiment.artifact_location", experiment.artifact_location, self._working_folder
        )
        return await self._store.import_experiment(replace(experiment, artifact_location=location))

    async def import_run(self, run: Run) -> Run:
        """Takes over a run; its points and files stay as they are. Raises NotFound for its experiment."""
        _check_run(run)
        parent_run_id = check_agreed("run.parent_run_id", run.parent_run_id, run.tags, PARENT_RUN_TAG)
        if parent_run_id:
            check_run_id("run.parent_run_id", parent_run_id)
        deleted_time_ms = None
        if run.lifecycle_stage is LifecycleStage.DELETED:
            deleted_time_ms = self._clock() if run.deleted_time_ms is None else run.deleted_time_ms
        return await self._store.import_run(
            replace(
                run,
                run_name=check_agreed("run.run_name", run.run_name, run.tags, RUN_NAME_TAG),
                parent_run_id=parent_run_id,
                deleted_time_ms=deleted_time_ms,
                inputs=checked_inputs_at("run.inputs.", run.inputs),
                outputs=checked_outputs_at("run.outputs.", run.outputs),
            )
        )

    async def import_logged_model(self, model: LoggedModel) -> LoggedModel:
        """Takes over a logged model; its files stay as they are. Raises NotFound for its experiment."""
        check_model_id("logged_model.model_id", model.model_id)
        if model.model_id == MODEL_ID_OF_NOBODY:
            why = 'its folder would lie in that of a run called "models"'
            raise InvalidArgument("logged_model.model_id", model.model_id, f"can't be a model's: {why}")
        check_experiment_id("logged_model.experiment_id", model.experiment_id)
        check_required("logged_model.name", model.name, LIMITS.logged_model_name_characters)
        check_logged_model_name("logged_model.name", model.name)
        check_characters("logged_model.model_type", model.model_type, LIMITS.model_type_characters)
        check_characters("logged_model.status_message", model.status_message, LIMITS.description_characters)
        if model.source_run_id:
            check_run_id("logged_model.source_run_id", model.source_run_id)
        _check_times("logged_model", model)
        _check_entries("logged_model.params", model.params, LIMITS.param_value_characters)
        _check_entries("logged_model.tags", model.tags, LIMITS.tag_value_characters)
        _check_artifact_uri("logged_model.artifact_uri", model.artifact_uri, logged_model_folder(model.model_id))
        return await self._store.import_logged_model(model)

    async def import_registered_model(self, model: RegisteredModel) -> RegisteredModel:
        """Takes over a registered model without its versions."""
        check_model_name("registered_model.name", model.name)
        check_characters("registered_model.description", model.description, LIMITS.description_characters)
        _check_times("registered_model", model)
        _check_entries("registered_model.tags", model.tags, LIMITS.registry_tag_value_characters)
        return await self._store.import_registered_model(model)

    async def import_model_version(self, version: ModelVersion) -> ModelVersion:
        """Takes over a version with its stage and its aliases. Raises NotFound for its registered model."""
        check_model_name("model_version.name", version.name)
        check_version("model_version.version", version.version)
        _check_source(version.source)
        for field in ("run_link", "storage_location"):
            check_characters(f"model_version.{field}", getattr(version, field), LIMITS.uri_characters)
        check_characters("model_version.user_id", version.user_id, LIMITS.user_id_characters)
        for field in ("description", "status_message"):
            check_characters(f"model_version.{field}", getattr(version, field), LIMITS.description_characters)
        if version.run_id:
            check_run_id("model_version.run_id", version.run_id)
        if version.model_id:
            check_token("model_version.model_id", version.model_id, LIMITS.model_id_characters)
        for index, alias in enumerate(version.aliases):
            check_alias(f"model_version.aliases[{index}]", alias)
        _check_times("model_version", version)
        _check_entries("model_version.tags", version.tags, LIMITS.registry_tag_value_characters)
        return await self._store.import_model_version(version)

    async def import_issue(self, issue: Issue) -> Issue:
        """Takes over an issue. Raises NotFound for its experiment."""
        check_issue("issue", issue)
        return await self._store.import_issue(issue)


def _check_run(run: Run) -> None:
    check_run_id("run.run_id", run.run_id)
    check_experiment_id("run.experiment_id", run.experiment_id)
    check_characters("run.run_name", run.run_name, LIMITS.run_name_characters)
    check_characters("run.user_id", run.user_id, LIMITS.user_id_characters)
    check_time("run.start_time_ms", run.start_time_ms)
    for field in ("end_time_ms", "deleted_time_ms"):
        if getattr(run, field) is not None:
            check_time(f"run.{field}", getattr(run, field))
    if run.run_id in (run.parent_run_id, run.tags.get(PARENT_RUN_TAG)):
        raise InvalidArgument("run.parent_run_id", run.run_id, "a run is not its own parent")
    _check_entries("run.params", run.params, LIMITS.param_value_characters)
    _check_entries("run.tags", run.tags, LIMITS.tag_value_characters)
    _check_artifact_uri("run.artifact_uri", run.artifact_uri, run_folder(run.run_id))


def _check_entries(field: str, entries: Mapping[str, str], value_limit: int) -> None:
    # By name, so that whoever imports can leave out just what is at fault. A long name would be cut short.
    for key in entries:
        check_key(f"{field}[{key}]" if len(key.encode(errors="replace")) < KEY_NAMED_BYTES else field, key)
    check_entries(field, entries, value_limit=value_limit, required=False, limit=LIMITS.entries_per_import)


def _check_times(field: str, entity: Experiment | LoggedModel | RegisteredModel | ModelVersion) -> None:
    check_time(f"{field}.creation_time_ms", entity.creation_time_ms)
    check_time(f"{field}.last_update_time_ms", entity.last_update_time_ms)


def _check_source(source: str) -> None:
    if source_scheme_of(source):
        check_source("model_version.source", source)
        return
    check_required("model_version.source", source, LIMITS.uri_characters)
    check_climbs_nowhere("model_version.source", source)


def _check_artifact_uri(field: str, uri: str, folder: str) -> None:
    """Where files lie: as with an artifact location, what this server reads and writes is in its owner's own folder."""
    check_characters(field, uri, LIMITS.uri_characters)
    if not uri:
        return
    scheme = scheme_of(uri)
    if scheme == OWN_SCHEME:
        raise InvalidArgument(
            field,
            uri,
            "names a folder of the server's own artifact store, which each owner gets by itself: leave it empty",
        )
    if scheme not in ("", FILE_SCHEME):
        return
    path, parts = local_folder(uri), PurePosixPath(folder).parts
    if path is None or path.parts[-len(parts) :] != parts:
        raise InvalidArgument(field, uri, f"must be a URI, in the server's file system one that ends in /{folder}")

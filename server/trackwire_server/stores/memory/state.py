"""What the memory stores share: the tables of a process's lifetime. Nothing here awaits, so every method is atomic."""

from dataclasses import dataclass, field, replace

from trackwire_server.core.entities import (
    DEFAULT_EXPERIMENT_ID,
    DEFAULT_EXPERIMENT_NAME,
    Experiment,
    LifecycleStage,
    MetricSummary,
    Run,
    SeriesContext,
    WriterStamp,
    experiment_artifact_location,
)
from trackwire_server.core.errors import NotFound, RunDeleted, SequenceGap
from trackwire_server.core.issue_entities import Issue
from trackwire_server.core.logged_model_entities import LoggedModel, logged_model_not_found
from trackwire_server.core.run_inputs import Dataset


@dataclass(slots=True)
class MemoryState:
    """Experiments and what they have, in the order of its making. `metrics` stay empty, `summaries` has them."""

    experiments: dict[str, Experiment] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    # By experiment, name and digest.
    datasets: dict[tuple[str, str, str], Dataset] = field(default_factory=dict)
    run_of_request: dict[str, str] = field(default_factory=dict)
    marks: dict[tuple[str, str], int] = field(default_factory=dict)
    summaries: dict[str, dict[tuple[str, SeriesContext], MetricSummary]] = field(default_factory=dict)
    logged_models: dict[str, LoggedModel] = field(default_factory=dict)
    logged_model_of_request: dict[str, str] = field(default_factory=dict)
    issues: dict[str, Issue] = field(default_factory=dict)
    issue_of_request: dict[str, str] = field(default_factory=dict)
    last_experiment_no: int = 0
    # Of the artifacts of experiments that choose no location; "" for the server's own store.
    artifact_root: str = ""

    @classmethod
    def fresh(cls, *, now_ms: int, artifact_root: str = "") -> "MemoryState":
        """As a fresh database: with the default experiment."""
        default = Experiment(
            experiment_id=DEFAULT_EXPERIMENT_ID,
            name=DEFAULT_EXPERIMENT_NAME,
            artifact_location=experiment_artifact_location(DEFAULT_EXPERIMENT_ID, "", artifact_root=artifact_root),
            lifecycle_stage=LifecycleStage.ACTIVE,
            creation_time_ms=now_ms,
            last_update_time_ms=now_ms,
        )
        return cls(experiments={DEFAULT_EXPERIMENT_ID: default}, artifact_root=artifact_root)

    def active_run(self, run_id: str) -> Run:
        """The run. Raises NotFound, RunDeleted."""
        run = self.runs.get(run_id)
        if run is None:
            raise NotFound("run", run_id, field="run_id")
        if run.lifecycle_stage != LifecycleStage.ACTIVE:
            raise RunDeleted(run_id)
        return run

    def active_logged_model(self, model_id: str) -> LoggedModel:
        """The logged model. Raises NotFound, also for a deleted one."""
        model = self.logged_models.get(model_id)
        if model is None or model.deleted_time_ms is not None:
            raise logged_model_not_found(model_id)
        return model

    def forget_logged_model(self, model_id: str) -> None:
        """Removes a logged model for good."""
        del self.logged_models[model_id]
        self.logged_model_of_request = {
            request: made for request, made in self.logged_model_of_request.items() if made != model_id
        }

    def forget_issues(self, experiment_id: str) -> None:
        """Removes the issues of an experiment for good."""
        self.issues = {key: issue for key, issue in self.issues.items() if issue.experiment_id != experiment_id}
        self.issue_of_request = {key: made for key, made in self.issue_of_request.items() if made in self.issues}

    def advance_writer(self, run_id: str, stamp: WriterStamp | None) -> bool:
        """Moves a writer's mark to a stamp; False if it is stored already. Raises SequenceGap."""
        if stamp is None:
            return True
        mark = self.marks.get((run_id, stamp.writer_id), 0)
        if stamp.sequence <= mark:
            return False
        if mark < stamp.previous_sequence:
            raise SequenceGap(stamp.writer_id, mark=mark, previous_sequence=stamp.previous_sequence)
        self.marks[run_id, stamp.writer_id] = stamp.sequence
        return True

    def change_run(self, run: Run, **changes: object) -> Run:
        """Puts a changed run in its place."""
        changed = replace(run, **changes)  # type: ignore[arg-type]  # field names are the callers' own
        self.runs[run.run_id] = changed
        return changed

"""What was deleted, in memory. Nothing here waits for anything, so every method is atomic."""

from collections.abc import Callable, Sequence

from trackwire_server.core.checks import INT64_MAX
from trackwire_server.core.entities import DEFAULT_EXPERIMENT_ID, Experiment, LifecycleStage, Run, Upload
from trackwire_server.stores.memory.artifacts import MemoryUploads
from trackwire_server.stores.memory.run_inputs import forget_unused_datasets
from trackwire_server.stores.memory.state import MemoryState


class MemoryGarbage:
    """GarbageStore over a process's state.

    `forget` are called with the id of each run removed, `forget_model` with that of each logged model.
    """

    def __init__(
        self,
        state: MemoryState,
        uploads: MemoryUploads,
        *,
        forget: Sequence[Callable[[str], None]] = (),
        forget_model: Sequence[Callable[[str], None]] = (),
    ):
        self._state = state
        self._uploads = uploads
        self._forget = forget
        self._forget_model = forget_model

    async def deleted_runs(self, *, before_ms: int, after: str, limit: int) -> Sequence[tuple[str, str]]:
        """See GarbageStore."""
        found = [run for run in self._state.runs.values() if run.run_id > after and _run_is_garbage(run, before_ms)]
        found.sort(key=lambda run: run.run_id)
        return [(run.run_id, run.experiment_id) for run in found[:limit]]

    async def deleted_experiments(self, *, before_ms: int) -> Sequence[str]:
        """See GarbageStore."""
        found = [e.experiment_id for e in self._state.experiments.values() if _experiment_is_garbage(e, before_ms)]
        return sorted(found, key=int)

    async def count_runs(self, experiment_id: str) -> int:
        """See GarbageStore."""
        return sum(run.experiment_id == experiment_id for run in self._state.runs.values())

    async def unfinished_uploads(self, run_id: str) -> Sequence[str]:
        """See GarbageStore."""
        return sorted(upload.upload_id for upload in await self._uploads_of(run_id) if not upload.complete)

    async def remove_run(self, run_id: str, *, before_ms: int) -> bool:
        """See GarbageStore."""
        state = self._state
        run = state.runs.get(run_id)
        if run is None or not _run_is_garbage(run, before_ms):
            return False
        del state.runs[run_id]
        forget_unused_datasets(state, run)
        state.summaries.pop(run_id, None)
        state.run_of_request = {request: owner for request, owner in state.run_of_request.items() if owner != run_id}
        state.marks = {key: mark for key, mark in state.marks.items() if key[0] != run_id}
        for upload in await self._uploads_of(run_id):
            await self._uploads.discard_upload(run_id, upload.upload_id)
        for forget in self._forget:
            forget(run_id)
        return True

    async def remove_experiment(self, experiment_id: str, *, before_ms: int) -> bool:
        """See GarbageStore."""
        experiment = self._state.experiments.get(experiment_id)
        if experiment is None or experiment_id == DEFAULT_EXPERIMENT_ID:
            return False
        if not _experiment_is_garbage(experiment, before_ms) or await self.count_runs(experiment_id):
            return False
        del self._state.experiments[experiment_id]
        self._state.forget_issues(experiment_id)
        for model in list(self._state.logged_models.values()):
            if model.experiment_id == experiment_id:
                self._state.forget_logged_model(model.model_id)
                for forget in self._forget_model:
                    forget(model.model_id)
        return True

    async def _uploads_of(self, run_id: str) -> Sequence[Upload]:
        every = await self._uploads.expired_uploads(before_ms=INT64_MAX, limit=INT64_MAX)
        return [upload for upload in every if upload.owner_id == run_id]


def _run_is_garbage(run: Run, before_ms: int) -> bool:
    deleted_ms = run.deleted_time_ms
    return run.lifecycle_stage == LifecycleStage.DELETED and deleted_ms is not None and deleted_ms <= before_ms


def _experiment_is_garbage(experiment: Experiment, before_ms: int) -> bool:
    # Nothing about a deleted experiment changes: its last update was its deletion.
    return experiment.lifecycle_stage == LifecycleStage.DELETED and experiment.last_update_time_ms <= before_ms

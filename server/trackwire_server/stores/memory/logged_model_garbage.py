"""Logged models that were deleted, in memory. Nothing here waits for anything, so every method is atomic."""

from collections.abc import Iterable, Sequence

from trackwire_server.core.checks import INT64_MAX
from trackwire_server.core.logged_model_entities import GarbageModel, LoggedModel
from trackwire_server.stores.memory.artifacts import MemoryUploads
from trackwire_server.stores.memory.state import MemoryState


class MemoryLoggedModelGarbage:
    """A LoggedModelGarbageStore; `uploads` are those of logged models."""

    def __init__(self, state: MemoryState, uploads: MemoryUploads):
        self._state = state
        self._uploads = uploads

    async def deleted_logged_models(self, *, before_ms: int, after: str, limit: int) -> Sequence[GarbageModel]:
        """See LoggedModelGarbageStore."""
        models = self._state.logged_models.values()
        return _page((model for model in models if _is_garbage(model, before_ms)), after=after, limit=limit)

    async def logged_models_of(self, experiment_id: str, *, after: str, limit: int) -> Sequence[GarbageModel]:
        """See LoggedModelGarbageStore."""
        models = self._state.logged_models.values()
        return _page((model for model in models if model.experiment_id == experiment_id), after=after, limit=limit)

    async def unfinished_uploads(self, model_id: str) -> Sequence[str]:
        """See LoggedModelGarbageStore."""
        every = await self._uploads.expired_uploads(before_ms=INT64_MAX, limit=INT64_MAX)
        return sorted(each.upload_id for each in every if each.owner_id == model_id and not each.complete)

    async def remove_logged_model(self, model_id: str, *, before_ms: int) -> bool:
        """See LoggedModelGarbageStore."""
        model = self._state.logged_models.get(model_id)
        if model is None or not _is_garbage(model, before_ms):
            return False
        self._state.forget_logged_model(model_id)
        self._uploads.forget(model_id)
        return True


def _page(models: Iterable[LoggedModel], *, after: str, limit: int) -> list[GarbageModel]:
    found = sorted((model for model in models if model.model_id > after), key=lambda model: model.model_id)
    return [GarbageModel(model.model_id, model.artifact_uri) for model in found[:limit]]


def _is_garbage(model: LoggedModel, before_ms: int) -> bool:
    return model.deleted_time_ms is not None and model.deleted_time_ms <= before_ms

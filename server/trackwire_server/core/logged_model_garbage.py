"""Collecting logged models: those that were deleted, and all of an experiment that goes.

As runs, in three steps (see admin.py):

    bytes of unfinished uploads  →  the model's rows, or its experiment's  →  its files
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import TypeAlias

from trackwire_server.core.artifact_paths import home_of_model, model_partial_id
from trackwire_server.core.garbage import PAGE, CollectedBytes, Garbage
from trackwire_server.core.logged_model_entities import GarbageModel
from trackwire_server.core.stores import LoggedModelGarbageStore

Find: TypeAlias = Callable[[str], Coroutine[None, None, Sequence[GarbageModel]]]


class LoggedModelCollection:
    """The logged models of one collection; what is taken is noted in `taken`."""

    def __init__(self, store: LoggedModelGarbageStore, collected: CollectedBytes, taken: Garbage, *, before_ms: int):
        self._store = store
        self._collected = collected
        self._taken = taken
        self._before_ms = before_ms

    async def deleted(self) -> AsyncIterator[GarbageModel]:
        """Those that are deleted and old enough."""
        find = self._store.deleted_logged_models
        async for model in _all(lambda after: find(before_ms=self._before_ms, after=after, limit=PAGE)):
            yield model

    async def of_experiment(self, experiment_id: str) -> list[GarbageModel]:
        """All of an experiment but those that are taken."""
        find = self._store.logged_models_of
        found = _all(lambda after: find(experiment_id, after=after, limit=PAGE))
        taken = set(self._taken.model_ids)
        return [model async for model in found if model.model_id not in taken]

    async def take(self, model: GarbageModel, *, dry_run: bool) -> None:
        """Takes a deleted model, unless somebody still uploads to it."""
        sizes = await self.take_uploads([model])
        if sizes is None:
            return
        if not dry_run and not await self._store.remove_logged_model(model.model_id, before_ms=self._before_ms):
            return
        await self.take_files([model], sizes)

    async def take_uploads(self, models: Sequence[GarbageModel]) -> list[int] | None:
        """The sizes of the unfinished uploads of models; None if one is under way."""
        sizes: list[int] = []
        for model in models:
            for upload_id in await self._store.unfinished_uploads(model.model_id):
                name = model_partial_id(model.model_id, upload_id)
                size = await self._collected.take_partial(home_of_model(model.model_id, model.artifact_uri), name)
                if size is None:
                    return None
                sizes.append(size)
        return sizes

    async def take_files(self, models: Sequence[GarbageModel], upload_sizes: Sequence[int]) -> None:
        """Takes the files of models whose rows are gone, and notes all of them."""
        self._taken.uploads += len(upload_sizes)
        self._taken.artifact_bytes += sum(upload_sizes)
        for model in models:
            self._taken.model_ids.append(model.model_id)
            home = home_of_model(model.model_id, model.artifact_uri)
            self._taken.artifact_bytes += await self._collected.take_folder(home)


async def _all(find: Find) -> AsyncIterator[GarbageModel]:
    """Page after page; what a page shows may be removed before the next one."""
    after = ""
    while page := await find(after):
        for model in page:
            yield model
        after = page[-1].model_id

"""What a collection takes, and its bytes: those of unfinished uploads and those in folders of artifacts."""

from dataclasses import dataclass, field

from trackwire_server.core.artifact_paths import ArtifactHome
from trackwire_server.core.artifact_places import ByteStores
from trackwire_server.core.byte_stores import ByteStore
from trackwire_server.core.errors import Aborted, FailedPrecondition, NotFound

PAGE = 1_000


@dataclass(slots=True)
class Garbage:
    """What was removed, or would be."""

    run_ids: list[str] = field(default_factory=list)
    experiment_ids: list[str] = field(default_factory=list)
    model_ids: list[str] = field(default_factory=list)
    uploads: int = 0
    artifact_bytes: int = 0
    # Where artifacts of what was removed are left to those who reach them.
    artifact_uris_left: list[str] = field(default_factory=list)
    # Where uploads had left something that no row told of.
    orphaned_uploads: list[str] = field(default_factory=list)


class CollectedBytes:
    """Removes bytes; in a dry collection it only measures them."""

    def __init__(self, stores: ByteStores, taken: Garbage, *, dry_run: bool):
        self._stores = stores
        self._taken = taken
        self._dry_run = dry_run

    async def take_partial(self, home: ArtifactHome, name: str) -> int | None:
        """The bytes of an unfinished upload, as far as the server reaches them; None if somebody is writing them."""
        try:
            async with self._stores.opened(home) as folder:
                size = await folder.store.partial_size(name)
                if not self._dry_run:
                    await folder.store.discard_partial(name)
        except Aborted:
            return None
        except FailedPrecondition:
            return 0
        return size

    async def take_folder(self, home: ArtifactHome) -> int:
        """The bytes of an owner's files."""
        try:
            async with self._stores.opened(home) as folder:
                if self._dry_run:
                    return await _measure(folder.store, folder.path)
                return await folder.store.delete(folder.path)
        except NotFound:
            return 0
        except FailedPrecondition:
            # They lie where this server may not go: somebody else deletes there.
            self._taken.artifact_uris_left.append(home.uri)
            return 0


async def _measure(store: ByteStore, folder: str) -> int:
    total, after = 0, ""
    while entries := await store.list_folder(folder, after=after, limit=PAGE):
        for entry in entries:
            total += await _measure(store, f"{folder}/{entry.path}") if entry.is_dir else entry.size_bytes
        after = entries[-1].path
    return total

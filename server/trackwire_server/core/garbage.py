"""What a collection takes, and its bytes: those of unfinished uploads and those in folders of artifacts."""

from dataclasses import dataclass, field

from trackwire_server.core.artifact_paths import ArtifactHome
from trackwire_server.core.errors import Aborted, FailedPrecondition, NotFound
from trackwire_server.core.stores import ByteStore

PAGE = 1_000


@dataclass(slots=True)
class Garbage:
    """What was removed, or would be."""

    run_ids: list[str] = field(default_factory=list)
    experiment_ids: list[str] = field(default_factory=list)
    model_ids: list[str] = field(default_factory=list)
    uploads: int = 0
    artifact_bytes: int = 0


class CollectedBytes:
    """Removes bytes; in a dry collection it only measures them."""

    def __init__(self, store: ByteStore, *, dry_run: bool):
        self._store = store
        self._dry_run = dry_run

    async def take_partial(self, partial_id: str) -> int | None:
        """The bytes of an unfinished upload; None if somebody is writing them."""
        size = await self._store.partial_size(partial_id)
        if not self._dry_run:
            try:
                await self._store.discard_partial(partial_id)
            except Aborted:
                return None
        return size

    async def take_folder(self, home: ArtifactHome) -> int:
        """The bytes of an owner's files."""
        try:
            root = home.root()
        except FailedPrecondition:
            return 0  # They lie in a store of somebody else's, who alone may delete there.
        if self._dry_run:
            return await self._measure(root)
        try:
            return await self._store.delete(root)
        except NotFound:
            return 0

    async def _measure(self, folder: str) -> int:
        total, after = 0, ""
        while entries := await self._store.list_folder(folder, after=after, limit=PAGE):
            for entry in entries:
                total += await self._measure(f"{folder}/{entry.path}") if entry.is_dir else entry.size_bytes
            after = entries[-1].path
        return total

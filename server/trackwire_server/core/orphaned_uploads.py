"""What uploads have left in byte stores that no row tells of.

A server may die between the beginning of a multipart upload and its note, or go on with an upload that another one has
just discarded. What is younger than a day may be an upload under way and is left alone. So is what has a row: a row is
there before the first byte, and the rows are looked at when the stores have been, right before anything is removed.

A place where nothing can be looked for, such as one that is gone for good, is no reason to leave other garbage.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from trackwire_server.core.artifact_owners import ArtifactOwners
from trackwire_server.core.artifact_paths import ArtifactHome, home_in
from trackwire_server.core.artifact_places import OWN_SCHEME, ByteStores, scheme_of
from trackwire_server.core.byte_stores import LeftUpload, UploadRemains
from trackwire_server.core.entities import ViewType
from trackwire_server.core.errors import Aborted, FailedPrecondition, TrackwireError
from trackwire_server.core.garbage import PAGE, Garbage
from trackwire_server.core.searching import SearchRequest, parse_search
from trackwire_server.core.stores import ExperimentStore, UploadStore
from trackwire_server.search import EXPERIMENTS

# Of one store in one collection; the next one finds the rest.
ORPHANS_PER_STORE = 10_000
LOOKS_AT_ONCE = 8

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Orphan:
    """What an upload has left, and a home in the store where it lies."""

    home: ArtifactHome
    left: LeftUpload


class OrphanedUploads:
    """Those of one collection, `rows` of which are the uploads that there are."""

    def __init__(
        self, experiments: ExperimentStore, stores: ByteStores, rows: Sequence[tuple[ArtifactOwners, UploadStore]]
    ):
        self._experiments = experiments
        self._stores = stores
        self._rows = rows

    async def homes(self) -> Sequence[ArtifactHome]:
        """A home in each store that an experiment's artifacts lie in."""
        return [home async for home in self._homes()]

    async def find(self, homes: Sequence[ArtifactHome], *, before_ms: int) -> Sequence[Orphan]:
        """What nobody wrote to since a time, and has no row. Where looking fails, the log says so."""
        turns = asyncio.Semaphore(LOOKS_AT_ONCE)

        async def look(home: ArtifactHome) -> Sequence[Orphan]:
            async with turns:
                return [Orphan(home, left) for left in await self._left_at(home, before_ms)]

        async with asyncio.TaskGroup() as group:
            looks = [group.create_task(look(home)) for home in homes]
        return await self._without_row([orphan for each in looks for orphan in each.result()])

    async def take(self, orphans: Sequence[Orphan], taken: Garbage, *, dry_run: bool) -> None:
        """Removes what still has no row, and notes it."""
        for orphan in await self._without_row(orphans):
            if dry_run or await self._discard(orphan):
                taken.orphaned_uploads.append(orphan.left.uri)
                taken.uploads += 1
                taken.artifact_bytes += orphan.left.size_bytes

    async def _discard(self, orphan: Orphan) -> bool:
        try:
            async with self._stores.opened(orphan.home) as folder:
                assert isinstance(folder.store, UploadRemains)
                await folder.store.discard_left(orphan.left)
        except Aborted:
            # A stream has begun to write to it.
            return False
        return True

    async def _left_at(self, home: ArtifactHome, before_ms: int) -> Sequence[LeftUpload]:
        try:
            async with self._stores.opened(home) as folder:
                if not isinstance(folder.store, UploadRemains):
                    return []
                return await folder.store.left_uploads(before_ms=before_ms, limit=ORPHANS_PER_STORE)
        except FailedPrecondition:
            # Others reach what lies there.
            return []
        except TrackwireError as error:
            logger.warning("what uploads have left at %s is not looked for: %s", home.uri, error)
            return []

    async def _without_row(self, orphans: Sequence[Orphan]) -> Sequence[Orphan]:
        if not orphans:
            return []
        known = {
            owners.partial_id(upload.owner_id, upload.upload_id)
            for owners, uploads in self._rows
            for upload in await uploads.unfinished_uploads()
        }
        return [orphan for orphan in orphans if orphan.left.partial_id not in known]

    async def _homes(self) -> AsyncIterator[ArtifactHome]:
        search = parse_search(SearchRequest(view=ViewType.ALL), EXPERIMENTS, page_size_default=PAGE, page_size_max=PAGE)
        seen: set[str] = set()
        query = search.query
        while True:
            page = await self._experiments.search_experiments(query)
            for experiment in page.items:
                home = home_in(experiment.artifact_location)
                # The server's own store has them all below one root.
                store = OWN_SCHEME if scheme_of(home.uri) == OWN_SCHEME else home.uri
                if store not in seen:
                    seen.add(store)
                    yield home
            if page.next_position is None:
                return
            query = replace(query, after=page.next_position)

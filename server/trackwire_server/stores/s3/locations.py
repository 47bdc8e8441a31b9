"""Runs and logged models whose artifacts lie at S3, in folders that an administrator named."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from trackwire_server.core.artifact_paths import ArtifactHome, artifacts_elsewhere
from trackwire_server.core.artifact_places import ArtifactFolder, BucketFolder, Opener, bucket_folder, lies_in
from trackwire_server.stores.s3.bucket import Bucket, opened_client
from trackwire_server.stores.s3.remains import IN_LOCATION
from trackwire_server.stores.s3.settings import S3Settings
from trackwire_server.stores.s3.store import S3Bytes, UploadsUnderWay


@asynccontextmanager
async def opened_locations(allowed: Sequence[BucketFolder], settings: S3Settings) -> AsyncIterator[Opener]:
    """Opens folders of buckets, for as long as the block lasts: those allowed, and what lies in them.

    Whoever makes an experiment chooses its location, and the server's credentials may reach more than that person's: so
    the server goes nowhere else, and to no folder but the owner's own, wherever an import says that it lies.
    A store's root is the experiment's location, so that uploads under way lie in no owner's folder.
    """
    async with opened_client(settings) as client:
        uploads = UploadsUnderWay()

        @asynccontextmanager
        async def opened(home: ArtifactHome) -> AsyncIterator[ArtifactFolder]:
            bucket, location, path = _place_of(home)
            if not any(lies_in((bucket, location), each) for each in allowed):
                raise artifacts_elsewhere(home)
            store = S3Bytes(Bucket(client, bucket, settings), location, uploads, artifacts=IN_LOCATION)
            yield ArtifactFolder(store, path)

        yield opened


def _place_of(home: ArtifactHome) -> tuple[str, str, str]:
    """An owner's bucket, its experiment's folder there and its own folder in that."""
    place = bucket_folder(home.uri)
    if place is None:
        raise artifacts_elsewhere(home)
    parts = place[1].split("/")
    if parts[-2:] != [home.owner_id, "artifacts"] or len(parts) < home.depth:
        raise artifacts_elsewhere(home, "which is no folder of its own")
    return place[0], "/".join(parts[: -home.depth]), "/".join(parts[-home.depth :])

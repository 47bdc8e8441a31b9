"""What those who run a server ask of it: how it is, and to remove for good what was deleted.

A deleted run goes in three steps:

    bytes of unfinished uploads  →  the run's rows, if it is still deleted  →  its artifacts

What fails in the first two is found by the next collection. Artifacts that can't be removed in the third stay where
they are: before the rows, they would be taken from a run that may still be restored.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from trackwire_server.core.artifact_owners import ArtifactOwners, LoggedModelOwners, RunOwners
from trackwire_server.core.artifact_paths import home_of_run, partial_id
from trackwire_server.core.artifact_places import ByteStores
from trackwire_server.core.checks import INT64_MAX, check_run_id
from trackwire_server.core.clock import Clock
from trackwire_server.core.entities import DEFAULT_EXPERIMENT_ID, RUN_ALONE, LifecycleStage, Run
from trackwire_server.core.errors import FailedPrecondition, InvalidArgument, NotFound
from trackwire_server.core.experiments import check_experiment_id
from trackwire_server.core.figures import CommitFigures, CompactionFigures, PoolFigures, QueueDepth
from trackwire_server.core.garbage import PAGE, CollectedBytes, Garbage
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.logged_model_garbage import LoggedModelCollection
from trackwire_server.core.metric_queries import Backlog
from trackwire_server.core.orphaned_uploads import OrphanedUploads
from trackwire_server.core.stores import (
    ExperimentStore,
    GarbageStore,
    LoggedModelGarbageStore,
    LoggedModelStore,
    RunStore,
    UploadStore,
)
from trackwire_server.core.uninterrupted import uninterrupted

EXPIRED_UPLOADS_PER_COLLECTION = 100_000


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What stays as it is while a server lives."""

    version: str
    store: str
    schema_version: int
    artifacts_uri: str
    start_time_ms: int


@dataclass(frozen=True, slots=True)
class GrpcEndpoint:
    """Where gRPC is spoken; `uri` is where clients reach it, and "" where nobody has said so."""

    port: int
    tls: bool
    uri: str = ""


class DataPlane(Protocol):
    """What the data plane has before it; Metrics is one."""

    @property
    def queue(self) -> QueueDepth:
        """What waits in the ingest queue."""

    @property
    def commits(self) -> CommitFigures:
        """What was committed."""

    @property
    def compaction(self) -> CompactionFigures:
        """What was compacted."""

    async def backlog(self) -> Backlog:
        """What waits to be compacted."""


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a server is, and how much it has before it."""

    facts: ServerFacts
    grpc: GrpcEndpoint | None
    backlog: Backlog
    data_plane: DataPlane
    pools: Sequence[PoolFigures]
    now_ms: int


@dataclass(frozen=True, slots=True)
class GarbageRequest:
    """What to collect: all that is deleted, or only the runs and experiments named."""

    older_than_ms: int = 0
    run_ids: Sequence[str] = ()
    experiment_ids: Sequence[str] = ()
    dry_run: bool = False

    @property
    def names_some(self) -> bool:
        """Whether only certain things are to be collected."""
        return bool(self.run_ids or self.experiment_ids)


@dataclass(frozen=True, slots=True)
class AdminStores:
    """The stores whose contents are collected."""

    garbage: GarbageStore
    experiments: ExperimentStore
    runs: RunStore
    uploads: UploadStore
    artifacts: ByteStores
    logged_models: LoggedModelStore
    model_garbage: LoggedModelGarbageStore
    model_uploads: UploadStore


class Admin:
    """The server's own affairs."""

    def __init__(
        self,
        facts: ServerFacts,
        stores: AdminStores,
        *,
        data_plane: DataPlane,
        clock: Clock,
        pools: Sequence[PoolFigures] = (),
    ):
        self.facts = facts
        # Known once the port is bound, for which all this must be there.
        self._grpc: GrpcEndpoint | None = None
        self._pools = pools
        self._stores = stores
        self._data_plane = data_plane
        self._clock = clock

    def listens_at(self, grpc: GrpcEndpoint) -> None:
        """Tells where gRPC is spoken; said once, before anybody can ask."""
        self._grpc = grpc

    async def server_info(self) -> ServerInfo:
        """What the server is, and how much it has before it."""
        backlog = await self._data_plane.backlog()
        return ServerInfo(self.facts, self._grpc, backlog, self._data_plane, self._pools, self._clock())

    async def collect_garbage(self, request: GarbageRequest) -> Garbage:
        """Removes for good what is deleted and old enough. Raises NotFound and FailedPrecondition for what is named."""
        await self._check(request)
        before_ms = self._clock() - request.older_than_ms
        expired_ms = min(before_ms, self._clock() - LIMITS.upload_expiry_seconds * 1_000)
        orphans = _orphaned_uploads(self._stores)
        # An experiment that is taken leaves nothing that tells of its place.
        homes = [] if request.names_some else await orphans.homes()
        collection = _Collection(self._stores, before_ms=before_ms, dry_run=request.dry_run)
        async for run_id in self._run_ids(request, before_ms):
            await collection.take_run(run_id)
        if not request.names_some:
            await collection.take_logged_models()
        async for experiment_id in self._experiment_ids(request, before_ms):
            await collection.take_experiment(experiment_id)
        if not request.names_some:
            await collection.take_expired_uploads(expired_ms)
            found = await orphans.find(homes, before_ms=expired_ms)
            await orphans.take(found, collection.taken, dry_run=request.dry_run)
        return collection.taken

    async def _check(self, request: GarbageRequest) -> None:
        if not 0 <= request.older_than_ms <= INT64_MAX:
            raise InvalidArgument("older_than_ms", request.older_than_ms, "must be 0 or more milliseconds", limit=0)
        _check_count("run_ids", request.run_ids, LIMITS.runs_per_read)
        _check_count("experiment_ids", request.experiment_ids, LIMITS.experiments_per_search)
        for index, run_id in enumerate(request.run_ids):
            run = await self._stores.runs.get_run(check_run_id(f"run_ids[{index}]", run_id), RUN_ALONE)
            _check_deleted("run", run_id, f"run_ids[{index}]", run.lifecycle_stage)
        for index, experiment_id in enumerate(request.experiment_ids):
            check_experiment_id(f"experiment_ids[{index}]", experiment_id)
            experiment = await self._stores.experiments.get_experiment(experiment_id)
            _check_deleted("experiment", experiment_id, f"experiment_ids[{index}]", experiment.lifecycle_stage)
            _check_removable(experiment_id, f"experiment_ids[{index}]")

    async def _run_ids(self, request: GarbageRequest, before_ms: int) -> AsyncIterator[str]:
        """Runs that are deleted and old enough: those named, those of named experiments, or all."""
        named = set(request.run_ids)
        garbage = self._stores.garbage
        after = ""
        while page := await garbage.deleted_runs(before_ms=before_ms, after=after, limit=PAGE):
            for run_id, experiment_id in page:
                if not request.names_some or run_id in named or experiment_id in request.experiment_ids:
                    yield run_id
            after = page[-1][0]

    async def _experiment_ids(self, request: GarbageRequest, before_ms: int) -> AsyncIterator[str]:
        for experiment_id in await self._stores.garbage.deleted_experiments(before_ms=before_ms):
            if experiment_id != DEFAULT_EXPERIMENT_ID and (
                experiment_id in request.experiment_ids or not request.names_some
            ):
                yield experiment_id


class _Collection:
    """One collection under way; a dry one measures what the other removes."""

    def __init__(self, stores: AdminStores, *, before_ms: int, dry_run: bool):
        self._stores = stores
        self._before_ms = before_ms
        self._dry_run = dry_run
        self._runs_taken: dict[str, int] = {}
        self.taken = Garbage()
        self._collected = CollectedBytes(stores.artifacts, self.taken, dry_run=dry_run)
        self._models = LoggedModelCollection(stores.model_garbage, self._collected, self.taken, before_ms=before_ms)

    async def take_run(self, run_id: str) -> None:
        """Takes a run with its uploads and artifacts, unless somebody restored it or still uploads to it."""
        try:
            run = await self._stores.runs.get_run(run_id, RUN_ALONE)
        except NotFound:
            return
        # A client that goes away must not leave a run without rows whose artifacts nobody finds any more.
        await uninterrupted(self._take(run))

    async def _take(self, run: Run) -> None:
        unfinished = await self._stores.garbage.unfinished_uploads(run.run_id)
        home = home_of_run(run)
        partials = (partial_id(run.run_id, upload_id) for upload_id in unfinished)
        sizes = [await self._collected.take_partial(home, partial) for partial in partials]
        if None in sizes:
            return
        if not self._dry_run and not await self._stores.garbage.remove_run(run.run_id, before_ms=self._before_ms):
            return
        self.taken.run_ids.append(run.run_id)
        self._runs_taken[run.experiment_id] = self._runs_taken.get(run.experiment_id, 0) + 1
        self.taken.uploads += len(unfinished)
        self.taken.artifact_bytes += sum(size or 0 for size in sizes) + await self._collected.take_folder(home)

    async def take_logged_models(self) -> None:
        """Takes logged models that are deleted and old enough."""
        async for model in self._models.deleted():
            await uninterrupted(self._models.take(model, dry_run=self._dry_run))

    async def take_experiment(self, experiment_id: str) -> None:
        """Takes an experiment that has no runs left, after those that were taken, with its logged models."""
        left = await self._stores.garbage.count_runs(experiment_id)
        if left == (self._runs_taken.get(experiment_id, 0) if self._dry_run else 0):
            await uninterrupted(self._take_experiment(experiment_id))

    async def _take_experiment(self, experiment_id: str) -> None:
        models = await self._models.of_experiment(experiment_id)
        sizes = await self._models.take_uploads(models)
        if sizes is None:
            return
        garbage = self._stores.garbage
        if self._dry_run or await garbage.remove_experiment(experiment_id, before_ms=self._before_ms):
            self.taken.experiment_ids.append(experiment_id)
            await self._models.take_files(models, sizes)

    async def take_expired_uploads(self, expired_ms: int) -> None:
        """Takes uploads that were not finished and not resumed for a day; those of what was taken are gone."""
        stores = self._stores
        of_models = LoggedModelOwners(stores.logged_models)
        await self._take_expired(RunOwners(stores.runs), stores.uploads, self.taken.run_ids, expired_ms)
        await self._take_expired(of_models, stores.model_uploads, self.taken.model_ids, expired_ms)

    async def _take_expired(
        self, owners: ArtifactOwners, uploads: UploadStore, taken: Sequence[str], expired_ms: int
    ) -> None:
        gone = set(taken)
        for upload in await uploads.expired_uploads(before_ms=expired_ms, limit=EXPIRED_UPLOADS_PER_COLLECTION):
            if upload.complete or upload.owner_id in gone:
                continue
            try:
                home = await owners.find(upload.owner_id, owners.field, to_write=False)
            except NotFound:
                continue
            size = await self._collected.take_partial(home, owners.partial_id(upload.owner_id, upload.upload_id))
            if size is None:
                continue
            if not self._dry_run:
                await uploads.discard_upload(upload.owner_id, upload.upload_id)
            self.taken.uploads += 1
            self.taken.artifact_bytes += size


def _orphaned_uploads(stores: AdminStores) -> OrphanedUploads:
    rows = ((RunOwners(stores.runs), stores.uploads), (LoggedModelOwners(stores.logged_models), stores.model_uploads))
    return OrphanedUploads(stores.experiments, stores.artifacts, rows)


def _check_count(field_name: str, ids: Sequence[str], limit: int) -> None:
    if len(ids) > limit:
        raise InvalidArgument(field_name, len(ids), f"at most {limit:,} ids are allowed in one request", limit=limit)


def _check_deleted(kind: str, name: str, field_name: str, stage: LifecycleStage) -> None:
    if stage != LifecycleStage.DELETED:
        raise FailedPrecondition(
            f"{field_name}: {name!r}: this {kind} is not deleted: delete it before removing it for good",
            reason=f"{kind.upper()}_NOT_DELETED",
            metadata={"field": field_name, "value": name},
        )


def _check_removable(experiment_id: str, field_name: str) -> None:
    if experiment_id == DEFAULT_EXPERIMENT_ID:
        raise FailedPrecondition(
            f"{field_name}: {experiment_id!r}: the default experiment always exists, it can only be marked as deleted",
            reason="DEFAULT_EXPERIMENT",
            metadata={"field": field_name, "value": experiment_id},
        )

"""The rules of runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from trackwire_server.core.checks import (
    check_characters,
    check_entries,
    check_key,
    check_page_size,
    check_required,
    check_run_id,
    check_time,
    check_token,
)
from trackwire_server.core.clock import Clock, NewId
from trackwire_server.core.columns import check_stamp
from trackwire_server.core.entities import (
    DEFAULT_EXPERIMENT_ID,
    PARENT_RUN_TAG,
    RUN_NAME_TAG,
    ExperimentReference,
    LifecycleStage,
    NewRun,
    Run,
    RunChange,
    RunSelection,
    RunStatus,
    Selection,
    ViewType,
    WriterStamp,
)
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.experiments import (
    check_experiment_id,
    check_experiment_name,
    check_experiments_searched,
)
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.names import readable_name
from trackwire_server.core.paging import encode_token, fingerprint
from trackwire_server.core.run_inputs import DatasetSummary, RunInputs, RunOutputs, checked_inputs, checked_outputs
from trackwire_server.core.run_keys import RunKey, RunKeyKind, RunKeyQuery, checked_kinds
from trackwire_server.core.searching import SearchRequest, parse_search, position_in
from trackwire_server.core.stores import RunDataStore, RunInputStore, RunStore
from trackwire_server.search import RUNS, ValueType

_UNSAID_EXPERIMENT = ExperimentReference()
# Of a DatasetSummary: the experiment's number, name, digest and context.
_DATASET_POSITION = (ValueType.INTEGER, ValueType.STRING, ValueType.STRING, ValueType.STRING)
# Of a RunKey: its kind and itself.
_KEY_POSITION = (ValueType.STRING, ValueType.STRING)


@dataclass(frozen=True, slots=True)
class RunDraft:
    """A run as it is asked for; what is empty or None is chosen by `Runs.create`."""

    request_id: str = ""
    run_id: str = ""
    join: bool = False
    experiment: ExperimentReference = _UNSAID_EXPERIMENT
    run_name: str = ""
    user_id: str = ""
    status: RunStatus | None = None
    start_time_ms: int | None = None
    parent_run_id: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The answer to a sign of life."""

    stop_requested: bool
    server_time_ms: int


class Runs:
    """What may be done with runs."""

    def __init__(self, runs: RunStore, data: RunDataStore, inputs: RunInputStore, clock: Clock, new_id: NewId):
        self._runs = runs
        self._data = data
        self._inputs = inputs
        self._clock = clock
        self._new_id = new_id

    async def create(self, draft: RunDraft) -> tuple[Run, bool]:
        """Makes a run, or opens the one that is there; True if made now. Raises as RunStore.create_run."""
        _check_draft(draft)
        now_ms = self._clock()
        name = check_agreed("run_name", draft.run_name, draft.tags, RUN_NAME_TAG) or readable_name(self._new_id())
        parent_run_id = check_agreed("parent_run_id", draft.parent_run_id, draft.tags, PARENT_RUN_TAG)
        own_tags = {RUN_NAME_TAG: name} | ({PARENT_RUN_TAG: parent_run_id} if parent_run_id else {})
        status = draft.status or RunStatus.RUNNING
        start_time_ms = now_ms if draft.start_time_ms is None else draft.start_time_ms
        return await self._runs.create_run(
            NewRun(
                run_id=draft.run_id or self._new_id(),
                run_name=name,
                experiment=_experiment_of(draft),
                user_id=draft.user_id,
                status=status,
                start_time_ms=start_time_ms,
                creation_time_ms=now_ms,
                end_time_ms=max(now_ms, start_time_ms) if status.is_terminal else None,
                request_id=draft.request_id,
                join=draft.join,
                parent_run_id=parent_run_id,
                params=dict(draft.params),
                tags={**draft.tags, **own_tags},
            )
        )

    async def get(self, run_id: str, selection: RunSelection | None = None) -> Run:
        """A run with its data, deleted or not. Raises NotFound."""
        return await self._runs.get_run(check_run_id("run_id", run_id), selection or RunSelection())

    async def search(self, request: SearchRequest, selection: RunSelection | None = None) -> tuple[Sequence[Run], str]:
        """A page of runs, and the token of the next one."""
        selection = selection or RunSelection()
        check_experiments_searched(request.experiment_ids)
        for name in ("metrics", "params", "tags"):
            _check_selection(name, getattr(selection, name))
        search = parse_search(
            replace(request, experiment_ids=tuple(dict.fromkeys(request.experiment_ids))),
            RUNS,
            page_size_default=LIMITS.page_size_default,
            page_size_max=LIMITS.runs_page_size,
        )
        page = await self._runs.search_runs(search.query, selection)
        return page.items, search.token(page.next_position)

    async def update(
        self,
        run_id: str,
        *,
        status: RunStatus | None = None,
        end_time_ms: int | None = None,
        run_name: str | None = None,
        stamp: WriterStamp | None = None,
    ) -> Run:
        """Changes an active run; without its data. Raises NotFound, RunDeleted, SequenceGap.

        A terminal status sets the end time where none is given; RUNNING and SCHEDULED clear it, and a
        request to stop too.
        """
        check_run_id("run_id", run_id)
        check_stamp(stamp)
        if run_name is not None:
            check_required("run_name", run_name, LIMITS.run_name_characters)
        if end_time_ms is not None:
            check_time("end_time_ms", end_time_ms)
        goes_on = status is not None and not status.is_terminal
        if goes_on and end_time_ms is not None:
            raise InvalidArgument("end_time_ms", end_time_ms, f"a run that is {status} has no end time")
        change = RunChange(
            status=status,
            end_time_ms=end_time_ms,
            default_end_time_ms=self._clock() if status is not None and status.is_terminal else None,
            goes_on=goes_on,
            run_name=run_name,
        )
        return await self._runs.update_run(run_id, change, stamp)

    async def delete(self, run_id: str) -> None:
        """Deletes a run; deleted already is fine. Raises NotFound."""
        check_run_id("run_id", run_id)
        await self._runs.set_run_stage(run_id, LifecycleStage.DELETED, now_ms=self._clock())

    async def restore(self, run_id: str) -> None:
        """Restores a run; active already is fine. Raises NotFound."""
        check_run_id("run_id", run_id)
        await self._runs.set_run_stage(run_id, LifecycleStage.ACTIVE, now_ms=self._clock())

    async def log_params(self, run_id: str, params: Mapping[str, str], stamp: WriterStamp | None = None) -> None:
        """Logs params, all or none. Raises NotFound, RunDeleted, ParamAlreadySet, SequenceGap."""
        check_run_id("run_id", run_id)
        check_stamp(stamp)
        check_params(params)
        await self._data.log_params(run_id, params, stamp)

    async def set_tags(self, run_id: str, tags: Mapping[str, str], stamp: WriterStamp | None = None) -> None:
        """Sets tags; those of the name and of the parent change these too. Raises NotFound, RunDeleted, SequenceGap."""
        check_run_id("run_id", run_id)
        check_stamp(stamp)
        check_tags(run_id, tags)
        await self._data.set_run_tags(run_id, tags, stamp)

    async def delete_tag(self, run_id: str, key: str, stamp: WriterStamp | None = None) -> None:
        """Deletes a tag. Raises NotFound, also for the tag, and RunDeleted, SequenceGap."""
        check_run_id("run_id", run_id)
        check_stamp(stamp)
        check_key("key", key)
        if key == RUN_NAME_TAG:
            raise InvalidArgument("key", key, "is the run's name, which can be changed but not deleted")
        await self._data.delete_run_tag(run_id, key, stamp)

    async def log_inputs(self, run_id: str, inputs: RunInputs, stamp: WriterStamp | None = None) -> None:
        """Adds to what the run was given. Raises NotFound, RunDeleted, SequenceGap."""
        check_run_id("run_id", run_id)
        check_stamp(stamp)
        await self._inputs.log_run_inputs(run_id, checked_inputs(inputs), stamp)

    async def log_outputs(self, run_id: str, outputs: RunOutputs, stamp: WriterStamp | None = None) -> None:
        """Adds to what the run has made. Raises NotFound, RunDeleted, SequenceGap."""
        check_run_id("run_id", run_id)
        check_stamp(stamp)
        await self._inputs.log_run_outputs(run_id, checked_outputs(outputs), stamp)

    async def search_datasets(
        self, experiment_ids: Sequence[str], *, page_size: int = 0, page_token: str = ""
    ) -> tuple[Sequence[DatasetSummary], str]:
        """A page of what runs of experiments were given, and the token of the next one."""
        check_experiments_searched(experiment_ids)
        maximum = LIMITS.datasets_page_size
        query = fingerprint("datasets of runs", sorted(experiment_ids))
        page = await self._inputs.search_run_datasets(
            tuple(dict.fromkeys(experiment_ids)),
            page_size=check_page_size(page_size, default=maximum, maximum=maximum),
            after=position_in(query, page_token, _DATASET_POSITION, may_be_missing=False),
        )
        return page.items, encode_token(query, page.next_position)

    async def list_keys(
        self,
        experiment_ids: Sequence[str],
        kinds: Sequence[RunKeyKind] = (),
        *,
        view: ViewType = ViewType.ACTIVE_ONLY,
        page_size: int = 0,
        page_token: str = "",
    ) -> tuple[Sequence[RunKey], str]:
        """A page of the keys that runs of experiments have, and the token of the next one; of all kinds without any."""
        check_experiments_searched(experiment_ids)
        maximum = LIMITS.run_keys_page_size
        wanted = checked_kinds(kinds)
        digest = fingerprint("keys of runs", sorted(experiment_ids), wanted, view)
        query = RunKeyQuery(
            tuple(dict.fromkeys(experiment_ids)),
            wanted,
            view,
            page_size=check_page_size(page_size, default=maximum, maximum=maximum),
            after=position_in(digest, page_token, _KEY_POSITION, may_be_missing=False),
        )
        page = await self._runs.list_run_keys(query)
        return page.items, encode_token(digest, page.next_position)

    async def heartbeat(self, run_id: str) -> Heartbeat:
        """Notes that the run's process lives. Raises NotFound, RunDeleted."""
        check_run_id("run_id", run_id)
        now_ms = self._clock()
        return Heartbeat(await self._data.heartbeat(run_id, now_ms=now_ms), now_ms)

    async def request_stop(self, run_id: str) -> None:
        """Notes that the run's process should stop. Raises NotFound, RunDeleted."""
        await self._data.request_stop(check_run_id("run_id", run_id))


def check_params(params: Mapping[str, str]) -> None:
    """Params that are logged. Raises InvalidArgument."""
    check_entries("params", params, value_limit=LIMITS.param_value_characters)


def check_tags(run_id: str, tags: Mapping[str, str]) -> None:
    """Tags that are set of a run. Raises InvalidArgument."""
    _check_tags(tags)
    if tags.get(PARENT_RUN_TAG) == run_id:
        raise InvalidArgument(f"tags[{PARENT_RUN_TAG}]", run_id, "a run is not its own parent")


def _check_draft(draft: RunDraft) -> None:
    if draft.request_id:
        check_token("request_id", draft.request_id, LIMITS.request_id_characters)
    if draft.run_id:
        check_run_id("run_id", draft.run_id)
    elif draft.join:
        raise InvalidArgument("run_id", "", "is required with IF_EXISTS_JOIN", reason="REQUIRED")
    check_characters("run_name", draft.run_name, LIMITS.run_name_characters)
    check_characters("user_id", draft.user_id, LIMITS.user_id_characters)
    if draft.start_time_ms is not None:
        check_time("start_time_ms", draft.start_time_ms)
    if draft.parent_run_id:
        check_run_id("parent_run_id", draft.parent_run_id)
        if draft.parent_run_id == draft.run_id:
            raise InvalidArgument("parent_run_id", draft.parent_run_id, "a run is not its own parent")
    check_entries("params", draft.params, value_limit=LIMITS.param_value_characters, required=False)
    _check_tags(draft.tags, required=False)


def _check_tags(tags: Mapping[str, str], *, required: bool = True) -> None:
    check_entries("tags", tags, value_limit=LIMITS.tag_value_characters, required=required)
    if RUN_NAME_TAG in tags:
        check_required(f"tags[{RUN_NAME_TAG}]", tags[RUN_NAME_TAG], LIMITS.run_name_characters)
    if tags.get(PARENT_RUN_TAG):
        check_run_id(f"tags[{PARENT_RUN_TAG}]", tags[PARENT_RUN_TAG])


def check_agreed(field: str, value: str, tags: Mapping[str, str], tag: str) -> str:
    """What a field and the tag that says the same agree on; either may be empty."""
    tagged = tags.get(tag, "")
    if value and tagged and value != tagged:
        raise InvalidArgument(field, value, f"the tag {tag} says otherwise: {tagged!r}")
    return value or tagged


def _experiment_of(draft: RunDraft) -> ExperimentReference:
    wanted = draft.experiment
    if wanted.name:
        check_experiment_name("experiment_name", wanted.name)
        return wanted
    if wanted.create:
        raise InvalidArgument("experiment_name", "", "is required with create_experiment", reason="REQUIRED")
    if not wanted.experiment_id:
        return ExperimentReference(DEFAULT_EXPERIMENT_ID)
    check_experiment_id("experiment_id", wanted.experiment_id)
    return wanted


def _check_selection(name: str, selection: Selection) -> None:
    limit = LIMITS.entries_per_request
    if selection.keys is not None and len(selection.keys) > limit:
        raise InvalidArgument(
            f"{name}.keys", len(selection.keys), f"at most {limit:,} keys are allowed in one request", limit=limit
        )

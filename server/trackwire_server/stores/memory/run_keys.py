"""The keys that runs have, in memory."""

from collections.abc import Iterable, Iterator

from trackwire_server.core.entities import Run
from trackwire_server.core.paging import Page
from trackwire_server.core.run_keys import RunKey, RunKeyKind, RunKeyQuery
from trackwire_server.stores.memory.state import MemoryState


def list_keys(state: MemoryState, query: RunKeyQuery) -> Page[RunKey]:
    """Looks at every run."""
    stages = query.view.stages()
    found = {
        key
        for run in state.runs.values()
        if run.experiment_id in query.experiment_ids and run.lifecycle_stage in stages
        for key in _keys_of(state, run, query.kinds)
    }
    behind = sorted((key for key in found if query.after is None or key.position > query.after), key=_position)
    page = behind[: query.page_size]
    return Page(page, page[-1].position if len(behind) > len(page) else None)


def _keys_of(state: MemoryState, run: Run, kinds: Iterable[RunKeyKind]) -> Iterator[RunKey]:
    summaries = state.summaries.get(run.run_id, {}).values()
    keys: dict[RunKeyKind, Iterable[str]] = {
        RunKeyKind.METRIC: (summary.key for summary in summaries if summary.primary),
        RunKeyKind.PARAM: run.params,
        RunKeyKind.TAG: run.tags,
    }
    for kind in kinds:
        yield from (RunKey(kind, key) for key in keys[kind])


def _position(key: RunKey) -> tuple[str, str]:
    return key.position

"""What runs are given and what they make, in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from trackwire_server.core.entities import Run, WriterStamp
from trackwire_server.core.paging import Page, Position
from trackwire_server.core.run_inputs import DatasetInput, DatasetSummary, RunInputs, RunOutputs
from trackwire_server.stores.memory.state import MemoryState


class MemoryRunInputs:
    """A RunInputStore."""

    def __init__(self, state: MemoryState):
        self._state = state

    async def log_run_inputs(self, run_id: str, inputs: RunInputs, stamp: WriterStamp | None) -> None:
        """Looks each dataset up among those of the experiment."""
        run = self._state.active_run(run_id)
        if self._state.advance_writer(run_id, stamp):
            given = (dataset_of_experiment(self._state, run.experiment_id, each) for each in inputs.datasets)
            found = replace(inputs, datasets=tuple(given))
            self._state.change_run(run, inputs=run.inputs.joined(found))

    async def log_run_outputs(self, run_id: str, outputs: RunOutputs, stamp: WriterStamp | None) -> None:
        """Adds to those of the run."""
        run = self._state.active_run(run_id)
        if self._state.advance_writer(run_id, stamp):
            self._state.change_run(run, outputs=run.outputs.joined(outputs))

    async def search_run_datasets(
        self, experiment_ids: Sequence[str], *, page_size: int, after: Position | None
    ) -> Page[DatasetSummary]:
        """Looks at every run."""
        runs = [run for run in self._state.runs.values() if run.experiment_id in experiment_ids]
        found = sorted(set(chain.from_iterable(map(_summaries_of, runs))), key=_position)
        behind = [each for each in found if after is None or _position(each) > after]
        page = behind[:page_size]
        return Page(page, _position(page[-1]) if len(behind) > len(page) else None)


def dataset_of_experiment(state: MemoryState, experiment_id: str, given: DatasetInput) -> DatasetInput:
    """What a run was given, as its experiment has it by name and digest."""
    key = (experiment_id, *given.dataset.identity)
    return replace(given, dataset=state.datasets.setdefault(key, given.dataset))


def forget_unused_datasets(state: MemoryState, removed: Run) -> None:
    """Forgets what a run that is gone was given, unless another one was given it too."""
    kept = {
        each.dataset.identity
        for run in state.runs.values()
        if run.experiment_id == removed.experiment_id
        for each in run.inputs.datasets
    }
    for each in removed.inputs.datasets:
        if each.dataset.identity not in kept:
            del state.datasets[removed.experiment_id, *each.dataset.identity]


def _summaries_of(run: Run) -> Iterator[DatasetSummary]:
    for each in run.inputs.datasets:
        yield DatasetSummary(run.experiment_id, *each.dataset.identity, each.context)


def _position(summary: DatasetSummary) -> tuple[int, str, str, str]:
    return int(summary.experiment_id), summary.name, summary.digest, summary.context

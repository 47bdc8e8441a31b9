"""What every RunInputStore does, and what its datasets become when runs are removed for good."""

import pytest
from tests.conftest import NOW_MS
from tests.stores.conftest import Stores, new_run

from trackwire_server.core.entities import (
    RUN_ALONE,
    LifecycleStage,
    NewExperiment,
    Run,
    RunChange,
    RunSelection,
    WriterStamp,
)
from trackwire_server.core.errors import NotFound, RunDeleted, SequenceGap
from trackwire_server.core.run_inputs import (
    CONTEXT_TAG,
    NO_INPUTS,
    NO_OUTPUTS,
    Dataset,
    DatasetInput,
    DatasetSummary,
    DatasetView,
    ModelOutput,
    RunInputs,
    RunOutputs,
)
from trackwire_server.core.searching import SearchRequest, parse_search
from trackwire_server.search import RUNS

DELETED = LifecycleStage.DELETED
TRAIN = Dataset("train", "d1", "local", "/data/train", '{"columns": []}', '{"rows": 3}')
TEST = Dataset("test", "d1", "s3", "s3://bucket/test")


def given(*datasets: Dataset, context: str = "", **tags: str) -> RunInputs:
    said = {CONTEXT_TAG: context} if context else {}
    return RunInputs(tuple(DatasetInput(dataset, {**said, **tags}) for dataset in datasets))


async def get(stores: Stores, run_id: str, selection: RunSelection | None = None) -> Run:
    return await stores.runs.get_run(run_id, selection or RunSelection())


async def test_inputs_come_back_in_the_order_in_which_they_were_logged(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r"))
    assert (await get(stores, "r")).inputs == NO_INPUTS
    await stores.run_inputs.log_run_inputs("r", given(TRAIN, context="training", split="a"), None)
    await stores.run_inputs.log_run_inputs("r", RunInputs((DatasetInput(TEST),), ("m-2", "m-1")), None)
    await stores.run_inputs.log_run_inputs("r", RunInputs(model_ids=("m-0",)), None)
    train = DatasetInput(TRAIN, {CONTEXT_TAG: "training", "split": "a"})
    assert (await get(stores, "r")).inputs == RunInputs((train, DatasetInput(TEST)), ("m-2", "m-1", "m-0"))


async def test_what_a_run_was_given_stays_as_it_is(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r"))
    await stores.run_inputs.log_run_inputs("r", given(TRAIN, context="training"), None)
    again = Dataset(TRAIN.name, TRAIN.digest, "other", "other", "other", "other")
    await stores.run_inputs.log_run_inputs("r", given(again, TEST, context="evaluation", more="x"), None)
    evaluation = {CONTEXT_TAG: "evaluation", "more": "x"}
    assert (await get(stores, "r")).inputs.datasets == (
        DatasetInput(TRAIN, {CONTEXT_TAG: "training"}),
        DatasetInput(TEST, evaluation),
    )


async def test_one_name_and_digest_are_one_dataset_in_an_experiment(stores: Stores) -> None:
    other = await stores.experiments.create_experiment(NewExperiment("other", NOW_MS))
    await stores.runs.create_run(new_run("a"))
    await stores.runs.create_run(new_run("b"))
    await stores.runs.create_run(new_run("c", experiment_id=other.experiment_id))
    same = Dataset(TRAIN.name, TRAIN.digest, source="elsewhere")
    digest = Dataset(TRAIN.name, "d2", source="elsewhere")
    await stores.run_inputs.log_run_inputs("a", given(TRAIN), None)
    for run_id in ("b", "c"):
        await stores.run_inputs.log_run_inputs(run_id, given(same, digest, tag="x"), None)
    assert [each.dataset for each in (await get(stores, "b")).inputs.datasets] == [TRAIN, digest]
    assert [each.dataset for each in (await get(stores, "c")).inputs.datasets] == [same, digest]


async def test_outputs_come_back_and_keep_their_first_step(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r"))
    assert (await get(stores, "r")).outputs == NO_OUTPUTS
    made = RunOutputs((ModelOutput("m-2", 2**62), ModelOutput("m-1", -1)))
    await stores.run_inputs.log_run_outputs("r", made, None)
    await stores.run_inputs.log_run_outputs("r", RunOutputs((ModelOutput("m-1", 7), ModelOutput("m-3"))), None)
    # A model may be both.
    await stores.run_inputs.log_run_inputs("r", RunInputs(model_ids=("m-1",)), None)
    run = await get(stores, "r")
    assert run.outputs == RunOutputs((*made.models, ModelOutput("m-3", 0)))
    assert run.inputs == RunInputs(model_ids=("m-1",))


async def test_selection_says_how_much_comes_back(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r"))
    await stores.run_inputs.log_run_inputs("r", RunInputs(given(TRAIN, context="c").datasets, ("m",)), None)
    await stores.run_inputs.log_run_outputs("r", RunOutputs((ModelOutput("m"),)), None)
    alone = await get(stores, "r", RUN_ALONE)
    assert (alone.inputs, alone.outputs) == (NO_INPUTS, NO_OUTPUTS)
    basic = await get(stores, "r", RunSelection(datasets=DatasetView.BASIC, models=False))
    bare = Dataset(TRAIN.name, TRAIN.digest, TRAIN.source_type, TRAIN.source)
    assert basic.inputs == RunInputs((DatasetInput(bare, {CONTEXT_TAG: "c"}),))
    models = await get(stores, "r", RunSelection(datasets=DatasetView.NONE))
    assert (models.inputs, models.outputs) == (RunInputs(model_ids=("m",)), RunOutputs((ModelOutput("m"),)))


async def test_search_brings_the_datasets_of_each_run(stores: Stores) -> None:
    for at in range(3):
        await stores.runs.create_run(new_run(f"r{at}", start_time_ms=at))
    await stores.run_inputs.log_run_inputs("r0", given(TRAIN, TEST, context="c"), None)
    await stores.run_inputs.log_run_inputs("r2", given(TRAIN, context="d"), None)
    query = parse_search(SearchRequest(experiment_ids=("0",)), RUNS, page_size_default=9, page_size_max=9).query
    page = await stores.runs.search_runs(query, RunSelection())
    found = {run.run_id: [(each.dataset, each.context) for each in run.inputs.datasets] for run in page.items}
    assert found == {"r2": [(TRAIN, "d")], "r1": [], "r0": [(TRAIN, "c"), (TEST, "c")]}


async def test_changed_run_comes_back_without_inputs(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r"))
    await stores.run_inputs.log_run_inputs("r", given(TRAIN), None)
    changed = await stores.runs.update_run("r", RunChange(run_name="x"), None)
    assert (changed.inputs, changed.outputs) == (NO_INPUTS, NO_OUTPUTS)
    joined, created = await stores.runs.create_run(new_run("r", join=True))
    assert not created
    assert joined.inputs == given(TRAIN)


async def test_unknown_and_deleted_runs_refuse(stores: Stores) -> None:
    outputs = RunOutputs((ModelOutput("m"),))
    with pytest.raises(NotFound):
        await stores.run_inputs.log_run_inputs("r", given(TRAIN), None)
    with pytest.raises(NotFound):
        await stores.run_inputs.log_run_outputs("r", outputs, None)
    await stores.runs.create_run(new_run("r"))
    await stores.runs.set_run_stage("r", DELETED, now_ms=NOW_MS)
    with pytest.raises(RunDeleted):
        await stores.run_inputs.log_run_inputs("r", given(TRAIN), None)
    with pytest.raises(RunDeleted):
        await stores.run_inputs.log_run_outputs("r", outputs, None)
    run = await get(stores, "r")
    assert (run.inputs, run.outputs) == (NO_INPUTS, NO_OUTPUTS)
    assert await datasets_of(stores, "0") == []


async def test_stamped_inputs_are_stored_once_and_in_order(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r"))
    first, second = WriterStamp("w", 1, 0), WriterStamp("w", 2, 1)
    await stores.run_inputs.log_run_inputs("r", given(TRAIN), first)
    await stores.run_inputs.log_run_outputs("r", RunOutputs((ModelOutput("m"),)), second)
    await stores.run_inputs.log_run_inputs("r", given(TEST), first)
    await stores.run_inputs.log_run_outputs("r", RunOutputs((ModelOutput("other"),)), second)
    for log, what in (
        (stores.run_inputs.log_run_inputs, given(TEST)),
        (stores.run_inputs.log_run_outputs, RunOutputs((ModelOutput("other"),))),
    ):
        with pytest.raises(SequenceGap):
            await log("r", what, WriterStamp("w", 9, 8))  # type: ignore[operator]  # each with what it takes
    run = await get(stores, "r")
    assert (run.inputs, run.outputs) == (given(TRAIN), RunOutputs((ModelOutput("m"),)))


async def datasets_of(stores: Stores, *experiment_ids: str, page_size: int = 100) -> list[DatasetSummary]:
    """All pages."""
    search = stores.run_inputs.search_run_datasets
    page = await search(experiment_ids, page_size=page_size, after=None)
    found = [*page.items]
    while page.next_position is not None:
        assert len(page.items) == page_size
        page = await search(experiment_ids, page_size=page_size, after=page.next_position)
        found += page.items
    return found


@pytest.mark.parametrize("page_size", [1, 2, 3, 100])
async def test_datasets_of_experiments_come_each_once_and_in_order(stores: Stores, page_size: int) -> None:
    other = (await stores.experiments.create_experiment(NewExperiment("other", NOW_MS))).experiment_id
    for run_id, experiment_id in (("a", "0"), ("b", "0"), ("c", other), ("gone", "0")):
        await stores.runs.create_run(new_run(run_id, experiment_id=experiment_id))
    capital, accent = Dataset("Train", "d1"), Dataset("é", "d1")
    for run_id in ("a", "b"):
        await stores.run_inputs.log_run_inputs(run_id, given(TRAIN, context="training"), None)
    await stores.run_inputs.log_run_inputs("a", given(accent, capital), None)
    await stores.run_inputs.log_run_inputs("b", given(Dataset("train", "d0")), None)
    await stores.run_inputs.log_run_inputs("c", given(TRAIN), None)
    await stores.run_inputs.log_run_inputs("gone", given(TRAIN, context="evaluation"), None)
    await stores.runs.set_run_stage("gone", DELETED, now_ms=NOW_MS)
    expected = [
        DatasetSummary("0", "Train", "d1", ""),
        DatasetSummary("0", "train", "d0", ""),
        DatasetSummary("0", "train", "d1", "evaluation"),
        DatasetSummary("0", "train", "d1", "training"),
        DatasetSummary("0", "é", "d1", ""),
        DatasetSummary(other, "train", "d1", ""),
    ]
    assert await datasets_of(stores, other, "0", "77", page_size=page_size) == expected
    assert await datasets_of(stores, other, page_size=page_size) == expected[5:]
    assert await datasets_of(stores, "77", page_size=page_size) == []


async def test_removed_run_takes_along_what_no_other_run_was_given(stores: Stores) -> None:
    for run_id in ("kept", "gone"):
        await stores.runs.create_run(new_run(run_id))
    await stores.run_inputs.log_run_inputs("kept", given(TRAIN), None)
    await stores.run_inputs.log_run_inputs("gone", RunInputs(given(TRAIN, TEST, tag="x").datasets, ("m",)), None)
    await stores.run_inputs.log_run_outputs("gone", RunOutputs((ModelOutput("m"),)), None)
    await stores.runs.set_run_stage("gone", DELETED, now_ms=NOW_MS)
    assert await stores.garbage.remove_run("gone", before_ms=NOW_MS)
    assert await datasets_of(stores, "0") == [DatasetSummary("0", "train", "d1", "")]
    # What is gone doesn't speak for the next one of its name.
    await stores.runs.create_run(new_run("gone"))
    run = await get(stores, "gone")
    assert (run.inputs, run.outputs) == (NO_INPUTS, NO_OUTPUTS)
    anew = Dataset(TEST.name, TEST.digest, source="anew")
    await stores.run_inputs.log_run_inputs("gone", given(Dataset(*TRAIN.identity), anew), None)
    assert [each.dataset for each in (await get(stores, "gone")).inputs.datasets] == [TRAIN, anew]


async def test_removed_experiment_leaves_no_datasets_behind(stores: Stores) -> None:
    made = (await stores.experiments.create_experiment(NewExperiment("other", NOW_MS))).experiment_id
    await stores.runs.create_run(new_run("r", experiment_id=made))
    await stores.run_inputs.log_run_inputs("r", given(TRAIN), None)
    await stores.experiments.set_experiment_stage(made, DELETED, now_ms=NOW_MS)
    assert await stores.garbage.remove_run("r", before_ms=NOW_MS)
    assert await stores.garbage.remove_experiment(made, before_ms=NOW_MS)
    assert await datasets_of(stores, made) == []


async def test_many_inputs_at_once(stores: Stores) -> None:
    await stores.runs.create_run(new_run("r"))
    many = tuple(DatasetInput(Dataset(f"n{at % 7}", f"d{at}"), {"at": str(at)}) for at in range(1_000))
    models = tuple(f"m{at}" for at in range(1_000))
    await stores.run_inputs.log_run_inputs("r", RunInputs(many, models), None)
    assert (await get(stores, "r")).inputs == RunInputs(many, models)

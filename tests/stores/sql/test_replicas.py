"""Several servers on one database: what one of them acknowledged all of them have, once."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import NOW_MS
from tests.metric_data import Row, batch, bits, compact_all, read_all
from tests.stores.conftest import MARIADB, PGBOUNCER, Stores, fresh_uri, new_run, sql_stores

from trackwire_server.core.columns import Appended, Batch, SeriesName
from trackwire_server.core.entities import ExperimentReference, LifecycleStage, NewExperiment, RunSelection
from trackwire_server.core.errors import AlreadyExists, RunDeleted, SequenceGap, TrackwireError
from trackwire_server.core.metric_queries import ReadQuery
from trackwire_server.core.run_inputs import Dataset, DatasetInput, RunInputs

WRITERS = 4
REQUESTS = 40


@pytest.fixture(params=["postgresql", PGBOUNCER, MARIADB])
async def replicas(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Sequence[Stores]]:
    """The stores of three servers on one database."""
    async with AsyncExitStack() as stack:
        uri = stack.enter_context(fresh_uri(request.param, tmp_path))
        # They start together, and one of them makes the schema.
        opened = [sql_stores(uri) for _ in range(3)]
        yield await asyncio.gather(*(stack.enter_async_context(stores) for stores in opened))


def points(writer: int, sequence: int) -> list[Row]:
    return [(sequence * 10 + at, writer, float(writer * 1_000 + at)) for at in range(10)]


async def send(replica: Stores, request: Batch) -> Appended | TrackwireError:
    try:
        [outcome] = await replica.metrics.append([request], now_ms=NOW_MS)
    except TrackwireError as error:
        return error
    return outcome


async def send_until_stored(replicas: Sequence[Stores], request: Batch, rng: random.Random) -> int:
    stored = 0
    while True:
        # To two of them at a time, as a client does whose first attempt seemed to fail.
        outcomes = await asyncio.gather(*(send(replica, request) for replica in rng.sample(replicas, 2)))
        stored += sum(outcome.stored_points for outcome in outcomes if isinstance(outcome, Appended))
        if any(isinstance(outcome, Appended) for outcome in outcomes):
            return stored
        assert all(isinstance(outcome, SequenceGap) for outcome in outcomes)
        await asyncio.sleep(0.002)


async def test_requests_reordered_and_repeated_over_replicas_are_stored_once(replicas: Sequence[Stores]) -> None:
    rng = random.Random(5)
    await replicas[0].runs.create_run(new_run("a"))
    requests = [
        batch(
            "a",
            {"loss": points(writer, sequence), f"own/{writer}": points(writer, sequence)},
            (f"w{writer}", sequence, sequence - 1),
        )
        for sequence in range(1, REQUESTS + 1)
        for writer in range(WRITERS)
        for stamp in [(f"w{writer}", sequence, sequence - 1)]
    ]
    rng.shuffle(requests)

    async def compact_on() -> None:
        while True:
            await asyncio.gather(*(replica.metrics.compact(now_ms=NOW_MS) for replica in replicas))
            await asyncio.sleep(0.01)

    compacting = asyncio.create_task(compact_on())
    stored = await asyncio.gather(*(send_until_stored(replicas, request, rng) for request in requests))
    compacting.cancel()
    await asyncio.wait([compacting])
    assert compacting.cancelled()
    assert stored == [20] * len(requests)
    rows = [row for sequence in range(1, REQUESTS + 1) for writer in range(WRITERS) for row in points(writer, sequence)]
    for replica in replicas:
        found = await read_all(replica.metrics, ReadQuery(("a",)))
        assert sorted(found["a", SeriesName("loss")]) == sorted(bits(rows))
        assert len(found) == 1 + WRITERS
    await compact_all(replicas[1].metrics, now_ms=NOW_MS)
    found = await read_all(replicas[2].metrics, ReadQuery(("a",)))
    assert sorted(found["a", SeriesName("loss")]) == sorted(bits(rows))
    page = await replicas[2].metrics.summaries(["a"], frozenset(["loss"]), page_size=10, after=None)
    assert [summary.count for summary in page.items] == [len(rows)]


async def test_one_run_that_all_replicas_make_at_once_is_one(replicas: Sequence[Stores]) -> None:
    for number in range(20):
        draft = new_run(f"r{number}", join=True, experiment=ExperimentReference(name=f"e{number}", create=True))
        made = await asyncio.gather(*(replica.runs.create_run(draft) for replica in replicas))
        assert sum(is_new for _, is_new in made) == 1
        assert len({run.run_id for run, _ in made}) == 1
        assert len({run.experiment_id for run, _ in made}) == 1


async def test_a_request_that_is_repeated_while_it_is_under_way_makes_one_thing(replicas: Sequence[Stores]) -> None:
    for number in range(10):
        draft = new_run(f"r{number}", request_id=f"q{number}")
        made = await asyncio.gather(*(replica.runs.create_run(draft) for replica in replicas))
        assert sum(is_new for _, is_new in made) == 1


async def test_two_runs_of_one_name_are_refused_whichever_replica_makes_them(replicas: Sequence[Stores]) -> None:
    draft = new_run("r")
    made = await asyncio.gather(*(replica.runs.create_run(draft) for replica in replicas), return_exceptions=True)
    assert sum(isinstance(outcome, AlreadyExists) for outcome in made) == 2


async def test_an_experiment_that_is_imported_takes_no_number_twice(replicas: Sequence[Stores]) -> None:
    async def make(number: int) -> str:
        stores = replicas[number % 3]
        return (await stores.experiments.create_experiment(NewExperiment(f"new {number}", NOW_MS))).experiment_id

    async def put(number: int) -> str:
        given = replace(
            await replicas[0].experiments.get_experiment("0"), experiment_id=f"{number}000", name=f"old {number}"
        )
        return (await replicas[number % 3].imports.import_experiment(given)).experiment_id

    made = await asyncio.gather(*(call(number) for number in range(5, 60, 5) for call in (make, put)))
    assert len(set(made)) == len(made)
    assert int(await make(100)) > max(map(int, made))


async def test_a_dataset_is_kept_that_a_run_is_given_while_another_is_removed(replicas: Sequence[Stores]) -> None:
    given = RunInputs((DatasetInput(Dataset("d", "1", "local", "here")),))
    for number in range(15):
        old, new = f"old{number}", f"new{number}"
        for run_id in (old, new):
            await replicas[0].runs.create_run(new_run(run_id))
        await replicas[0].run_inputs.log_run_inputs(old, given, None)
        await replicas[0].runs.set_run_stage(old, LifecycleStage.DELETED, now_ms=NOW_MS)
        await asyncio.gather(
            replicas[1].garbage.remove_run(old, before_ms=NOW_MS + 1),
            replicas[2].run_inputs.log_run_inputs(new, given, None),
        )
        run = await replicas[0].runs.get_run(new, RunSelection())
        assert [each.dataset.name for each in run.inputs.datasets] == ["d"]
        await replicas[0].runs.set_run_stage(new, LifecycleStage.DELETED, now_ms=NOW_MS)
        assert await replicas[0].garbage.remove_run(new, before_ms=NOW_MS + 1)


async def test_no_replica_stores_points_of_a_run_behind_its_deletion(replicas: Sequence[Stores]) -> None:
    for number in range(20):
        run_id = f"d{number}"
        await replicas[0].runs.create_run(new_run(run_id))
        requests = [batch(run_id, {"m": [(at, at, 1.0)]}, (f"w{at}", 1, 0)) for at in range(8)]
        outcomes, _ = await asyncio.gather(
            asyncio.gather(*(send(replicas[at % 2], request) for at, request in enumerate(requests))),
            replicas[2].runs.set_run_stage(run_id, LifecycleStage.DELETED, now_ms=NOW_MS),
        )
        stored = sum(isinstance(outcome, Appended) for outcome in outcomes)
        assert all(isinstance(outcome, Appended | RunDeleted) for outcome in outcomes)
        for replica in replicas:
            assert isinstance(await send(replica, requests[0]), RunDeleted)
        await replicas[2].runs.set_run_stage(run_id, LifecycleStage.ACTIVE, now_ms=NOW_MS)
        page = await replicas[1].metrics.summaries([run_id], frozenset(), page_size=10, after=None)
        assert sum(summary.count for summary in page.items) == stored

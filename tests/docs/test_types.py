"""What type checkers make of the clients: scripts/check runs mypy over this file."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import assert_type

from trackwire import AsyncClient, Client, MetricRead, SeriesBatch
from trackwire.v1.runs_pb2 import Run


def test_methods_give_the_messages(address: str) -> None:
    with Client(address) as client:
        run = assert_type(client.create_run(run_name="types"), Run)
        assert_type(client.read_metrics(run.run_id), MetricRead)
        found = assert_type(client.search_runs("0", "run_name = 'types'"), Iterator[Run])
        assert next(found).run_name == "types"


def test_methods_for_asyncio_give_coroutines_and_async_iterators(address: str) -> None:
    async def calls() -> None:
        async with AsyncClient(address) as client:
            run = assert_type(await client.create_run(run_name="async types"), Run)
            assert_type(await client.read_metrics(run.run_id), MetricRead)
            found = assert_type(client.search_runs("0", "run_name = 'async types'"), AsyncGenerator[Run, None])
            assert [run.run_name async for run in found] == ["async types"]
            tail = assert_type(client.tail_metrics(run.run_id), AsyncGenerator[SeriesBatch, None])
            await tail.aclose()

    asyncio.run(calls())

"""Tails of both clients over connections that break."""

from collections.abc import Iterator

import pytest
from tests.client.cutting_proxy import CuttingProxy
from tests.conftest import ServerProcess

from trackwire.client import Client
from trackwire.errors import UnavailableError

POINTS = 100
# More than the greetings of a connection, less than so many points.
CUT_AFTER_BYTES = 6_000


@pytest.fixture
def proxy(live: ServerProcess) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(live.address, [CUT_AFTER_BYTES])
    proxy.start()
    yield proxy
    proxy.stop()


def points_of(client: Client, proxy: CuttingProxy, live: ServerProcess, *, reconnect: bool) -> Iterator[float]:
    """What a tail brings of points that are logged one by one."""
    with client, Client(live.address) as logging:
        run_id = logging.create_run().run_id
        tail = client.tail_metrics(run_id, reconnect=reconnect)
        assert next(tail).series == []
        for step in range(POINTS):
            logging.log_metric(run_id, "loss", float(step), step=step)
        for batch in tail:
            for series in batch.series:
                yield from series.values.tolist()
                if series.steps[-1] == POINTS - 1:
                    tail.close()
                    return


def test_tail_that_reconnects_brings_each_point_once(
    client_type: type[Client], live: ServerProcess, proxy: CuttingProxy
) -> None:
    points = points_of(client_type(proxy.address), proxy, live, reconnect=True)
    assert list(points) == list(range(POINTS))
    assert proxy.cut_connections >= 1


def test_tail_that_does_not_reconnect_says_that_it_broke(
    client_type: type[Client], live: ServerProcess, proxy: CuttingProxy
) -> None:
    with pytest.raises(UnavailableError):
        list(points_of(client_type(proxy.address), proxy, live, reconnect=False))

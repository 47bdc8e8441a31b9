"""What is counted is what there was."""

import pytest

from trackwire_server.core.figures import CallFigures, CommitFigures, Distribution, PoolFigures


def test_bucket_holds_its_own_bound() -> None:
    values = Distribution((1, 10))
    for value in (0.5, 1, 1.001, 10, 11):
        values.observe(value)
    assert values.counts == [2, 2, 1]
    assert (values.count, values.total) == (5, pytest.approx(23.501))


def test_one_commit_of_a_hundred_may_be_slower_than_p99() -> None:
    commits = CommitFigures()
    assert commits.recent_p99_seconds() == 0
    for number in range(100):
        commits.add(5.0 if number == 40 else 0.01, 1, 1)
    assert commits.recent_p99_seconds() == 0.01
    commits.add(5.0, 1, 1)
    assert commits.recent_p99_seconds() == 5.0


def test_calls_are_kept_by_name_and_outcome() -> None:
    calls = CallFigures()
    for outcome in ("OK", "OK", "NOT_FOUND"):
        calls.add("/a/B", outcome, 0.1)
    assert {key: seconds.count for key, seconds in calls.seconds.items()} == {
        ("/a/B", "OK"): 2,
        ("/a/B", "NOT_FOUND"): 1,
    }


def test_place_in_a_pool_waits_until_it_is_taken() -> None:
    pool = PoolFigures("writing", 1)
    with pool.place() as place:
        assert (pool.waiting, pool.in_use) == (1, 0)
        place.take()
        assert (pool.waiting, pool.in_use) == (0, 1)
    assert (pool.waiting, pool.in_use, pool.wait_seconds.count) == (0, 0, 1)


def test_who_waited_in_vain_has_waited() -> None:
    pool = PoolFigures("writing", 1)
    with pytest.raises(TimeoutError), pool.place():
        raise TimeoutError
    assert (pool.waiting, pool.in_use, pool.wait_seconds.count) == (0, 0, 1)

"""Histories of metrics by MLflow's REST API."""

import math
from typing import Any

import pytest
from tests.mlflow_api.conftest import Rest


def log(rest: Rest, run_id: str, *points: tuple[int, int, float | str], key: str = "loss", **context: str) -> None:
    for timestamp, step, value in points:
        fields = {"key": key, "value": value, "timestamp": timestamp, "step": step}
        rest.post("runs/log-batch", run_id=run_id, metrics=[{**fields, **context}])


def listed(*points: tuple[int, int, float | str], key: str = "loss", **more: str) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": value, "timestamp": timestamp, "step": step, **more} for timestamp, step, value in points
    ]


def history(rest: Rest, run_id: str, **fields: object) -> Any:
    return rest.get("metrics/get-history", run_id=run_id, metric_key="loss", **fields)


def test_history_is_by_time_step_and_value(rest: Rest) -> None:
    run_id = rest.run()
    log(rest, run_id, (2, 0, 5.0), (1, 3, 12.0), (1, 3, 11.0), (1, -2, 9.0))
    assert history(rest, run_id) == {"metrics": listed((1, -2, 9.0), (1, 3, 11.0), (1, 3, 12.0), (2, 0, 5.0))}


def test_values_that_are_no_numbers_are_text(rest: Rest) -> None:
    run_id = rest.run()
    log(rest, run_id, (1, 0, "NaN"), (2, 0, "Infinity"), (3, 0, "-Infinity"), (4, 0, 1e308))
    values = [point["value"] for point in history(rest, run_id)["metrics"]]
    assert values == ["NaN", "Infinity", "-Infinity", 1e308]
    assert rest.get("runs/get", run_id=run_id)["run"]["data"]["metrics"][0]["value"] == 1e308


def test_what_was_logged_again_of_a_model_is_there_once(rest: Rest) -> None:
    run_id = rest.run()
    log(rest, run_id, (1, 0, 0.5), (2, 1, 0.25))
    log(rest, run_id, (2, 1, 0.25), (3, 2, 0.125), model_id="m-1")
    assert history(rest, run_id) == {"metrics": listed((1, 0, 0.5), (2, 1, 0.25), (3, 2, 0.125))}


def test_history_comes_in_pages(rest: Rest) -> None:
    run_id = rest.run()
    points = [(at, at, math.sqrt(at)) for at in range(10)]
    batch = [{"key": "loss", "timestamp": at, "step": step, "value": value} for at, step, value in points]
    rest.post("runs/log-batch", run_id=run_id, metrics=batch)
    found, token = [], ""
    for size in (4, 4, 2):
        page = history(rest, run_id, max_results=4, page_token=token)
        assert len(page["metrics"]) == size
        found += page["metrics"]
        token = page.get("next_page_token", "")
    assert token == ""
    assert found == listed(*points)


def test_point_that_comes_between_two_pages_moves_no_other(rest: Rest) -> None:
    run_id = rest.run()
    log(rest, run_id, (1, 1, 0.5), (2, 2, 0.25), (3, 3, 0.125))
    page = history(rest, run_id, max_results=2)
    log(rest, run_id, (0, 0, 1.0))
    assert page["metrics"] == listed((1, 1, 0.5), (2, 2, 0.25))
    assert history(rest, run_id, max_results=2, page_token=page["next_page_token"]) == {
        "metrics": listed((3, 3, 0.125))
    }
    assert history(rest, run_id) == {"metrics": listed((0, 0, 1.0), (1, 1, 0.5), (2, 2, 0.25), (3, 3, 0.125))}


def test_long_history_comes_whole(rest: Rest) -> None:
    run_id = rest.run()
    for first in range(0, 5_000, 1_000):
        steps = range(first, first + 1_000)
        points = [{"key": "loss", "timestamp": step, "step": step, "value": step / 2} for step in steps]
        rest.post("runs/log-batch", run_id=run_id, metrics=points)
    assert history(rest, run_id)["metrics"] == listed(*[(step, step, step / 2) for step in range(5_000)])


def test_unknown_runs_and_keys_have_no_points(rest: Rest) -> None:
    assert history(rest, "nobody") == {"metrics": []}
    assert history(rest, rest.run()) == {"metrics": []}


def test_bulk_goes_run_by_run_up_to_its_limit(rest: Rest) -> None:
    runs = sorted([rest.run(), rest.run()])
    for run_id in runs:
        log(rest, run_id, (1, 0, 0.5), (2, 1, 0.25))
    found = rest.get("metrics/get-history-bulk", run_id=[*runs, "nobody"], metric_key="loss", max_results=3)
    first, second = runs
    assert found["metrics"] == [
        *listed((1, 0, 0.5), (2, 1, 0.25), run_id=first),
        *listed((1, 0, 0.5), run_id=second),
    ]


def test_interval_samples_steps_of_all_runs_and_keeps_the_last_ones(rest: Rest) -> None:
    short, long = rest.run(), rest.run()
    for run_id, steps in ((short, 10), (long, 20)):
        log(rest, run_id, *[(1, step, 0.5) for step in range(steps)])

    def steps_of(run_id: str, **fields: object) -> list[int]:
        found = rest.get("metrics/get-history-bulk-interval", run_ids=[short, long], metric_key="loss", **fields)
        return [point["step"] for point in found["metrics"] if point["run_id"] == run_id]

    assert steps_of(short, max_results=5) == [0, 4, 8, 9]
    assert steps_of(long, max_results=5) == [0, 4, 8, 9, 12, 16, 19]
    assert steps_of(long, max_results=5, start_step=2, end_step=4) == [2, 3, 4]
    assert steps_of(long) == list(range(20))


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("get-history", {"metric_key": "m"}, "Missing value for required parameter 'run_id'."),
        ("get-history", {"run_id": "r"}, "Missing value for required parameter 'metric_key'."),
        (
            "get-history",
            {"run_id": "r", "metric_key": "m", "max_results": 0},
            "Invalid value 0 for parameter 'max_results'",
        ),
        (
            "get-history",
            {"run_id": "r", "metric_key": "m", "max_results": "x"},
            "Invalid value \"x\" for parameter 'max_results'",
        ),
        ("get-history", {"run_id": "r", "metric_key": "m", "page_token": "x"}, "for parameter 'page_token'"),
        ("get-history-bulk", {"metric_key": "m"}, "must specify at least one run_id"),
        ("get-history-bulk", {"metric_key": "m", "run_id": ["r"] * 101}, "cannot specify more than 100 run_ids"),
        ("get-history-bulk", {"run_id": "r"}, "must specify a metric_key"),
        (
            "get-history-bulk",
            {"run_id": "r", "metric_key": "m", "max_results": -5},
            "Invalid value -5 for parameter 'max_res",
        ),
        (
            "get-history-bulk-interval",
            {"run_ids": "r", "metric_key": "m", "max_results": 0},
            "must be between 1 and 2500",
        ),
        ("get-history-bulk-interval", {"run_ids": "r", "metric_key": "m", "start_step": 1}, "both must be specified"),
        (
            "get-history-bulk-interval",
            {"run_ids": "r", "metric_key": "m", "start_step": 1, "end_step": 0},
            "end_step must be greater than start_step",
        ),
    ],
)
def test_bad_requests_name_what_is_wrong(rest: Rest, path: str, fields: dict[str, object], words: str) -> None:
    status, code, message = rest.refused("GET", f"metrics/{path}", params=fields)
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert words in message

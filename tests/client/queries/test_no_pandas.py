"""Where pandas is not installed: lists and dicts, and an error for whoever asks for a DataFrame by name."""

from pathlib import Path

import pytest
from tests.client.media.conftest import FreshPython
from tests.client.queries.test_tables import log_table

from trackwire.client import Client

WITHOUT = ("pandas",)


@pytest.fixture
def program(online: str) -> str:
    """How a program begins that reads from the server."""
    return f"""
from trackwire.fluent.choices import set_experiment, set_tracking_uri
from trackwire.queries.runs import search_runs
from trackwire.queries.tables import load_table
set_tracking_uri({online!r})
"""


def test_search_gives_a_list(client: Client, program: str, fresh_python: FreshPython) -> None:
    experiment = client.create_experiment("no pandas")
    run_id = client.create_run(experiment.experiment_id).run_id
    program += f"set_experiment({experiment.name!r})\nprint([run.info.run_id for run in search_runs()])"
    assert fresh_python(program, without=WITHOUT) == f"[{run_id!r}]"


def test_frame_that_is_asked_for_needs_pandas(program: str, fresh_python: FreshPython) -> None:
    program += """
try:
    search_runs(output_format="pandas")
except ModuleNotFoundError as error:
    print(error)
"""
    said = fresh_python(program, without=WITHOUT)
    assert said == "search_runs: output_format='pandas' needs pandas: pip install pandas"


def test_table_is_a_dict_of_columns(client: Client, program: str, fresh_python: FreshPython, tmp_path: Path) -> None:
    experiment = client.create_experiment("tables without pandas")
    log_table(client, experiment.experiment_id, tmp_path, {"n": [1, 2]}, start_time_ms=1_000)
    program += f"set_experiment({experiment.name!r})\nprint(load_table('evaluation/table.json', None, ['start_time']))"
    time = "1970-01-01T00:00:01+00:00"
    assert fresh_python(program, without=WITHOUT) == str({"n": [1, 2], "start_time": [time, time]})


def test_picture_needs_pillow(client: Client, program: str, fresh_python: FreshPython) -> None:
    run_id = client.create_run().run_id
    client.upload_bytes(run_id, b"", "a.png")
    program += f"""
from trackwire.queries.artifacts import load_image
try:
    load_image("runs:/{run_id}/a.png")
except ModuleNotFoundError as error:
    print(error)
"""
    assert fresh_python(program, without=("PIL",)) == "load_image needs pillow: pip install pillow"

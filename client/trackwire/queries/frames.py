"""Runs as a pandas DataFrame, a row a run: run_id … end_time, then metrics.*, params.* and tags.*."""

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from trackwire.queries.entities import Run

_NOT_A_TIME = np.iinfo(np.int64).min


# pandas has no types of its own, and is not needed for ours.
def frame_of(runs: Sequence[Run], pandas: ModuleType) -> Any:
    """Metrics are numbers, NaN where a run has none; params and tags are texts, None where a run has none."""
    infos = [run.info for run in runs]
    columns: dict[str, object] = {
        "run_id": [info.run_id for info in infos],
        "experiment_id": [info.experiment_id for info in infos],
        "status": [info.status for info in infos],
        "artifact_uri": [info.artifact_uri for info in infos],
        "start_time": times_of([info.start_time for info in infos], pandas),
        "end_time": times_of([info.end_time for info in infos], pandas),
    }
    columns |= _spread("metrics", [run.data.metrics for run in runs], np.float64, np.nan)
    columns |= _spread("params", [run.data.params for run in runs], np.object_, None)
    columns |= _spread("tags", [run.data.tags for run in runs], np.object_, None)
    # Newer pandas would make NaN of None in a column of texts.
    return pandas.DataFrame({name: _object_column(values, pandas) for name, values in columns.items()})


def times_of(times_ms: Sequence[int | None], pandas: ModuleType) -> Any:
    """Times in UTC, to the nanosecond as usual in pandas, unless one of them lies beyond what that can say (2262)."""
    numbers = [_NOT_A_TIME if time_ms is None else time_ms for time_ms in times_ms]
    index = pandas.DatetimeIndex(np.array(numbers, np.int64).view("datetime64[ms]")).tz_localize("UTC")
    try:
        return index.as_unit("ns")
    except pandas.errors.OutOfBoundsDatetime:
        return index


def _spread(
    prefix: str, entries: Sequence[Mapping[str, object]], kind: type[np.generic], missing: object
) -> dict[str, object]:
    """A column for each key that any of the runs has, in the order in which they appear."""
    columns: dict[str, Any] = {}
    for row, of_one in enumerate(entries):
        for key, value in of_one.items():
            column = columns.get(key)
            if column is None:
                column = columns[key] = np.full(len(entries), missing, kind)
            column[row] = value
    return {f"{prefix}.{key}": column for key, column in columns.items()}


def _object_column(values: object, pandas: ModuleType) -> object:
    is_texts = isinstance(values, list) or (isinstance(values, np.ndarray) and values.dtype == np.object_)
    return pandas.Series(values, dtype=object) if is_texts else values

"""Tables that runs have logged, joined to one."""

import importlib
import json
import logging
import posixpath
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackwire.errors import InvalidArgumentError, NotFoundError
from trackwire.media.tables import (
    TABLE_SUFFIX,
    TABLES_TAG,
    Table,
    frame_or_columns,
    join_tables,
    read_table,
    with_constants,
)
from trackwire.queries.entities import Run
from trackwire.queries.experiments import chosen_experiment_id
from trackwire.queries.server import client_for

if TYPE_CHECKING:
    from trackwire.client import Client

logger = logging.getLogger(__name__)

# So that a filter stays below the server's limit, which is in characters.
_IDS_OF_A_FILTER = 100
_INFO_COLUMNS = ("run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time")
_TIME_COLUMNS = ("start_time", "end_time")
_DATA_COLUMNS = ("metrics", "params", "tags")


# A DataFrame or a dict: pandas has no types of its own.
def load_table(
    artifact_file: str, run_ids: Sequence[str] | None = None, extra_columns: Sequence[str] | None = None
) -> Any:
    """The rows of a table of these runs, by default of all in the chosen experiment that have logged it.

    A pandas DataFrame; a dict of columns where there is no pandas. `extra_columns` name columns of `search_runs` that
    come behind the table's own, with the run's value in each of its rows.
    """
    client = client_for("load_table")
    experiment_id = chosen_experiment_id(client)
    return joined_table(client, experiment_id, artifact_file, run_ids=run_ids, extra_columns=extra_columns)


# As above.
def joined_table(
    client: "Client",
    experiment_id: str | None,
    artifact_file: str,
    *,
    run_ids: Sequence[str] | None,
    extra_columns: Sequence[str] | None,
) -> Any:
    """As `load_table`, by this client, of the runs of this experiment; None where it isn't made yet."""
    path = _checked(artifact_file)
    extra = _listed(extra_columns)
    for name in extra:
        _check_column(name)
    wanted = None if not run_ids else _listed(run_ids)
    runs = [] if experiment_id is None else [r for r in _runs(client, experiment_id, wanted) if _has_table(r, path)]
    if wanted is not None and len(runs) < len(set(wanted)):
        logger.warning("load_table: %d of the runs have no table %r", len(set(wanted)) - len(runs), path)
    if not runs:
        raise NotFoundError(f"artifact_file: {artifact_file!r}: no run of the experiment has logged such a table")
    tables = [_table(client, run, path) for run in runs]
    names = {name: _free_name(tables, name) for name in extra}
    with_extra = [
        with_constants(table, {free: _value(run, name) for name, free in names.items()})
        for run, table in zip(runs, tables, strict=True)
    ]
    return _frame_or_columns(_joined(with_extra), [names[name] for name in _TIME_COLUMNS if name in names])


def stored_table(run_id: str, artifact_file: str) -> tuple[Path | None, list[str]]:
    """A copy of a run's table, which is the caller's to delete, and the paths of all tables that the run lists.

    For `log_table`, which adds to what another process has logged; None where there is no such table yet.
    """
    return stored_table_of(client_for("log_table"), run_id, artifact_file)


def stored_table_of(client: "Client", run_id: str, artifact_file: str) -> tuple[Path | None, list[str]]:
    """As `stored_table`, by this client."""
    from trackwire.queries.convert import run_of

    try:
        listed = _paths(run_of(client.get_run(run_id)))
    except NotFoundError:
        # On its way: nothing has been logged to it yet.
        return None, []
    with tempfile.NamedTemporaryFile(prefix="trackwire-table-", suffix=TABLE_SUFFIX, delete=False) as file:
        path = Path(file.name)
    try:
        return client.download_artifact(run_id, artifact_file, path), listed
    except BaseException as error:
        path.unlink()
        if isinstance(error, NotFoundError):
            return None, listed
        raise


def _checked(artifact_file: str) -> str:
    if not artifact_file.endswith(TABLE_SUFFIX):
        raise InvalidArgumentError(f"artifact_file: {artifact_file!r}: a table's name must end in {TABLE_SUFFIX}")
    return posixpath.normpath(artifact_file)


def _listed(given: Sequence[str] | None) -> list[str]:
    """One alone is a list of one, not of its characters."""
    return [given] if isinstance(given, str) else list(given or ())


def _runs(client: "Client", experiment_id: str, run_ids: Sequence[str] | None) -> Iterator[Run]:
    from trackwire.queries.convert import run_of

    listed = f"tags.`{TABLES_TAG}` IS NOT NULL"
    for filter_string in [listed] if run_ids is None else _filters(listed, run_ids):
        yield from (run_of(message) for message in client.search_runs([experiment_id], filter_string))


def _filters(condition: str, run_ids: Sequence[str]) -> Iterator[str]:
    for at in range(0, len(run_ids), _IDS_OF_A_FILTER):
        texts = ("'" + run_id.replace("'", "''") + "'" for run_id in run_ids[at : at + _IDS_OF_A_FILTER])
        yield f"{condition} AND run_id IN ({', '.join(texts)})"


def _has_table(run: Run, path: str) -> bool:
    return path in _paths(run)


def _paths(run: Run) -> list[str]:
    """The paths in the run's list of tables, which anybody may have written."""
    try:
        listed = json.loads(run.data.tags.get(TABLES_TAG, "[]"))
    except ValueError:
        return []
    entries = listed if isinstance(listed, list) else []
    return [str(entry["path"]) for entry in entries if isinstance(entry, dict) and "path" in entry]


def _table(client: "Client", run: Run, path: str) -> Table:
    with tempfile.TemporaryDirectory(prefix="trackwire-table-") as folder:
        return read_table(client.download_artifact(run.info.run_id, path, Path(folder) / "table.json"))


def _joined(tables: list[Table]) -> Table:
    """One after the other. Two by two: one by one, the first rows would be copied as often as there are tables."""
    while len(tables) > 1:
        pairs = zip_longest(tables[::2], tables[1::2])
        tables = [first if second is None else join_tables(first, second) for first, second in pairs]
    return tables[0]


def _free_name(tables: Sequence[Table], name: str) -> str:
    """As in MLflow: where the tables have a column of this name, the other one has an underscore."""
    return f"{name}_" if any(name in table.columns for table in tables) else name


def _check_column(name: str) -> None:
    if name not in _INFO_COLUMNS and name.partition(".")[0] not in _DATA_COLUMNS:
        raise InvalidArgumentError(
            f"extra_columns: {name!r}: must be one of {', '.join(_INFO_COLUMNS)},"
            f" or {', '.join(f'{kind}.<key>' for kind in _DATA_COLUMNS)}"
        )


def _value(run: Run, name: str) -> object:
    kind, _, key = name.partition(".")
    if kind in _DATA_COLUMNS:
        return getattr(run.data, kind).get(key)
    value = getattr(run.info, name)
    # A string here, and a time again in a DataFrame.
    return datetime.fromtimestamp(value / 1000, UTC) if name in _TIME_COLUMNS and value is not None else value


def _frame_or_columns(table: Table, time_columns: Sequence[str]) -> Any:
    result: Any = frame_or_columns(table)
    if not isinstance(result, dict):
        pandas = importlib.import_module("pandas")
        for name in time_columns:
            result[name] = pandas.to_datetime(result[name], utc=True, format="ISO8601")
    return result

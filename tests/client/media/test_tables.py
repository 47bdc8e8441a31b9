"""Tables come back as they were, by our own reader and by pandas, and rows are added at the end."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.client.media.conftest import FreshPython

from trackwire.media.tables import (
    Table,
    frame_or_columns,
    join_tables,
    load_table,
    read_table,
    table_of,
    with_constants,
    write_table,
)

LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5)
)
CELLS = st.one_of(LEAVES, st.lists(LEAVES, max_size=3), st.dictionaries(st.text(max_size=3), LEAVES, max_size=2))


@st.composite
def tables(draw: st.DrawFn) -> Table:
    columns = draw(st.lists(st.text(max_size=6), min_size=1, max_size=5, unique=True))
    row = st.lists(CELLS, min_size=len(columns), max_size=len(columns))
    return Table(list(columns), draw(st.lists(row, max_size=6)))


def columns_of(table: Table) -> dict[str | int, list[object]]:
    return {name: [row[index] for row in table.rows] for index, name in enumerate(table.columns)}


@given(tables())
def test_dict_of_columns_is_read_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, table: Table) -> None:
    path = tmp_path_factory.mktemp("table") / "t.json"
    write_table(columns_of(table), path)
    assert read_table(path) == table


@given(tables(), tables())
def test_rows_are_added_behind_those_there(
    tmp_path_factory: pytest.TempPathFactory, first: Table, second: Table
) -> None:
    path = tmp_path_factory.mktemp("table") / "t.json"
    write_table(first, path)
    write_table(columns_of(second), path, append_to=path)
    joined = read_table(path)
    assert joined == join_tables(first, second)
    assert joined.columns[: len(first.columns)] == first.columns
    assert set(joined.columns) == {*first.columns, *second.columns}
    for name, cells in columns_of(joined).items():
        of_first = columns_of(first).get(name, [None] * len(first.rows))
        of_second = columns_of(second).get(name, [None] * len(second.rows))
        assert cells == of_first + of_second


@given(tables(), tables(), tables())
def test_joining_is_associative(first: Table, second: Table, third: Table) -> None:
    left = join_tables(join_tables(first, second), third)
    assert left == join_tables(first, join_tables(second, third))


def test_file_is_pandas_orientation_split(tmp_path: Path) -> None:
    frame = pd.DataFrame({"question": ["why?", "how?"], "score": [0.5, np.nan], "n": [1, 2]}, index=[7, 8])
    write_table(frame, tmp_path / "t.json")
    text = (tmp_path / "t.json").read_text()
    assert text == '{"columns":["question","score","n"],"data":[["why?",0.5,1],["how?",null,2]]}'
    assert text == frame.to_json(orient="split", index=False)
    pd.testing.assert_frame_equal(pd.read_json(tmp_path / "t.json", orient="split"), frame.reset_index(drop=True))


def test_frame_is_read_back_as_it_was(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "digits": ["01", "2"],
            "precise": [0.1 + 0.2, 1e-15],
            "large": [2**53 + 1, -(2**62)],
            "flag": [True, False],
            "list": [[1, 2], []],
            "dict": [{"a": 1}, {"b": [2]}],
        }
    )
    write_table(frame, tmp_path / "t.json")
    stored = load_table(tmp_path / "t.json")
    assert isinstance(stored, pd.DataFrame)
    pd.testing.assert_frame_equal(stored, frame)


def test_cells_of_many_types(tmp_path: Path) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    cells = {
        "moment": moment,
        "day": date(2026, 1, 2),
        "seconds": timedelta(minutes=1),
        "decimal": Decimal("0.5"),
        "path": Path("a/b"),
        "float32": np.float32(0.5),
        "array": np.eye(2, dtype=int),
        "nested": {"loss": np.float64("nan"), 1: (np.int8(1), None)},
        "inf": float("inf"),
        "time64": np.datetime64("2026-01-02T03:04:05.123456789"),
        "not_a_time": pd.NaT,
        "missing": pd.NA,
    }
    write_table({name: [cell] for name, cell in cells.items()}, tmp_path / "t.json")
    assert columns_of(read_table(tmp_path / "t.json")) == {
        "moment": ["2026-01-02T03:04:05.000006+00:00"],
        "day": ["2026-01-02"],
        "seconds": [60.0],
        "decimal": [0.5],
        "path": ["a/b"],
        "float32": [0.5],
        "array": [[[1, 0], [0, 1]]],
        "nested": [{"loss": None, "1": [1, None]}],
        "inf": [None],
        "time64": ["2026-01-02T03:04:05.123456"],
        "not_a_time": [None],
        "missing": [None],
    }


def test_frame_of_pandas_own_types(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "int": pd.array([1, None], dtype="Int64"),
            "text": pd.array(["a", None], dtype="string"),
            "kind": pd.Categorical(["x", "y"]),
            "time": pd.to_datetime(["2026-01-02", None]),
            "zone": pd.to_datetime(["2026-01-02", None]).tz_localize("UTC"),
        }
    )
    write_table(frame, tmp_path / "t.json")
    assert read_table(tmp_path / "t.json").rows == [
        [1, "a", "x", "2026-01-02T00:00:00", "2026-01-02T00:00:00+00:00"],
        [None, None, "y", None, None],
    ]


@pytest.mark.parametrize(
    ("data", "columns", "rows"),
    [
        ({"a": 1, "b": "x"}, ["a", "b"], [[1, "x"]]),
        ({"a": [1, 2], "b": "x"}, ["a", "b"], [[1, "x"], [2, "x"]]),
        ({"a": np.arange(2), "b": pd.Series([3, 4], index=[9, 8])}, ["a", "b"], [[0, 3], [1, 4]]),
        ({"a": (1, 2), 5: range(2)}, ["a", 5], [[1, 0], [2, 1]]),
        ({"a": {"x": 1}}, ["a"], [[{"x": 1}]]),
        ({"a": []}, ["a"], []),
        ({}, [], []),
        (pd.DataFrame([[1, 2]]), [0, 1], [[1, 2]]),
        (pd.DataFrame({("a", "b"): [1]}), ["('a', 'b')"], [[1]]),
    ],
)
def test_data_of_many_shapes(data: object, columns: list[str], rows: list[list[object]]) -> None:
    table = table_of(data)
    assert (table.columns, table.rows) == (columns, rows)


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        ([1, 2], TypeError, r"^data: must be a dict of columns or a pandas\.DataFrame, not list$"),
        ({"a": [1], "b": [1, 2]}, ValueError, "^data: columns must be of one length: 'a' has 1, 'b' has 2$"),
        ({"a": [object()]}, TypeError, r"^data: column 'a': must hold numbers.*not object$"),
        ({"a": [1j]}, TypeError, r"^data: column 'a': .*not complex$"),
        ({"a": [b"x"]}, TypeError, r"^data: column 'a': .*not bytes$"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), ValueError, "^data: column 'a' stands twice$"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, data: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        write_table(data, tmp_path / "t.json")
    assert not (tmp_path / "t.json").exists()


def test_table_must_be_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^artifact_file: 't\.parquet': a table's name must end in \.json$"):
        write_table({"a": [1]}, tmp_path / "t.parquet")


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ("", "is no table"),
        ("[1]", "is no table"),
        ('{"columns": ["a"]}', "is no table.*'data'"),
        ('{"columns": ["a"], "data": [1]}', "is no table"),
        ('{"columns": ["a"], "data": [[1], [1, 2]]}', r"data\[1\] has 2 cells, and there are 1 columns"),
    ],
)
def test_file_that_is_no_table_is_named(tmp_path: Path, stored: str, words: str) -> None:
    (tmp_path / "t.json").write_text(stored)
    with pytest.raises(ValueError, match=rf"t\.json: {words}"):
        load_table(tmp_path / "t.json")


def test_table_of_pandas_itself_is_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    for index in (True, False):
        (tmp_path / "t.json").write_text(frame.to_json(orient="split", index=index))
        assert read_table(tmp_path / "t.json") == Table(["a", "b"], [[1, "x"], [2, None]])


def test_constants_become_columns() -> None:
    table = with_constants(Table(["a"], [[1], [2]]), {"run_id": "r", "rate": np.float32(0.5)})
    assert table == Table(["a", "run_id", "rate"], [[1, "r", 0.5], [2, "r", 0.5]])
    with pytest.raises(ValueError, match=r"^extra_columns: 'a': the table has this column already$"):
        with_constants(table, {"a": 1})


def test_empty_table_keeps_its_columns() -> None:
    frame = frame_or_columns(Table(["a", "b"], []))
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == ["a", "b"]


def test_without_pandas_a_table_is_a_dict_of_columns(fresh_python: FreshPython) -> None:
    output = fresh_python(
        "from trackwire.media.tables import load_table, write_table\n"
        "path = Path('t.json')\n"
        "write_table({'a': [1, 2]}, path)\n"
        "write_table({'a': 3, 'b': 'x'}, path, append_to=path)\n"
        "print(load_table(path))\n",
        without=("pandas", "numpy"),
    )
    assert output == "{'a': [1, 2, 3], 'b': [None, None, 'x']}"


def test_writing_a_dict_does_not_import_pandas(fresh_python: FreshPython) -> None:
    output = fresh_python(
        "import numpy as np\n"
        "from trackwire.media.tables import write_table\n"
        "write_table({'a': np.arange(3)}, Path('t.json'))\n"
        "print('pandas' in sys.modules, Path('t.json').read_text())\n"
    )
    assert json.loads(output.removeprefix("False ")) == {"columns": ["a"], "data": [[0], [1], [2]]}

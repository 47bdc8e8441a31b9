"""Dictionaries come back from JSON and from YAML, with arrays as lists."""

import json
from collections import OrderedDict
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.client.media.conftest import FreshPython

from trackwire.media.dicts import write_dict

LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text())
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_json_is_read_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, dictionary: dict[str, object]) -> None:
    path = tmp_path_factory.mktemp("dict") / "config.json"
    write_dict(dictionary, path)
    assert json.loads(path.read_bytes()) == dictionary


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_yaml_is_read_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, dictionary: dict[str, object]) -> None:
    path = tmp_path_factory.mktemp("dict") / "config.yaml"
    write_dict(dictionary, path)
    assert yaml.safe_load(path.read_bytes()) == dictionary


@pytest.mark.parametrize("name", ["config.json", "config.yaml", "config.YML", "config.txt", "config"])
def test_suffix_chooses_the_format(tmp_path: Path, name: str) -> None:
    write_dict({"b": [1, 2], "a": {"c": "ä"}}, tmp_path / name)
    text = (tmp_path / name).read_text()
    if "y" in name.lower():
        assert text.startswith("b:\n- 1\n- 2\na:\n  c: ")
    else:
        assert text.startswith('{\n  "b": [\n    1,\n')


@pytest.mark.parametrize("name", ["config.json", "config.yaml"])
def test_arrays_and_their_scalars_become_lists_and_numbers(tmp_path: Path, name: str) -> None:
    write_dict(
        {
            "array": np.arange(4, dtype=np.float32).reshape(2, 2),
            "float": np.float32(0.5),
            "double": np.float64(0.25),
            "int": np.int64(3),
            "bool": np.bool_(True),
            "name": np.str_("n"),
            "times": np.array(["2026-01-02"], "datetime64[ns]"),
            "proxy": MappingProxyType({"x": 1}),
            "ordered": OrderedDict(y=2),
            "path": Path("data/train"),
        },
        tmp_path / name,
    )
    stored = yaml.safe_load((tmp_path / name).read_bytes())
    times = stored.pop("times")
    assert stored == {
        "array": [[0.0, 1.0], [2.0, 3.0]],
        "float": 0.5,
        "double": 0.25,
        "int": 3,
        "bool": True,
        "name": "n",
        "proxy": {"x": 1},
        "ordered": {"y": 2},
        "path": "data/train",
    }
    assert times in (["2026-01-02 00:00:00"], [datetime(2026, 1, 2)])


def test_dates_are_words_in_json_and_dates_in_yaml(tmp_path: Path) -> None:
    write_dict({"day": date(2026, 1, 2)}, tmp_path / "a.json")
    write_dict({"day": date(2026, 1, 2)}, tmp_path / "a.yml")
    assert json.loads((tmp_path / "a.json").read_bytes()) == {"day": "2026-01-02"}
    assert yaml.safe_load((tmp_path / "a.yml").read_bytes()) == {"day": date(2026, 1, 2)}


def test_nan_is_read_back_by_json(tmp_path: Path) -> None:
    write_dict({"loss": float("nan"), "best": float("-inf")}, tmp_path / "a.json")
    stored = json.loads((tmp_path / "a.json").read_bytes())
    assert np.isnan(stored["loss"])
    assert stored["best"] == float("-inf")


def test_what_json_cannot_hold_is_named(tmp_path: Path) -> None:
    circle: dict[str, object] = {}
    circle["self"] = circle
    with pytest.raises(ValueError, match=r"^dictionary: Circular reference"):
        write_dict(circle, tmp_path / "a.json")
    with pytest.raises(TypeError, match=r"^dictionary: keys must be str.*not tuple"):
        write_dict({(1, 2): 3}, tmp_path / "a.json")
    assert not (tmp_path / "a.json").exists()


def test_without_pyyaml_the_error_says_what_to_install(fresh_python: FreshPython) -> None:
    output = fresh_python(
        "from trackwire.media.dicts import write_dict\n"
        "write_dict({'a': 1}, Path('a.json'))\n"
        "try: write_dict({'a': 1}, Path('a.yaml'))\n"
        "except ModuleNotFoundError as error: print(error, Path('a.yaml').exists())\n",
        without=("yaml",),
    )
    assert output == "log_dict to .yaml needs pyyaml: pip install pyyaml False"


def test_json_imports_neither_yaml_nor_numpy(fresh_python: FreshPython) -> None:
    output = fresh_python(
        "from trackwire.media.dicts import write_dict\n"
        "from trackwire.media.text import write_text\n"
        "from trackwire.media import figures, images, tables\n"
        "write_dict({'a': object()}, Path('a.json'))\n"
        "write_text('a', Path('a.txt'))\n"
        "tables.write_table({'a': [1]}, Path('table.json'))\n"
        "print(sorted(sys.modules.keys() & {'grpc', 'numpy', 'yaml', 'PIL', 'pandas', 'matplotlib', 'plotly'}))\n"
    )
    assert output == "[]"

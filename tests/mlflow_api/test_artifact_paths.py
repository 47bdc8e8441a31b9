"""Paths and ranges as clients may write them, at random."""

from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trackwire_server.core.artifact_paths import path_fault
from trackwire_server.mlflow_api.artifact_files import content_disposition
from trackwire_server.mlflow_api.artifact_paths import clean_path
from trackwire_server.mlflow_api.byte_ranges import NotSatisfiable, byte_range
from trackwire_server.mlflow_api.errors import MlflowError

PARTS = st.sampled_from(["..", ".", "", "a", "b c", "%2e", "%252F", "%", "\\", "#", "\0", "C:", "ü"])
PATHS = st.lists(PARTS, max_size=6).flatmap(lambda parts: st.sampled_from(["/".join(parts), "".join(parts)]))


@example("./C:/a")
@given(PATHS | st.text(max_size=30))
def test_path_is_clean_or_refused(path: str) -> None:
    try:
        clean = clean_path(path)
    except MlflowError:
        return
    assert clean == "" or not path_fault(clean)
    assert "#" not in clean
    assert unquote(clean) == clean
    assert clean_path(clean) == clean


@given(st.lists(st.text(st.characters(categories=["L", "N"], include_characters=" -_.%+?&="), min_size=1), min_size=1))
def test_plain_name_survives_being_encoded(parts: list[str]) -> None:
    wanted = [part for part in parts if part not in (".", "..")]
    path = "/".join(wanted)
    if unquote(path) == path:
        assert clean_path(quote(path, safe="")) == path


@given(st.integers(0, 20), st.none() | st.integers(0, 30), st.none() | st.integers(0, 30))
def test_range_is_what_the_header_says(size: int, first: int | None, last: int | None) -> None:
    data = bytes(range(size))
    header = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    if first is None:
        expected = None if last is None else data[-last:] if last else b""
    elif last is not None and last < first:
        expected = None
    else:
        expected = data[first:] if last is None else data[first : last + 1]
    if expected == b"":
        with pytest.raises(NotSatisfiable):
            byte_range(header, size)
    else:
        found = byte_range(header, size)
        assert (None if found is None else data[found.start : found.stop]) == expected


@given(st.text(min_size=1))
def test_any_name_makes_a_header(name: str) -> None:
    name = name.encode("utf-8", "ignore").decode()
    header = content_disposition(name)
    assert header.isascii()
    if name.isprintable():
        assert header.isprintable()

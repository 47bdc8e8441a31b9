"""Text arrives as it was given."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackwire.media.text import write_text


@given(st.text())
def test_text_is_read_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("text") / "note.txt"
    write_text(text, path)
    assert path.read_bytes().decode() == text


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (b"bytes", TypeError, "^text: must be a str, not bytes$"),
        (None, TypeError, "^text: must be a str, not NoneType$"),
        ("ab\ud800", ValueError, r"^text: character 2 is '\\ud800'"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, text: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        write_text(text, tmp_path / "note.txt")
    assert not (tmp_path / "note.txt").exists()

"""What a terminal would show in the end, as lines."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackwire.console.screen import LINE_CHARACTERS_MAX, ROWS_MAX
from trackwire.console.transcript import ERR, OUT, Transcript

HEAD = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (out|err|---) ")


def shown(*writes: str) -> list[str]:
    transcript = Transcript()
    for text in writes:
        transcript.write(OUT, 0.0, text)
    return without_heads(transcript.take())


def without_heads(text: str) -> list[str]:
    assert all(HEAD.match(line) for line in text.splitlines())
    return [line[29:].removesuffix("\n") for line in text.splitlines(keepends=True)]


@pytest.mark.parametrize(
    ("writes", "lines"),
    [
        (["a\nb\n"], ["a", "b"]),
        (["a", "b", "\n", "\n", "c"], ["ab", "", "c"]),
        (["a\r\nb\r\n"], ["a", "b"]),
        (["a\r", "\nb"], ["a", "b"]),
        (["\r 0 %", "\r 50 %", "\r100 %", "\ndone\n"], ["100 %", "done"]),
        (["0 %\r", "50 %\r", "100 %\r"], ["100 %"]),
        (["long line\rshort\n"], ["short"]),
        (["\r###", "\r   \r", "next\n"], ["next"]),
        (["1/2", "\b\b\b2/2\n"], ["2/2"]),
        (["\x1b[31mred\x1b[0m\x1b[1;4m bold\x1b[m\n"], ["red bold"]),
        (["\x1b]0;title\x07a \x1b]8;;http://b\x1b\\link\n"], ["a link"]),
        (["abc\x1b[2K\rdef\n"], ["def"]),
        (["abc\r\x1b[Kd\n"], ["d"]),
        (["bell\x07 tab\t.\x00\n"], ["bell tab\t."]),
        (["\x1b[A", "a\n"], ["a"]),
    ],
)
def test_terminal_would_show(writes: list[str], lines: list[str]) -> None:
    assert shown(*writes) == lines


def test_bars_above_each_other_are_a_line_each() -> None:
    writes = ["outer 0"]
    for epoch in range(3):
        for step in range(100):
            writes += ["\n", f"\rinner {epoch} {step}", "\x1b[A"]
        writes += [f"\router {epoch + 1}"]
    assert shown(*writes, "\n\n") == ["outer 3", "inner 2 99"]


def test_display_that_is_drawn_anew_is_its_last_state() -> None:
    writes = []
    for step in range(50):
        if step:
            writes.append("\r\x1b[2K" + "\x1b[1A\x1b[2K" * 2)
        writes.append(f"a {step}\nb {step}\nc {step}")
    assert shown(*writes) == ["a 49", "b 49", "c 49"]


def test_no_bar_goes_up_further_than_there_are_rows() -> None:
    lines = [f"line {number}" for number in range(2 * ROWS_MAX)]
    found = shown("\n".join(lines), f"\x1b[{10 * ROWS_MAX}Aup")
    assert len(found) == len(lines)
    assert found.index("up") == ROWS_MAX


def test_line_that_is_too_long_is_cut_and_says_so() -> None:
    [line] = shown("x" * LINE_CHARACTERS_MAX, "y" * 1_234, "\n")
    assert line == "x" * LINE_CHARACTERS_MAX + " [… 1,234 characters of this line are left out]"


def test_streams_stay_apart_in_the_order_in_which_their_lines_began() -> None:
    transcript = Transcript()
    transcript.write(OUT, 1.0, "half ")
    transcript.write(ERR, 2.5, "warned\n")
    transcript.write(OUT, 3.0, "a line\n")
    assert transcript.take() == ("1970-01-01T00:00:01.000Z out half a line\n1970-01-01T00:00:02.500Z err warned\n")


def test_line_that_a_part_cuts_goes_on_in_the_next() -> None:
    transcript = Transcript()
    transcript.write(OUT, 0.0, "half")
    assert without_heads(transcript.take()) == ["half"]
    transcript.write(OUT, 0.0, "\n")
    assert not transcript.take()
    transcript.write(OUT, 0.0, "whole\nhalf")
    assert without_heads(transcript.take()) == ["whole", "half"]
    transcript.write(OUT, 0.0, " a line\n\n")
    assert without_heads(transcript.take()) == [" a line", ""]


PLAIN = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), max_size=20)


@given(st.lists(PLAIN, max_size=30), st.data())
def test_plain_lines_come_out_as_they_went_in_however_they_were_written(lines: list[str], data: st.DataObject) -> None:
    whole = "".join(f"{line}\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=10)))
    bounds = [0, *cuts, len(whole)]
    writes = [whole[begin:end] for begin, end in pairwise(bounds)]
    transcript = Transcript()
    for text in writes:
        transcript.write(OUT, 0.0, text)
    assert [line[29:] for line in transcript.take().split("\n")[:-1]] == lines


@given(st.lists(st.text(st.sampled_from("ab \n\r\b\t\x1b[A2K;m]\x07é"), max_size=30), max_size=30))
def test_whatever_is_written_is_lines_with_a_head(writes: list[str]) -> None:
    shown(*writes)

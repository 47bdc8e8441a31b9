"""Parts: numbered, bounded, closed when they are full or old enough, and never written again."""

import re

import pytest

from trackwire.console import capture
from trackwire.console.capture import Capture


class Kept(dict[str, str]):
    """Parts by their paths; none may come twice."""

    def __call__(self, path: str, text: str) -> None:
        assert path not in self
        self[path] = text

    def lines(self, number: int = -1) -> list[str]:
        """Those of one part without its head, and without their times."""
        return [line[25:] for line in list(self.values())[number].splitlines()[1:]]


class Seconds:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def console(kept: Kept, seconds: Seconds) -> Capture:
    return Capture(kept, 3, clock=seconds)


def test_parts_are_named_by_rank_and_begin_and_number_and_say_where_they_are_from(console: Capture, kept: Kept) -> None:
    console.hear("out", "a\n")
    console.turn(is_last=True)
    console.hear("err", "b\n")
    console.turn(is_last=True)
    first, second = kept
    assert re.fullmatch(r"console/3/\d{8}T\d{6}Z-[0-9a-f]{8}-000001\.txt", first)
    assert second == first.replace("000001", "000002")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.{12}Z --- part 2 of process \d+ on .+", kept[second].splitlines()[0])
    assert kept.lines() == ["err b"]


def test_console_that_nobody_writes_to_has_no_part(console: Capture, kept: Kept) -> None:
    console.hear("out", "\x1b[0m")
    console.turn(is_last=True)
    console.turn(is_last=True)
    assert not kept


def test_part_is_closed_when_it_is_old_enough_and_the_next_ones_live_longer(
    console: Capture, kept: Kept, seconds: Seconds
) -> None:
    ends = []
    for _ in range(3_000):
        seconds.now += 1
        console.hear("out", f"{seconds.now}\n")
        console.turn()
        if len(kept) > len(ends):
            ends.append(seconds.now)
    assert [round(end - begin) for begin, end in zip([1_000, *ends], ends, strict=False)][:7] == [
        *(16, 31, 61, 121, 241, 301, 301)
    ]
    console.turn(is_last=True)
    assert [line for number in range(len(kept)) for line in kept.lines(number)] == [
        f"out {1_001.0 + number}" for number in range(3_000)
    ]


def test_line_has_the_time_at_which_it_began(console: Capture, kept: Kept, seconds: Seconds) -> None:
    console.hear("out", "a")
    seconds.now += 90
    console.hear("out", "b\n")
    seconds.now += 30
    console.hear("out", "c\n")
    console.turn(is_last=True)
    times = [line[14:23] for line in next(iter(kept.values())).splitlines()]
    minutes = [int(time[:2]) * 60 + float(time[3:]) for time in times]
    assert minutes[0] == minutes[1]
    assert (minutes[2] - minutes[1]) % 3600 == pytest.approx(120)


def test_part_that_is_full_is_closed_at_once(
    console: Capture, kept: Kept, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "PART_CHARACTERS", 1_000)
    for number in range(100):
        seconds.now += 0.002
        console.hear("out", f"line {number}\n")
    console.turn()
    assert len(kept) == 3
    assert max(map(len, kept.values())) < 1_200
    console.turn(is_last=True)
    lines = [line for number in range(len(kept)) for line in kept.lines(number)]
    assert lines == [f"out line {number}" for number in range(100)]


def test_bar_fills_no_part(console: Capture, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "PART_CHARACTERS", 1_000)
    for number in range(10_000):
        console.hear("err", f"\r{number} of 10,000")
    console.turn()
    assert not kept
    console.turn(is_last=True)
    assert kept.lines() == ["err 9999 of 10,000"]


def test_past_its_full_speed_a_part_has_its_begin_and_its_end_and_what_is_left_out_is_told(
    console: Capture, kept: Kept, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "PART_CHARACTERS", 1_000)
    monkeypatch.setattr(capture, "FULL_SPEED_CHARACTERS", 0)
    monkeypatch.setattr(capture, "TAIL_CHARACTERS", 100)
    for number in range(10_000):
        seconds.now += 0.0011
        console.hear("out", f"line {number:04}\n")
    console.turn()
    assert not kept
    seconds.now += 20
    console.turn()
    lines = kept.lines()
    head = lines.index(next(line for line in lines if line.startswith("---")))
    told = re.match(r"--- ([\d,]+) characters are left out here: past 0, a part has at most", lines[head])
    assert told
    left_out = int(told[1].replace(",", "")) // 10
    assert lines[:head] == [f"out line {number:04}" for number in range(head)]
    tail = lines[head + 1 :]
    assert tail == [f"out line {number:04}" for number in range(10_000 - len(tail), 10_000)]
    assert head + left_out + len(tail) == 10_000
    # And the next part begins anew.
    console.hear("out", "after\n")
    console.turn(is_last=True)
    assert kept.lines() == ["out after"]


def test_what_comes_faster_than_it_is_kept_is_counted(
    console: Capture, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "WAITING_BYTES_MAX", 12 * (9 + 128))
    monkeypatch.setattr(capture, "WRITE_CHARACTERS_MAX", 50)
    for number in range(20):
        console.hear("out", f"line {number:03}\n")
    console.turn()
    console.hear("out", "after\n")
    console.hear("err", "x" * 60)
    console.turn(is_last=True)
    told = "characters are left out here: they came faster than they can be kept"
    assert kept.lines() == [
        *(f"out line {number:03}" for number in range(12)),
        f"--- 72 {told}",
        "out after",
        "err " + "x" * 50,
        f"--- 10 {told}",
    ]


def test_exception_that_the_run_is_left_by_stands_at_the_end(console: Capture, kept: Kept) -> None:
    console.hear("out", "half")
    try:
        raise ValueError("loss is nan")
    except ValueError as error:
        console.hear_of(error)
    console.turn(is_last=True)
    lines = kept.lines()
    assert lines[:2] == ["out half", "--- the run is left by an exception:"]
    assert lines[-1] == "--- ValueError: loss is nan"


def test_words_of_one_print_are_one_line_whatever_the_other_stream_says(
    console: Capture, kept: Kept, seconds: Seconds
) -> None:
    for number in range(10):
        for word in ("step", " ", str(number)):
            console.hear("out", word)
        console.hear("err", f"warned {number}\n")
        seconds.now += 0.0004
        console.hear("out", "\n")
    console.turn(is_last=True)
    assert kept.lines() == [line for n in range(10) for line in (f"out step {n}", f"err warned {n}")]


def test_run_that_a_signal_ends_in_the_middle_of_a_turn_loses_nothing(kept: Kept, seconds: Seconds) -> None:
    def keep(path: str, text: str) -> None:
        kept(path, text)
        if len(kept) == 1:
            console.hear("out", "by the handler\n")
            console.turn(is_last=True)

    console = Capture(keep, None, clock=seconds)
    console.hear("out", "before\n")
    console.turn(is_last=True)
    assert [kept.lines(number) for number in range(len(kept))] == [["out before"], ["out by the handler"]]


def test_half_of_a_surrogate_pair_is_escaped(console: Capture, kept: Kept) -> None:
    console.hear("out", "\udcff\n")
    console.turn(is_last=True)
    assert kept.lines() == [r"out \udcff"]

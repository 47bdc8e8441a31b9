"""A tap hears what is written to a stream, and the stream is as ever."""

import io
import sys

import pytest

from trackwire.console.taps import Tap

Heard = list[tuple[str, str]]


@pytest.fixture
def heard() -> Heard:
    return []


@pytest.fixture
def stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")


def tapped(stream: object, heard: Heard) -> Tap:
    return Tap("out", stream, lambda name, text: heard.append((name, text)))  # type: ignore[arg-type]


def bytes_of(stream: io.TextIOWrapper) -> bytes:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue()


def test_all_ways_to_write_are_heard_and_go_through(stream: io.TextIOWrapper, heard: Heard) -> None:
    tap = tapped(stream, heard)
    print("a", 1, file=stream)
    assert stream.write("é\n") == 2
    stream.writelines(["b\n", "c\n"])
    tap.remove()
    print("unheard", file=stream)
    assert "".join(text for _, text in heard) == "a 1\né\nb\nc\n"
    assert bytes_of(stream) == "a 1\né\nb\nc\nunheard\n".encode()
    assert "write" not in vars(stream)


def test_error_of_the_stream_is_raised_as_ever_and_nothing_is_heard(stream: io.TextIOWrapper, heard: Heard) -> None:
    tap = tapped(stream, heard)
    with pytest.raises(TypeError, match="must be str, not bytes"):
        stream.write(b"bytes")  # type: ignore[arg-type]
    stream.close()
    with pytest.raises(ValueError, match="closed file"):
        print("a", file=stream)
    assert not heard
    tap.remove()


def test_stream_that_hands_on_to_another_is_heard_once(stream: io.TextIOWrapper, heard: Heard) -> None:
    class Wrapper:
        def write(self, text: str) -> int:
            return stream.write(text.upper())

    wrapper = Wrapper()
    inner, outer = tapped(stream, heard), tapped(wrapper, heard)
    wrapper.write("a")
    stream.write("b")
    assert heard == [("out", "a"), ("out", "b")]
    assert bytes_of(stream) == b"Ab"
    outer.remove()
    inner.remove()


def test_who_covers_a_tap_keeps_the_stream_when_it_is_removed(stream: io.TextIOWrapper, heard: Heard) -> None:
    tap = tapped(stream, heard)
    below = stream.write

    def shouted(text: str) -> int:
        return below(text.upper())

    vars(stream)["write"] = shouted
    assert not tap.is_outermost
    stream.write("a")
    tap.remove()
    stream.write("b")
    assert stream.write is shouted
    assert bytes_of(stream) == b"AB"
    assert heard == [("out", "A")]
    # Who wraps by such an attribute puts back what was there.
    vars(stream)["write"] = below
    stream.write("c")
    assert bytes_of(stream) == b"ABc"
    assert heard == [("out", "A")]


def test_attribute_that_was_there_is_put_back(stream: io.TextIOWrapper, heard: Heard) -> None:
    below = stream.write

    def shouted(text: str) -> int:
        return below(text.upper())

    vars(stream)["write"] = shouted
    tap = tapped(stream, heard)
    stream.write("a")
    tap.remove()
    assert stream.write is shouted
    assert (heard, bytes_of(stream)) == ([("out", "a")], b"A")


def test_stream_without_attributes_is_refused(heard: Heard) -> None:
    class Bare:
        __slots__ = ()

        def write(self, text: str) -> int:
            return sys.stdout.write(text)

    with pytest.raises(TypeError):
        tapped(Bare(), heard)

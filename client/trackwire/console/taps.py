"""Hears what is written to a stream, which stays the object that it is.

Only its method `write` is covered, by an attribute of the instance: `isatty`, `fileno`, `encoding`, `buffer` and all
else are its own, handlers of logging that have held it for long are heard too, and to let go of it nobody needs to put
anything into `sys` again. Who holds the method itself since before isn't heard, such as a progress bar that is older.
"""

import threading
from collections.abc import Callable
from typing import Protocol

# Is told the name of the stream and what was written to it.
Hear = Callable[[str, str], None]


class Stream(Protocol):
    """What is needed of a stream."""

    def write(self, text: str, /) -> int: ...


class _Under(threading.local):
    """Whether this thread is in a write that is heard: what one stream hands on to another is heard once."""

    way = False


_under = _Under()


class Tap:
    """Hears one stream until it is removed. Raises nothing that the stream itself doesn't raise."""

    def __init__(self, name: str, stream: Stream, hear: Hear) -> None:
        """Raises TypeError where the stream takes no attribute."""
        self.stream = stream
        self._name = name
        self._hear = hear
        self._is_on = True
        # One of the instance's own, or None for that of its class.
        self._covered = vars(stream).get("write")
        self._write_through = stream.write
        self._cover = self._write
        vars(stream)["write"] = self._cover

    @property
    def is_outermost(self) -> bool:
        """Whether what is written to the stream comes here first: nobody has covered this tap by another."""
        return self._is_on and vars(self.stream).get("write") is self._cover

    def remove(self) -> None:
        """Puts the stream back; where somebody has covered it since, they keep what they have, and nobody hears."""
        if self.is_outermost:
            if self._covered is None:
                del vars(self.stream)["write"]
            else:
                vars(self.stream)["write"] = self._covered
        self._is_on = False

    def _write(self, text: str, /) -> int:
        if _under.way or not self._is_on:
            return self._write_through(text)
        _under.way = True
        try:
            written = self._write_through(text)
        finally:
            _under.way = False
        self._hear(self._name, text)
        return written

"""What a terminal would show in the end of what was written to it, as lines: enough of one for progress bars.

    "\\r 10 %" "\\r 20 %" "\\r 30 %\\n"        one line, " 30 %"
    "a\\nb\\x1b[A\\rA"                       bars above each other go up again to be drawn anew: "A", "b"

Colours and whatever else a terminal is told are left out.
"""

import re
from collections.abc import Callable

# Progress bars go up no further, and what is above is final.
ROWS_MAX = 64
# Some print whole files in one line.
LINE_CHARACTERS_MAX = 16_384

_TOKEN = re.compile(
    r"[^\n\r\x08\x1b]+|\r\n|[\n\r]|\x08+"
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # what moves the cursor, erases, colours
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles, links
    r"|\x1b[@-Z\\-_]?"
)
_UP = re.compile(r"\x1b\[(\d*)A")
_ERASE = re.compile(r"\x1b\[([012]?)K")


class Line:
    """A line of one stream, from when it was begun, or else overwritten."""

    __slots__ = ("is_overwritten", "left_out", "returned", "stream", "text", "time")

    def __init__(self, stream: str, time: float) -> None:
        self.stream = stream
        self.time = time
        self.text = ""
        # Characters past what a line may have.
        self.left_out = 0
        self.is_overwritten = False
        # Whether the cursor is at its begin: what comes next replaces it.
        self.returned = False

    def put(self, time: float, text: str) -> None:
        """Writes behind what is there, or instead of it."""
        if self.returned:
            self.returned, self.is_overwritten = False, bool(self.text) or self.is_overwritten
            self.time, self.text, self.left_out = time, "", 0
        room = LINE_CHARACTERS_MAX - len(self.text)
        self.text += text[:room]
        self.left_out += max(len(text) - room, 0)

    def erase(self) -> None:
        """Leaves nothing of it."""
        self.is_overwritten, self.text, self.left_out = True, "", 0


class Screen:
    """The last rows of one stream. `begin` is given each line when it begins; it may still change after that."""

    def __init__(self, stream: str, begin: Callable[[Line], None]) -> None:
        self._stream = stream
        self._begin = begin
        self._rows: list[Line] = []
        # That of the cursor; one behind the last: a line that nothing has been written to.
        self._row = 0
        # Whether what comes next belongs to a line of an earlier part.
        self._goes_on = False

    def write(self, time: float, text: str) -> None:
        """Does what the text says."""
        for token in _TOKEN.findall(text):
            match token[0]:
                case "\n":
                    self._feed(time)
                case "\r":
                    self._return()
                    if len(token) == 2:
                        self._feed(time)
                case "\b":
                    self._go_back(len(token))
                case "\x1b":
                    self._obey(token)
                case _:
                    self._line(time).put(time, token)

    def cut(self) -> None:
        """Lets go of all lines: they are in a part that is closed, and change no more."""
        self._goes_on = self._current is not None
        self._rows, self._row = [], 0

    @property
    def _current(self) -> Line | None:
        return self._rows[self._row] if self._row < len(self._rows) else None

    def _line(self, time: float) -> Line:
        if self._current is None:
            self._rows.append(Line(self._stream, time))
            self._begin(self._rows[-1])
            if len(self._rows) > ROWS_MAX:
                del self._rows[0]
                self._row -= 1
        self._goes_on = False
        return self._rows[self._row]

    def _feed(self, time: float) -> None:
        if self._current is None and self._goes_on:
            # The end of a line that an earlier part has.
            self._goes_on = False
            return
        self._line(time)
        self._row += 1
        self._return()

    def _return(self) -> None:
        if self._current is not None:
            self._current.returned = True

    def _go_back(self, characters: int) -> None:
        if self._current is not None and not self._current.returned:
            self._current.text = self._current.text[:-characters]

    def _obey(self, token: str) -> None:
        current = self._current
        if up := _UP.fullmatch(token):
            self._row = max(self._row - max(int(up[1] or 1), 1), 0)
            self._return()
        elif current is not None and (erase := _ERASE.fullmatch(token)) and (erase[1] == "2" or current.returned):
            current.erase()

"""The lines of one part, in the order in which they began, as text for who reads them later.

    2026-11-21T18:02:03.123Z out step 1, loss 0.5
    2026-11-21T18:02:03.124Z err a warning
    2026-11-21T18:02:04.000Z --- what trackwire itself has to say

The text begins at the 30th character of a line.
"""

import time

from trackwire.console.screen import Line, Screen

OUT, ERR, OWN = "out", "err", "---"
# The time and the stream.
_HEAD_CHARACTERS = 29
# All that moves nothing and shows nothing, but for tabs.
_INVISIBLE = dict.fromkeys([*range(9), *range(10, 32), 127])


class Transcript:
    """The part that is open."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._screens = {stream: Screen(stream, self._lines.append) for stream in (OUT, ERR, OWN)}
        self._written_characters = 0
        self._is_full = False

    def write(self, stream: str, time: float, text: str) -> None:
        """Adds what was written to a stream."""
        self._screens[stream].write(time, text)
        self._written_characters += len(text)

    def note(self, time: float, text: str) -> None:
        """Adds something of our own, as lines for themselves."""
        self.write(OWN, time, f"{text}\n")

    def is_full(self, characters_max: int) -> bool:
        """Whether it has about as many characters; those of bars that were overwritten don't count."""
        heads = len(self._lines) * _HEAD_CHARACTERS
        if not self._is_full and self._written_characters + heads >= characters_max:
            # Counting costs: a tenth must come before it is done again.
            self._written_characters = sum(len(line.text) for line in self._lines)
            self._is_full = self._written_characters + heads >= characters_max * 0.9
        return self._is_full

    def take(self) -> str:
        """The part's text, empty if it has no line; the next part begins."""
        text = "".join(map(_shown, self._lines))
        for screen in self._screens.values():
            screen.cut()
        self._lines.clear()
        self._written_characters = 0
        self._is_full = False
        return text


def own_line(time: float, text: str) -> str:
    """A line of our own."""
    return f"{_stamp(time)} {OWN} {text}\n"


def _shown(line: Line) -> str:
    text = line.text.translate(_INVISIBLE).rstrip()
    if not text and line.is_overwritten:
        # A bar that has cleared itself.
        return ""
    if line.left_out:
        text += f" [… {line.left_out:,} characters of this line are left out]"
    return f"{_stamp(line.time)} {line.stream} {text}\n"


def _stamp(seconds: float) -> str:
    milliseconds = int(seconds * 1_000)
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1_000))
    return f"{whole}.{milliseconds % 1_000:03}Z"

"""What one run prints in this process: heard at once, kept part by part, bounded in memory and in size.

    print ──append──▶ waiting ──every second──▶ transcript ──full, old enough, or the end──▶ one part, as an artifact

A part is never written again. Its name sorts by when its process began and by its number, and no other process has the
same: neither another rank, nor a forked child, nor one that goes on with the run later.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

from trackwire.console.transcript import OWN, Transcript, own_line

PART_CHARACTERS = 256 * 1024
# The first part comes soon, and a training of many days doesn't have ten thousand of them.
FIRST_PART_SECONDS = 15.0
PART_SECONDS_MAX = 300.0
# Past these, a part that is full waits until it is old enough, and has only the last of what came meanwhile.
FULL_SPEED_CHARACTERS = 32 * 1024 * 1024
TAIL_CHARACTERS = 32 * 1024
# Past these that wait, what is printed is not heard: it is counted.
WAITING_BYTES_MAX = 16 * 1024 * 1024
# What a write costs beside its text.
_WRITE_BYTES = 128
WRITE_CHARACTERS_MAX = 1024 * 1024

# The times of lines have milliseconds.
MOMENT_SECONDS = 0.001
MOMENT_CHARACTERS_MAX = 8 * 1024

# The stream, when, and what.
Written = tuple[str, float, str]
# Keeps a text at a path among the run's artifacts.
Keep = Callable[[str, str], None]


class Capture:
    """The console of one run in one process."""

    def __init__(self, keep: Keep, rank: int | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._keep = keep
        self._folder = f"console/{rank or 0}"
        self._clock = clock
        self._begin()

    def _begin(self) -> None:
        # Whoever handles a signal may end the run in the middle of a turn.
        self._turning = threading.RLock()
        # Wall time at the begin and monotonic time from there on, as points have it.
        self._epoch = time.time() - self._clock()
        self._name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.urandom(4).hex()}"
        self._heard: deque[Written] = deque()
        self._waiting_bytes = 0
        self._unheard_characters = 0
        self._transcript = Transcript()
        self._tail: deque[Written] = deque()
        self._tail_characters = 0
        self._left_out_characters = 0
        self._opened_at: float | None = None
        self._part_seconds = FIRST_PART_SECONDS
        self._parts = 0
        self._kept_characters = 0

    def begin_again_in_child(self) -> None:
        """To be called in a forked child: what was heard so far is its parent's."""
        self._begin()

    def hear(self, stream: str, text: str) -> None:
        """Takes what was written to a stream: one append, and no lock."""
        if self._waiting_bytes >= WAITING_BYTES_MAX:
            self._unheard_characters += len(text)
            return
        if len(text) > WRITE_CHARACTERS_MAX:
            self._unheard_characters += len(text) - WRITE_CHARACTERS_MAX
            text = text[:WRITE_CHARACTERS_MAX]
        self._heard.append((stream, self._clock(), text))
        self._waiting_bytes += len(text) + _WRITE_BYTES

    def hear_of(self, error: BaseException) -> None:
        """Takes the exception that the run is left by: Python prints it, if at all, once the run is over."""
        import traceback

        told = "".join(traceback.format_exception(error))
        self._heard.append((OWN, self._clock(), f"the run is left by an exception:\n{told}"))

    def turn(self, *, is_last: bool = False) -> None:
        """Puts what was heard into parts, and keeps those that are complete; with `is_last` all."""
        with self._turning:
            self._take_in()
            if self._opened_at is None:
                return
            if is_last:
                self._close_part()
            elif self._clock() - self._opened_at >= self._part_seconds:
                self._close_part()
                self._part_seconds = min(2 * self._part_seconds, PART_SECONDS_MAX)

    def _take_in(self) -> None:
        for stream, at, text in self._take_heard():
            if self._transcript.is_full(PART_CHARACTERS):
                if self._kept_characters >= FULL_SPEED_CHARACTERS:
                    self._put_off(stream, at, text)
                    continue
                self._close_part()
            self._write(stream, at, text)
        # Counted anew: what threads add to one number at the same time may miss some.
        self._waiting_bytes = sum(len(text) + _WRITE_BYTES for _, _, text in list(self._heard))
        if self._unheard_characters:
            unheard, self._unheard_characters = self._unheard_characters, 0
            self._note(f"{unheard:,} characters are left out here: they came faster than they can be kept")

    def _take_heard(self) -> Iterator[Written]:
        """What there is now. What came to a stream in one moment goes together: `print` writes each word by itself."""
        texts: list[str] = []
        stream, begun, characters = "", 0.0, 0
        for _ in range(len(self._heard)):
            next_stream, at, text = self._heard.popleft()
            if texts and (next_stream != stream or at - begun > MOMENT_SECONDS or characters > MOMENT_CHARACTERS_MAX):
                yield stream, begun, "".join(texts)
                texts.clear()
            if not texts:
                stream, begun, characters = next_stream, at, 0
            texts.append(text)
            characters += len(text)
        if texts:
            yield stream, begun, "".join(texts)

    def _write(self, stream: str, at: float, text: str) -> None:
        if self._opened_at is None:
            self._opened_at = at
        self._transcript.write(stream, self._epoch + at, text)

    def _note(self, text: str) -> None:
        self._write(OWN, self._clock(), f"{text}\n")

    def _put_off(self, stream: str, at: float, text: str) -> None:
        """The end of what doesn't fit is kept for the end of the part: there stands why a training went wrong."""
        self._tail.append((stream, at, text))
        self._tail_characters += len(text)
        while self._tail_characters - len(self._tail[0][2]) >= TAIL_CHARACTERS:
            _, _, left_out = self._tail.popleft()
            self._tail_characters -= len(left_out)
            self._left_out_characters += len(left_out)

    def _close_part(self) -> None:
        if self._left_out_characters:
            self._note(
                f"{self._left_out_characters:,} characters are left out here: past {FULL_SPEED_CHARACTERS:,},"
                f" a part has at most about {PART_CHARACTERS:,}, and the last {TAIL_CHARACTERS:,}"
            )
        for written in self._tail:
            self._write(*written)
        opened_at, self._opened_at = self._opened_at, None
        text = self._transcript.take()
        self._tail.clear()
        self._tail_characters = self._left_out_characters = 0
        if not text or opened_at is None:
            return
        self._parts += 1
        self._kept_characters += len(text)
        head = own_line(
            self._epoch + opened_at, f"part {self._parts} of process {os.getpid()} on {os.uname().nodename}"
        )
        # Halves of surrogate pairs, which a stream may escape and UTF-8 doesn't have.
        whole = (head + text).encode(errors="backslashreplace").decode()
        self._keep(f"{self._folder}/{self._name}-{self._parts:06}.txt", whole)

"""Hears this process's two streams while a run captures what is printed, and tells what belongs to which run.

What a thread prints belongs to the innermost of its runs, and where that one doesn't capture, to none; of a thread
without a run, to the one that was started last.
"""

import logging
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from trackwire.console.capture import Capture
from trackwire.console.taps import Tap
from trackwire.console.transcript import ERR, OUT
from trackwire.fluent.loading import load
from trackwire.fluent.recorder import WRITING_NEEDS

logger = logging.getLogger(__name__)

TURN_SECONDS = 1.0

# A run, which is only told from other ones here.
Run = object


def _nothing() -> None:
    """Where there are no cells."""


class _Streams:
    """This process's streams, tapped while somebody listens."""

    def __init__(self) -> None:
        # Whoever handles a signal may end a run in the middle of this.
        self._changing = threading.RLock()
        self._taps: list[Tap] = []
        # Replaced as a whole, so that who prints needs no lock.
        self._captures: dict[Run, Capture] = {}
        self._latest: Capture | None = None
        self._innermost_run: Callable[[], Run | None] = lambda: None
        self._unfollow_cells: Callable[[], None] = _nothing
        self._untappable_is_told = False

    def add(self, run: Run, capture: Capture, innermost_run: Callable[[], Run | None]) -> None:
        """Listens for a run; `innermost_run` is asked for this thread's one at each write."""
        with self._changing:
            self._innermost_run = innermost_run
            self._captures = {**self._captures, run: capture}
            self._latest = capture
            self._tap_both()
            self._follow_cells()

    def remove(self, run: Run) -> None:
        """Listens no more for a run, and with the last one lets go of the streams."""
        with self._changing:
            self._captures = {each: capture for each, capture in self._captures.items() if each is not run}
            self._latest = next(reversed(self._captures.values()), None)
            if not self._captures:
                for tap in reversed(self._taps):
                    tap.remove()
                self._taps.clear()
                self._unfollow_cells()
                self._unfollow_cells = _nothing

    def begin_again_in_child(self) -> None:
        """To be called in a forked child: whoever held the lock is its parent's."""
        self._changing = threading.RLock()

    def _follow_cells(self) -> None:
        """IPython covers the streams itself at each cell, and at its end puts back what was there before it."""
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython is not None else None
        if shell is not None and self._unfollow_cells is _nothing:
            shell.events.register("pre_run_cell", self._begin_cell)
            self._unfollow_cells = partial(shell.events.unregister, "pre_run_cell", self._begin_cell)

    def _begin_cell(self, _cell: object) -> None:
        with self._changing:
            self._tap_both()

    def _tap_both(self) -> None:
        self._tap(OUT, sys.stdout)
        if sys.stderr is not sys.stdout:
            self._tap(ERR, sys.stderr)

    def _tap(self, name: str, stream: object) -> None:
        """Once; but anew where somebody has covered the tap, who may or may not hand on to it."""
        if stream is None or any(tap.stream is stream and tap.is_outermost for tap in self._taps):
            return
        for covered in [tap for tap in self._taps if tap.stream is stream]:
            covered.remove()
            self._taps.remove(covered)
        try:
            self._taps.append(Tap(name, stream, self._hear))  # type: ignore[arg-type]  # whatever stands in sys
        except (AttributeError, TypeError) as error:
            if not self._untappable_is_told:
                self._untappable_is_told = True
                logger.warning("console: what is written to sys.std%s can't be captured: %s", name, error)

    def _hear(self, name: str, text: str) -> None:
        try:
            run = self._innermost_run()
            capture = self._latest if run is None else self._captures.get(run)
            if capture is not None and text:
                capture.hear(name, text)
        except Exception:
            # Whatever it is: the program that prints has nothing to do with it.
            return


_streams = _Streams()


class RunConsole:
    """Captures what one run prints, with a thread that puts it into parts."""

    def __init__(self, run: Run, capture: Capture) -> None:
        self._run = run
        self._capture = capture
        self._stopped = threading.Event()
        self._failure_is_told = False

    def start(self, innermost_run: Callable[[], Run | None]) -> None:
        """Begins. Returns at once."""
        threading.Thread(target=self._keep_turning, name="trackwire-console", daemon=True).start()
        _streams.add(self._run, self._capture, innermost_run)

    def stop(self, error: BaseException | None = None) -> None:
        """Lets go of the streams, and keeps what there is; a second time does nothing."""
        self._stopped.set()
        _streams.remove(self._run)
        if error is not None:
            # An exception may be odd enough that it can't be shown.
            with suppress(Exception):
                self._capture.hear_of(error)
        self._turn(is_last=True)

    def begin_again_in_child(self) -> None:
        """Captures on in a forked child, whose parts are its own. All of it is kept at its end.

        There is no thread: one that is started in the middle of a print, wherever that is, may wait for ever.
        """
        _streams.begin_again_in_child()
        self._stopped = threading.Event()
        self._capture.begin_again_in_child()

    def _keep_turning(self) -> None:
        if self._stopped.wait(TURN_SECONDS):
            return
        load(("trackwire.fluent.snapshots", "trackwire.media.text", *WRITING_NEEDS))
        while not self._stopped.wait(TURN_SECONDS):
            self._turn()

    def _turn(self, *, is_last: bool = False) -> None:
        try:
            self._capture.turn(is_last=is_last)
        except Exception:
            if not self._failure_is_told:
                self._failure_is_told = True
                logger.exception("console: what is printed can't be kept")

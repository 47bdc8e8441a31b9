"""How far an import is, on stderr: a line that moves on a terminal, a line now and then elsewhere."""

import shutil
import sys
import threading
import time
from typing import TYPE_CHECKING

import click

from trackwire.cli.output import note

if TYPE_CHECKING:
    from trackwire.importing.tally import Tally

TERMINAL_SECONDS = 0.2
PLAIN_SECONDS = 5.0


class ImportReport:
    """Tells people how far an import is. Safe to use from many threads."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._interval_seconds = TERMINAL_SECONDS if self._is_terminal else PLAIN_SECONDS
        self._lock = threading.Lock()
        self._begun = self._shown_at = time.monotonic()
        self._line = ""

    def show(self, tally: "Tally") -> None:
        """The state as it is now, if the last one was some time ago."""
        now = time.monotonic()
        if now - self._shown_at < self._interval_seconds:
            return
        with self._lock:
            if now - self._shown_at < self._interval_seconds:
                return
            self._shown_at, self._line = now, _progress(tally, now - self._begun)
            if self._is_terminal:
                width = shutil.get_terminal_size().columns - 1
                click.echo(f"\r{self._line[:width]}\x1b[K", nl=False, err=True)
            else:
                click.echo(self._line, err=True)

    def say(self, words: str) -> None:
        """Something that has happened."""
        self.clear()
        note(words)

    def clear(self) -> None:
        """Takes the line away that moves."""
        with self._lock:
            if self._is_terminal and self._line:
                click.echo("\r\x1b[K", nl=False, err=True)
            self._line = ""


def _progress(tally: "Tally", seconds: float) -> str:
    counts = tally.counts
    runs, points, files = counts["runs"], counts["points"], counts["files"]
    rate = (points.copied + points.there) / seconds
    parts = [
        f"experiments {counts['experiments'].found:,}",
        f"runs {runs.copied + runs.there:,} of {runs.found:,}",
        f"points {points.copied + points.there:,} ({rate:,.0f}/s)",
        f"files {files.copied + files.there:,} of {files.found:,}",
    ]
    records = counts["evaluation records"]
    if records.found:
        parts.append(f"evaluation records {records.copied + records.there:,} of {records.found:,}")
    if tally.failures:
        parts.append(f"failures {len(tally.failures):,}")
    return ", ".join(parts)

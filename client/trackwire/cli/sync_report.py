"""What `trackwire sync` shows: a line that moves on a terminal, a line now and then elsewhere, and how it ended."""

import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from trackwire.cli.output import counted, note, size_text

if TYPE_CHECKING:
    from trackwire.shipper.overview import SpoolOverview
    from trackwire.shipper.rejected import KeptDamage
    from trackwire.spool.contents import Amount

PLAIN_SECONDS = 5.0
REFUSED_SHOWN = 10


class SyncReport:
    """Tells people how far a delivery is; silent, only what goes wrong."""

    def __init__(self, *, is_silent: bool) -> None:
        self._is_silent = is_silent
        self._is_terminal = sys.stdout.isatty()
        self._has_begun = False
        self._line = ""
        self._shown_at = 0.0

    def show(self, overview: "SpoolOverview") -> None:
        """The state as it is now."""
        if self._is_silent:
            return
        if not self._has_begun and overview.runs_waiting:
            self._has_begun = True
            self._begin(overview)
        line = _progress(overview)
        if line == self._line or not self._has_begun:
            return
        if self._is_terminal:
            width = shutil.get_terminal_size().columns - 1
            click.echo(f"\r{line[:width]}\x1b[K", nl=False)
        elif time.monotonic() - self._shown_at < PLAIN_SECONDS:
            return
        else:
            click.echo(line)
        self._line, self._shown_at = line, time.monotonic()

    def say(self, words: str) -> None:
        """Something that has happened."""
        self.clear()
        note(" ".join(words.split()))

    def clear(self) -> None:
        """Takes the line away that moves."""
        if self._is_terminal and self._line:
            click.echo("\r\x1b[K", nl=False)
        self._line = ""

    def end(self, overview: "SpoolOverview") -> None:
        """How it ended."""
        delivered = overview.delivered
        if overview.runs_delivered or delivered.points or delivered.artifacts:
            click.echo(f"delivered: {_amount(delivered, len(overview.runs_delivered))}")
        elif not overview.runs_waiting:
            click.echo(f"nothing to deliver in {overview.spool}")
        for (address, _), runs in sorted(overview.destinations.items()):
            click.echo(f"not delivered: {counted(len(runs), 'run')} for {address}")
        if overview.runs_waiting:
            click.echo(f"left in {overview.spool}: {_amount(overview.waiting, len(overview.runs_waiting))}")
        if overview.runs_written:
            click.echo(f"{counted(len(overview.runs_written), 'run')} still being written")
        for folder, error in overview.unreadable.items():
            click.echo(f"not delivered: {folder}: {error}")
        self._end_refused(overview)

    def _begin(self, overview: "SpoolOverview") -> None:
        self._shown_at = time.monotonic()
        click.echo(f"{overview.spool}: {_amount(overview.waiting, len(overview.runs_waiting))} to deliver")
        for (address, is_named), runs in sorted(overview.destinations.items()):
            which = "which they name" if is_named else "as they name no server"
            click.echo(f"  {counted(len(runs), 'run')} to {address}, {which}")

    def _end_refused(self, overview: "SpoolOverview") -> None:
        refused = [
            f"refused: run {place.run_id}, record {each.sequence} ({each.kind}, {counted(each.points, 'point')}):"
            f" {' '.join(each.message.split())}"
            for place, each in overview.rejections()
        ]
        refused += [f"damaged: run {place.run_id}: {damage_text(each)}" for place, each in overview.damages()]
        for line in refused[:REFUSED_SHOWN]:
            click.echo(line)
        if len(refused) > REFUSED_SHOWN:
            click.echo(f"and {len(refused) - REFUSED_SHOWN:,} more")
        if refused:
            click.echo(
                "`trackwire sync --rejected` lists what was refused, `--retry-rejected` sends it again,"
                " `--discard-rejected` removes it"
            )


def is_all_delivered(overview: "SpoolOverview") -> bool:
    """Whether nothing is left that somebody should look at."""
    is_kept = any(True for _ in overview.rejections()) or any(True for _ in overview.damages())
    return not (overview.runs_waiting or overview.unreadable or is_kept)


def document(overview: "SpoolOverview") -> Mapping[str, object]:
    """How it ended, for programs."""
    return {
        "spool": str(overview.spool),
        "all_delivered": is_all_delivered(overview),
        "delivered": {"runs": sorted(overview.runs_delivered), **asdict(overview.delivered)},
        "waiting": {"runs": sorted(overview.runs_waiting), **asdict(overview.waiting)},
        "waiting_for": sorted(overview.servers),
        "still_written": sorted(overview.runs_written),
        "unreadable": {str(folder): str(error) for folder, error in overview.unreadable.items()},
        "rejected": list(rejected_documents(overview)),
    }


def rejected_documents(overview: "SpoolOverview") -> Iterator[Mapping[str, object]]:
    """What was refused, or can't be read, with the folder that keeps it."""
    for place, rejection in overview.rejections():
        yield {"run_id": place.run_id, **asdict(rejection), "folder": str(place.rejected_folder)}
    for place, damage in overview.damages():
        yield {"run_id": place.run_id, **asdict(damage), "folder": str(place.rejected_folder)}


def damage_text(damage: "KeptDamage") -> str:
    """Bytes that the disk has spoilt, for a person."""
    return f"{counted(damage.length_bytes, 'byte')} of {damage.segment} can't be read: {damage.reason}"


def _amount(amount: "Amount", runs: int) -> str:
    parts = [counted(runs, "run"), counted(amount.points, "point")]
    if amount.artifacts:
        parts.append(f"{counted(amount.artifacts, 'artifact')} ({size_text(amount.artifact_bytes)})")
    return ", ".join(parts)


def _progress(overview: "SpoolOverview") -> str:
    done, runs = overview.delivered, len(overview.runs_delivered)
    total = done + overview.waiting
    # The runs first: a narrow terminal cuts off the end.
    parts = [
        f"{runs:,} of {counted(runs + len(overview.runs_waiting), 'run')}",
        f"{done.points:,} of {counted(total.points, 'point')}",
    ]
    if total.artifacts:
        sizes = f"{size_text(done.artifact_bytes)} of {size_text(total.artifact_bytes)}"
        parts.append(f"{done.artifacts:,} of {counted(total.artifacts, 'artifact')} ({sizes})")
    return f"delivered: {', '.join(parts)}"

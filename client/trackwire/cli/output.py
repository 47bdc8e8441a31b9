"""Tables for people, JSON for programs."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from google.protobuf.message import Message

EntryT = TypeVar("EntryT")

NAME_CHARACTERS_SHOWN = 60


def print_json(document: object) -> None:
    """One JSON document on a line."""
    click.echo(json.dumps(document, ensure_ascii=False))


def message_document(message: "Message") -> dict[str, object]:
    """A message as JSON says it: field names as in the proto, int64 as text, NaN as "NaN", enums by name."""
    from google.protobuf.json_format import MessageToDict

    document: dict[str, object] = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return document


def print_message(message: "Message") -> None:
    """A message as one JSON document."""
    print_json(message_document(message))


def take(entries: Iterable[EntryT], limit: int) -> list[EntryT]:
    """The first entries; says so on stderr if there are more."""
    taken = list(islice(entries, limit + 1))
    if len(taken) > limit:
        note(f"only the first {limit} are shown; see --limit")
    return taken[:limit]


def note(words: str) -> None:
    """A line for people on stderr, where it is in no program's way."""
    click.echo(f"trackwire: {words}", err=True)


def counted(count: int, thing: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Aligned columns; numbers to the right."""
    table = [["" if cell is None else _one_line(cell) for cell in row] for row in rows]
    materialised = [list(headings), *table]
    widths = [max(len(row[column]) for row in materialised) for column in range(len(headings))]
    numeric = [bool(table) and all(_is_number(row[column]) for row in table) for column in range(len(headings))]
    for row in materialised:
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def print_fields(fields: Mapping[str, object]) -> None:
    """One thing: a field a line; those without a value are left out."""
    shown = {name: value for name, value in fields.items() if value not in (None, "")}
    width = max((len(name) for name in shown), default=0)
    for name, value in shown.items():
        click.echo(f"{name.ljust(width)}  {_one_line(value)}")


def print_entries(title: str, entries: Mapping[str, object]) -> None:
    """Keys and values under a title; nothing where there are none."""
    if not entries:
        return
    click.echo(f"\n{title}")
    width = max(map(len, entries))
    for key in sorted(entries):
        click.echo(f"  {key.ljust(width)}  {_one_line(entries[key])}")


def time_text(time_ms: int) -> str:
    """A time in this machine's zone; empty for 0."""
    return f"{datetime.fromtimestamp(time_ms / 1000).astimezone():%Y-%m-%d %H:%M:%S}" if time_ms else ""


def duration_text(seconds: float) -> str:
    """A duration to look at."""
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{rest:02}s"


def size_text(size_bytes: int) -> str:
    """A size to look at."""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def number_text(value: float) -> str:
    """A metric's value to look at."""
    return "NaN" if math.isnan(value) else f"{value:.6g}"


def name_text(name: str) -> str:
    """A name to look at, short enough to leave the other columns in sight."""
    shown = _one_line(name)
    return shown if len(shown) <= NAME_CHARACTERS_SHOWN else f"{shown[: NAME_CHARACTERS_SHOWN - 1]}…"


def _one_line(cell: object) -> str:
    return " ".join(str(cell).split())


def _is_number(text: str) -> bool:
    if not text:
        return True
    try:
        float(text)
    except ValueError:
        return False
    return True

"""What the shipper logs, as sentences for a person who waits for it."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from queue import SimpleQueue

_SENTENCES: Mapping[str, str] = {
    "failed": "run {run} waits: {error}",
    "upload_waits": "the file {path} waits: {error}",
    "stream_failed": "stream {stream} is tried again: {error}",
    "stream_left_alone": "stream {stream} stays in the spool: {why}",
    "server_forgot": "run {run}: {error}",
}
# Whoever waits for the end sees these then, all together.
_AT_THE_END = {
    "stream_delivered": "run {run}: {points} points are delivered",
    "refused": "run {run}: record {sequence} ({kind}, {points} points) was refused: {error}",
    "damaged": "{path}: {length_bytes} bytes from {offset} on can't be read: {reason}",
}
_LOGGER = logging.getLogger("trackwire.shipper")


class _Fields(dict[str, object]):
    """One that an event doesn't have must not end a delivery."""

    def __missing__(self, name: str) -> str:
        return "?"


class _Teller(logging.Handler):
    """From the threads of the shipper into a queue."""

    def __init__(self, words: SimpleQueue[str], *, is_chatty: bool) -> None:
        super().__init__()
        self._words = words
        self._is_chatty = is_chatty

    def emit(self, record: logging.LogRecord) -> None:
        event, fields = record.getMessage(), _Fields(getattr(record, "fields", {}))
        if event == "failed" and not fields["passing"]:
            # Then it is refused, and that is an event of its own.
            return
        if event in _AT_THE_END:
            if self._is_chatty:
                self._words.put(_AT_THE_END[event].format_map(fields))
        elif event in _SENTENCES:
            self._words.put(_SENTENCES[event].format_map(fields))
        elif record.levelno >= logging.WARNING:
            said = " ".join(f"{name}={value}" for name, value in fields.items())
            self._words.put(f"{event}: {said}")


@contextmanager
def listening(words: SimpleQueue[str], *, is_chatty: bool) -> Iterator[None]:
    """Puts into `words` what the shipper of this process says; chatty: also of each stream what became of it."""
    teller = _Teller(words, is_chatty=is_chatty)
    before, spread = _LOGGER.level, _LOGGER.propagate
    _LOGGER.addHandler(teller)
    _LOGGER.setLevel(logging.INFO)
    _LOGGER.propagate = False
    try:
        yield
    finally:
        _LOGGER.removeHandler(teller)
        _LOGGER.setLevel(before)
        _LOGGER.propagate = spread

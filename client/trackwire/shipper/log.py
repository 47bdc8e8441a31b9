"""The shipper's log: key=value lines on stderr."""

import json
import logging
import sys
from datetime import UTC, datetime


class KeyValueFormatter(logging.Formatter):
    """`time=… level=… event=…`, then the record's `fields`; values with spaces or quotes are quoted as in JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return " ".join(f"{key}={_shown(value)}" for key, value in fields.items())


def log_to_stderr() -> None:
    """Sends all that is logged to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(KeyValueFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _shown(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    plain = text and text.isprintable() and not any(character in ' "=' for character in text)
    return text if plain else json.dumps(text, ensure_ascii=False)

"""One line an event, as text with key=value or as JSON; what libraries log through `logging` looks the same."""

import json
import logging
import re
import sys
from collections.abc import Mapping

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from trackwire_server.core.request_ids import current_request_id

_PLAIN = re.compile(r"[^\s\"'=]+")


def configure(*, level: str, log_format: str) -> FilteringBoundLogger:
    """Sends all logging of this process to stderr from this level on; the server's own logger."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        _with_request_id,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared[:3], structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _as_json if log_format == "json" else _as_text,
            ],
        )
    )
    number = logging.getLevelNamesMapping()[level.upper()]
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.INFO))
    own = logging.getLogger("trackwire_server")
    own.setLevel(number)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: own,
        cache_logger_on_first_use=True,
    )
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


def announce(event: str, *, log_format: str, **fields: object) -> None:
    """Says on stdout what whoever started the process waits for, whatever the level."""
    line = json.dumps({"event": event, **fields}, default=str) if log_format == "json" else _line(event, fields)
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _with_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if request_id := current_request_id.get():
        event["request_id"] = request_id
    return event


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return json.dumps(event, default=str, ensure_ascii=False)


def _as_text(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    timestamp, level = event.pop("timestamp"), event.pop("level")
    exception = event.pop("exception", None)
    line = f"{timestamp} {level:<7} {_line(str(event.pop('event')), event)}"
    return f"{line}\n{exception}" if exception else line


def _line(event: str, fields: Mapping[str, object]) -> str:
    pairs = " ".join(f"{key}={_value(value)}" for key, value in fields.items())
    return f"{event}  {pairs}" if pairs else event


def _value(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)

"""The server's settings: flags first, then TRACKWIRE_… variables, then defaults. Nothing else reads the environment."""

import argparse
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import unquote, urlsplit

from trackwire_server.core.errors import InvalidArgument

LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("text", "json")
MEMORY = "memory:"
SECONDS_MAX = 86_400
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as people write it; `default` is shown as it stands."""

    name: str
    default: str
    description: str
    metavar: str

    @property
    def flag(self) -> str:
        """On the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def variable(self) -> str:
        """In the environment."""
        return f"TRACKWIRE_{self.name.upper()}"


SETTINGS: Sequence[Setting] = (
    Setting("data_dir", "./.trackwire", "The folder of the embedded stores, the lock and server.json.", "PATH"),
    Setting("store_uri", "sqlite:///<data-dir>/trackwire.db", "The database; memory: keeps nothing.", "URI"),
    Setting("artifacts_uri", "<data-dir>/artifacts", "Where artifacts lie: a folder or memory:.", "URI"),
    Setting("host", "127.0.0.1", "The address to listen on; 0.0.0.0 for all of IPv4, :: for all.", "HOST"),
    Setting("port", "5051", "The port to listen on; 0 for a free one, told by the ready line.", "PORT"),
    Setting("http_port", "5000", "The port of MLflow's REST API; 0 for a free one; off for none.", "PORT"),
    Setting("log_level", "info", f"{', '.join(LOG_LEVELS)}; debug has a line a request.", "LEVEL"),
    Setting("log_format", "text", "text (key=value) or json.", "FORMAT"),
    Setting("drain_seconds", "10", "How long a stop waits for calls under way.", "SECONDS"),
    Setting("connection_age_seconds", "0", "Connections end after so long, to spread anew; 0: never.", "SECONDS"),
    Setting("tail_retention_seconds", "120", "How long a tail that was cut can resume.", "SECONDS"),
    Setting(
        "spool_intake",
        "on",
        "Whether the spool in the data directory is taken in: on, off.",
        "ON|OFF",
    ),
)
# For tests of crashes, from the environment alone: people have no use for them.
TEST_SETTINGS: Sequence[Setting] = (
    Setting("failpoint", "", "Where the process kills itself: place:n, such as ingest.before_commit:7.", "PLACE:N"),
    Setting("compaction_rows", "1024", "A run with so many journal rows is compacted.", "ROWS"),
)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings, checked. `artifacts_folder` is None for artifacts in memory."""

    data_dir: Path
    store_uri: str
    artifacts_uri: str
    artifacts_folder: Path | None
    host: str
    port: int
    http_port: int | None
    log_level: str
    log_format: str
    drain_seconds: float
    connection_age_seconds: float
    tail_retention_seconds: float
    spool_intake: bool
    failpoint: str
    compaction_rows: int

    @property
    def is_volatile(self) -> bool:
        """Whether something of what is stored is gone when the server ends."""
        return self.store_uri == MEMORY or self.artifacts_folder is None

    @classmethod
    def read(cls, flags: Mapping[str, str | None], environment: Mapping[str, str]) -> Self:
        """Settings from flags and environment, by the names in SETTINGS. Raises InvalidArgument by name and value."""
        values = _Values(flags, environment)
        data_dir = values.read("data_dir", _folder)
        artifacts_uri = values.read("artifacts_uri", _artifacts_uri, default=str(data_dir / "artifacts"))
        return cls(
            data_dir=data_dir,
            store_uri=values.read("store_uri", _store_uri, default=f"sqlite:///{data_dir}/trackwire.db"),
            artifacts_uri=artifacts_uri,
            artifacts_folder=None if artifacts_uri == MEMORY else _path_of(artifacts_uri),
            host=values.read("host", _host),
            port=values.read("port", _port),
            http_port=values.read("http_port", _port_or_off),
            log_level=values.read("log_level", _one_of(LOG_LEVELS)),
            log_format=values.read("log_format", _one_of(LOG_FORMATS)),
            drain_seconds=values.read("drain_seconds", _seconds),
            connection_age_seconds=values.read("connection_age_seconds", _seconds),
            tail_retention_seconds=values.read("tail_retention_seconds", _seconds),
            spool_intake=values.read("spool_intake", _one_of(("on", "off"))) == "on",
            failpoint=values.read("failpoint", _failpoint),
            compaction_rows=values.read("compaction_rows", _rows),
        )


def argument_parser() -> argparse.ArgumentParser:
    """The command line's parser: one flag a setting, all of them text."""
    parser = argparse.ArgumentParser(
        prog="trackwire server",
        description="Serves experiments, runs, metrics, artifacts and models.",
        allow_abbrev=False,
    )
    for setting in SETTINGS:
        text = f"{setting.description} [{setting.variable}; default: {setting.default}]"
        parser.add_argument(setting.flag, dest=setting.name, metavar=setting.metavar, help=text)
    return parser


class _Values:
    """Finds a setting's text and says where it stood when it is wrong."""

    def __init__(self, flags: Mapping[str, str | None], environment: Mapping[str, str]):
        self._flags = flags
        self._environment = environment

    def read(self, name: str, parse: Callable[[str], Value], *, default: str | None = None) -> Value:
        """The setting, parsed by a function that raises ValueError saying what would be right."""
        setting = next(setting for setting in (*SETTINGS, *TEST_SETTINGS) if setting.name == name)
        flag, variable = self._flags.get(name), self._environment.get(setting.variable)
        text = flag if flag is not None else variable
        if text is None:
            text = setting.default if default is None else default
        try:
            return parse(text)
        except ValueError as error:
            source = setting.flag if flag is not None or variable is None else setting.variable
            raise InvalidArgument(source, text, str(error), reason="BAD_SETTING") from error


def _folder(text: str) -> Path:
    # "?" would begin the options of the database's URI.
    if not text.strip() or "\0" in text or "?" in text:
        raise ValueError('must be a folder, without "?" in its path')
    return Path(text).expanduser().absolute()


def _store_uri(text: str) -> str:
    if text != MEMORY and not re.match(r"[a-z][a-z0-9+]*://", text):
        raise ValueError("must be a database URI such as sqlite:////data/trackwire.db, or memory:")
    return text


def _artifacts_uri(text: str) -> str:
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):", text)
    if text == MEMORY or (scheme and scheme[1] == "file" and urlsplit(text).path.startswith("/")):
        return text
    if scheme or not text.strip() or "\0" in text:
        raise ValueError("must be a folder such as /data/artifacts, a URI such as file:///data/artifacts, or memory:")
    return str(_path_of(text))


def _path_of(artifacts_uri: str) -> Path:
    if artifacts_uri.startswith("file:"):
        return Path(unquote(urlsplit(artifacts_uri).path))
    return Path(artifacts_uri).expanduser().absolute()


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:-]+", text):
        raise ValueError("must be a host name or an IP address, without a port")
    return text


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65_535:
        raise ValueError("must be a whole number from 0 to 65,535")
    return int(text)


def _port_or_off(text: str) -> int | None:
    if text == "off":
        return None
    try:
        return _port(text)
    except ValueError as error:
        raise ValueError(f"{error}, or off") from error


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= SECONDS_MAX:
        raise ValueError(f"must be a number of seconds from 0 to {SECONDS_MAX:,}")
    return seconds


def _failpoint(text: str) -> str:
    if not re.fullmatch(r"([a-z_.]+:[1-9][0-9]{0,8})?", text):
        raise ValueError("must be a place and a number, such as ingest.before_commit:7")
    return text


def _rows(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        raise ValueError("must be a whole number from 1 to 999,999")
    return int(text)


def _one_of(choices: Sequence[str]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text

    return parse

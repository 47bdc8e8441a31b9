"""The server's settings: flags first, then TRACKWIRE_… variables, MLflow's, and defaults.

Nothing else reads the environment. What MLflow's server has goes by MLflow's names, too.
"""

import argparse
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from trackwire_server import config_uris as uris
from trackwire_server.core.artifact_places import BucketFolder, bucket_folder, lies_in
from trackwire_server.core.errors import InvalidArgument

LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("text", "json")
MEMORY = uris.MEMORY
S3_ENCRYPTIONS = ("AES256", "aws:kms", "aws:kms:dsse")
SECONDS_MAX = 86_400
# The words that MLflow's own command line takes.
SWITCH = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as people write it; `default` is shown as it stands. Without a metavar it is a switch.

    `mlflow_name` is MLflow's name of it where that is another, `mlflow_variable` its variable in MLflow.
    """

    name: str
    default: str
    description: str
    metavar: str
    mlflow_name: str = ""
    mlflow_variable: str = ""

    @property
    def names(self) -> Sequence[str]:
        """Ours and MLflow's."""
        return [name for name in (self.name, self.mlflow_name) if name]

    @property
    def flag(self) -> str:
        """On the command line."""
        return _flag(self.name)

    @property
    def flags(self) -> Mapping[str, tuple[str, str | None]]:
        """Each flag with its setting's name, and what a switch says by it."""
        if self.metavar:
            return {_flag(name): (name, None) for name in self.names}
        both = {self.flag: (self.name, "on"), _flag(f"no_{self.name}"): (self.name, "off")}
        # Nobody needs a flag for what is so without it.
        return both if self.default == "on" else {self.flag: (self.name, "on")}

    @property
    def variable(self) -> str:
        """In the environment."""
        return f"TRACKWIRE_{self.name.upper()}"

    @property
    def variables(self) -> Sequence[str]:
        """Ours and MLflow's."""
        return [name for name in (self.variable, self.mlflow_variable) if name]


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


SETTINGS: Sequence[Setting] = (
    Setting("data_dir", "./.trackwire", "The folder of the embedded stores, the lock and server.json.", "PATH"),
    Setting(
        "store_uri",
        "sqlite:///<data-dir>/trackwire.db",
        "The database, sqlite:///… or postgresql://user@host/database; memory: keeps nothing.",
        "URI",
        "backend_store_uri",
        "MLFLOW_BACKEND_STORE_URI",
    ),
    Setting(
        "registry_store_uri",
        "<store-uri>",
        "The database of models: there is one for all, this only checks that it is meant.",
        "URI",
        mlflow_variable="MLFLOW_REGISTRY_STORE_URI",
    ),
    Setting(
        "artifacts_uri",
        "<data-dir>/artifacts",
        "Where artifacts lie: a folder, s3://bucket/folder or memory:.",
        "URI",
        "artifacts_destination",
        "MLFLOW_ARTIFACTS_DESTINATION",
    ),
    Setting(
        "s3_endpoint_url",
        "",
        "Where S3 is, if not at AWS or where AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL say.",
        "URL",
        mlflow_variable="MLFLOW_S3_ENDPOINT_URL",
    ),
    Setting(
        "s3_encryption",
        "",
        f"How S3 encrypts artifacts: {', '.join(S3_ENCRYPTIONS)}; without, as the bucket's settings say.",
        "METHOD",
    ),
    Setting(
        "s3_kms_key_id",
        "",
        "The key of AWS KMS that they are encrypted with; without, the account's own.",
        "KEY",
    ),
    Setting(
        "s3_locations",
        "",
        "Where else at S3 experiments may keep artifacts that the server reads and writes: s3://bucket/folder, and more"
        " behind commas; all other locations there are left to clients.",
        "URIS",
    ),
    Setting(
        "default_artifact_root",
        "trackwire-artifacts:/",
        "Where new experiments keep artifacts that name no place: a folder of the server's, or a URI such as"
        " s3://bucket/folder that clients reach by themselves; by default in the server's own store.",
        "URI",
        mlflow_variable="MLFLOW_DEFAULT_ARTIFACT_ROOT",
    ),
    Setting(
        "serve_artifacts",
        "on",
        "Serve the server's own artifact store over HTTP; without, --default-artifact-root must name another place.",
        "",
        mlflow_variable="MLFLOW_SERVE_ARTIFACTS",
    ),
    Setting(
        "artifacts_only",
        "off",
        "Over HTTP, serve artifacts and nothing else.",
        "",
        mlflow_variable="MLFLOW_ARTIFACTS_ONLY",
    ),
    Setting(
        "static_prefix",
        "",
        "What comes before the path of each URL over HTTP, such as /trackwire.",
        "PATH",
        mlflow_variable="MLFLOW_STATIC_PREFIX",
    ),
    Setting(
        "expose_prometheus",
        "",
        "Give metrics for Prometheus at /metrics over HTTP; the folder is MLflow's, nothing is put there.",
        "PATH",
        mlflow_variable="MLFLOW_EXPOSE_PROMETHEUS",
    ),
    Setting(
        "host",
        "127.0.0.1",
        "The address to listen on; 0.0.0.0 for all of IPv4, :: for all.",
        "HOST",
        mlflow_variable="MLFLOW_HOST",
    ),
    Setting("port", "5051", "The port to listen on; 0 for a free one, told by the ready line.", "PORT"),
    Setting(
        "http_port",
        "5000",
        "The port of MLflow's REST API; 0 for a free one; off for none.",
        "PORT",
        mlflow_variable="MLFLOW_PORT",
    ),
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
    """The settings, checked. `artifacts_folder` is None for artifacts in memory or at S3.

    What is said of S3 is "" where AWS's own settings decide, `default_artifact_root` is "" for the server's own store,
    `expose_prometheus` None where it is off.
    """

    data_dir: Path
    store_uri: str
    artifacts_uri: str
    artifacts_folder: Path | None
    s3_endpoint_url: str
    s3_encryption: str
    s3_kms_key_id: str
    s3_locations: Sequence[BucketFolder]
    default_artifact_root: str
    serve_artifacts: bool
    artifacts_only: bool
    static_prefix: str
    expose_prometheus: Path | None
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
        return MEMORY in (self.store_uri, self.artifacts_uri)

    @classmethod
    def read(cls, flags: Mapping[str, str | None], environment: Mapping[str, str]) -> Self:
        """Settings from flags and environment, by the names in SETTINGS. Raises InvalidArgument by name and value."""
        values = _Values(flags, environment)
        data_dir = values.read("data_dir", _folder)
        store_uri = values.read("store_uri", uris.store_uri, default=f"sqlite:///{data_dir}/trackwire.db")
        artifacts_uri = values.read("artifacts_uri", uris.artifacts_uri, default=str(data_dir / "artifacts"))
        config = cls(
            data_dir=data_dir,
            store_uri=store_uri,
            artifacts_uri=artifacts_uri,
            artifacts_folder=uris.artifacts_folder(artifacts_uri),
            s3_endpoint_url=values.read("s3_endpoint_url", uris.endpoint_url),
            s3_encryption=values.read("s3_encryption", _s3_encryption),
            s3_kms_key_id=values.read("s3_kms_key_id", str.strip),
            s3_locations=values.read("s3_locations", uris.s3_locations),
            default_artifact_root=values.read("default_artifact_root", uris.artifact_root),
            serve_artifacts=values.read("serve_artifacts", _switch),
            artifacts_only=values.read("artifacts_only", _switch),
            static_prefix=values.read("static_prefix", _static_prefix),
            expose_prometheus=values.read("expose_prometheus", _folder_or_none),
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
        config._check_together(values)
        return config

    def _check_together(self, values: "_Values") -> None:
        if self.port and self.port == self.http_port:
            port, said = values.find("port")
            raise _bad(port, said or str(self.port), "must not be the port of HTTP, which --http-port names, as well")
        registry, said = values.find("registry_store_uri")
        if said is not None and not uris.same_store(said, self.store_uri):
            expected = f"must be the database of all else, {uris.without_password(self.store_uri)}: leave it out"
            raise _bad(registry, said, expected)
        key, said = values.find("s3_kms_key_id")
        if self.s3_kms_key_id and not self.s3_encryption.startswith("aws:kms"):
            raise _bad(key, said or self.s3_kms_key_id, "needs --s3-encryption aws:kms or aws:kms:dsse")
        locations, said = values.find("s3_locations")
        own = bucket_folder(self.artifacts_uri)
        if own is not None and any(lies_in(own, each) or lies_in(each, own) for each in self.s3_locations):
            raise _bad(locations, said or "", "must lie apart from the server's own artifact store, --artifacts-uri")
        root, said = values.find("default_artifact_root")
        if said is not None:
            try:
                uris.check_apart(self.default_artifact_root, self.artifacts_folder)
            except ValueError as error:
                raise _bad(root, said, str(error)) from error
        serve, said = values.find("serve_artifacts")
        if said is not None and not (self.serve_artifacts or self.default_artifact_root):
            expected = "leaves new experiments without a place for artifacts: name one by --default-artifact-root"
            raise _bad(serve, said, expected)
        only, said = values.find("artifacts_only")
        if said is not None and self.artifacts_only and not self.serve_artifacts:
            raise _bad(only, said, f"leaves nothing to serve beside {serve}: give one of them")


def argument_parser() -> argparse.ArgumentParser:
    """The command line's parser: one flag a setting, all of them text."""
    parser = argparse.ArgumentParser(
        prog="trackwire server",
        description="Serves experiments, runs, metrics, artifacts and models.",
        allow_abbrev=False,
    )
    for setting in SETTINGS:
        add_flags(parser, setting)
    return parser


def add_flags(parser: argparse.ArgumentParser, setting: Setting) -> None:
    """A setting's flags; those behind the first refer to it."""
    text = f"{setting.description} [{', '.join(setting.variables)}; default: {setting.default or 'none'}]"
    for flag, (name, said) in setting.flags.items():
        if said is None:
            parser.add_argument(flag, dest=name, metavar=setting.metavar, help=text)
        else:
            parser.add_argument(flag, dest=name, action="store_const", const=said, help=text)
        text = f"The same as {setting.flag}, in MLflow's words." if said is None else f"The opposite of {setting.flag}."


class _Values:
    """Finds a setting's text and says where it stood when it is wrong."""

    def __init__(self, flags: Mapping[str, str | None], environment: Mapping[str, str]):
        self._flags = flags
        self._environment = environment

    def read(self, name: str, parse: Callable[[str], Value], *, default: str | None = None) -> Value:
        """The setting, parsed by a function that raises ValueError saying what would be right."""
        source, text = self.find(name)
        if text is None:
            text = _SETTING[name].default if default is None else default
        try:
            return parse(text)
        except ValueError as error:
            raise _bad(source, text, str(error)) from error

    def find(self, name: str) -> tuple[str, str | None]:
        """What was said of a setting, behind the flag or the variable that said it; None where nothing was."""
        setting = _SETTING[name]
        for flag, (said_by, said) in setting.flags.items():
            text = self._flags.get(said_by)
            if text is not None and said in (None, text):
                return flag, text
        if (text := self._environment.get(setting.variable)) is not None:
            return setting.variable, text
        # An empty one is as good as none to MLflow.
        if text := self._environment.get(setting.mlflow_variable):
            return setting.mlflow_variable, text
        return setting.flag, None


_SETTING = {setting.name: setting for setting in (*SETTINGS, *TEST_SETTINGS)}


def _bad(source: str, text: str, expected: str) -> InvalidArgument:
    return InvalidArgument(source, uris.without_password(text), expected, reason="BAD_SETTING")


def _folder(text: str) -> Path:
    # "?" would begin the options of the database's URI.
    if not text.strip() or "\0" in text or "?" in text:
        raise ValueError('must be a folder, without "?" in its path')
    return Path(text).expanduser().absolute()


def _folder_or_none(text: str) -> Path | None:
    return _folder(text) if text else None


def _switch(text: str) -> bool:
    if text.lower() not in SWITCH:
        raise ValueError(f"must be one of {', '.join(SWITCH)}")
    return SWITCH[text.lower()]


def _static_prefix(text: str) -> str:
    if text and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", text):
        raise ValueError('must be a path such as /trackwire, without "/" at its end')
    return text


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


def _s3_encryption(text: str) -> str:
    return _one_of(S3_ENCRYPTIONS)(text) if text else ""


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

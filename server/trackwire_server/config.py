"""The server's settings: flags first, then TRACKWIRE_… variables, MLflow's, and defaults.

Nothing else reads the environment. What MLflow's server has goes by MLflow's names, too.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from trackwire_server import config_opentelemetry as opentelemetry
from trackwire_server import config_uris as uris
from trackwire_server import config_values as parse
from trackwire_server.core.artifact_places import BucketFolder, bucket_folder, lies_in
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.remote_places import remote_place

LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("text", "json")
MEMORY = uris.MEMORY
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
        "The database, sqlite:///…, postgresql://user@host/database or mysql://…; memory: keeps nothing.",
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
        "store_pool_size",
        "8",
        "A database server: how many connections to it write, and how many more read.",
        "NUMBER",
        mlflow_variable="MLFLOW_SQLALCHEMYSTORE_POOL_SIZE",
    ),
    Setting(
        "store_statement_timeout_seconds",
        "300",
        "A database server: statements that take longer are ended; 0: never.",
        "SECONDS",
    ),
    Setting(
        "artifacts_uri",
        "<data-dir>/artifacts",
        "Where artifacts lie: a folder, s3://bucket/folder, sftp://user@host/folder (ftp, gs, abfs, hdfs) or memory:.",
        "URI",
        "artifacts_destination",
        "MLFLOW_ARTIFACTS_DESTINATION",
    ),
    Setting(
        "artifacts_password_file",
        "",
        "A file with the password of the user in an artifacts URI of sftp:// or ftp://, and nothing else.",
        "FILE",
    ),
    Setting(
        "sftp_known_hosts",
        "",
        "The file where an SFTP server's host key must stand; without, ~/.ssh/known_hosts and the machine's.",
        "FILE",
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
        f"How S3 encrypts artifacts: {', '.join(parse.S3_ENCRYPTIONS)}; without, as the bucket's settings say.",
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
        "allowed_hosts",
        "",
        "Names by which HTTP is asked for, and more behind commas; * stands for any letters. Addresses, localhost and"
        " the machine's name need not be given; with TLS or tokens and without this all names do.",
        "HOSTS",
        mlflow_variable="MLFLOW_SERVER_ALLOWED_HOSTS",
    ),
    Setting("prometheus", "on", "Give the server's figures to Prometheus, at /metrics over HTTP.", ""),
    Setting(
        "expose_prometheus",
        "",
        "The same as --prometheus, in MLflow's words; nothing is put into the folder.",
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
        "grpc_uri",
        "",
        "Where clients reach gRPC, such as grpcs://tracker.example:443, for the code that the web UI shows; without, at"
        " --port of the host that the page came from.",
        "URI",
    ),
    Setting(
        "http_port",
        "5000",
        "The HTTP port, of the web UI and MLflow's REST API; 0 for a free one; off for none.",
        "PORT",
        mlflow_variable="MLFLOW_PORT",
    ),
    Setting(
        "workers",
        "1",
        "How many processes serve, all at the same ports; more than 1 need a database server.",
        "PROCESSES",
    ),
    Setting("tls_cert", "", "The certificate that both ports show, in PEM, with those behind it.", "FILE"),
    Setting("tls_key", "", "Its private key, in PEM and without a passphrase.", "FILE"),
    Setting(
        "tls_client_ca",
        "",
        "Certificates in PEM: a client must show one that one of these has signed.",
        "FILE",
    ),
    Setting("tokens_file", "", "The file of `trackwire tokens`: a call must bring one of its tokens.", "FILE"),
    Setting("insecure", "off", "Listen also where others than this machine can call, without TLS and tokens.", ""),
    Setting("log_level", "info", f"{', '.join(LOG_LEVELS)}; debug has a line a request.", "LEVEL"),
    Setting("log_format", "text", "text (key=value) or json.", "FORMAT"),
    Setting(
        "readiness_grace_seconds",
        "0",
        "How long a stop takes calls on while health and /ready say already that none should come.",
        "SECONDS",
    ),
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
    """The settings, checked. `artifacts_folder` is None for artifacts that lie in no folder of this machine.

    What is said of S3 is "" where AWS's own settings decide, `default_artifact_root` is "" for the server's own store,
    `traces_exporter` where nobody asks for traces.
    """

    data_dir: Path
    store_uri: str
    store_pool_size: int
    store_statement_timeout_seconds: float
    artifacts_uri: str
    artifacts_folder: Path | None
    artifacts_password_file: Path | None
    sftp_known_hosts: Path | None
    s3_endpoint_url: str
    s3_encryption: str
    s3_kms_key_id: str
    s3_locations: Sequence[BucketFolder]
    default_artifact_root: str
    serve_artifacts: bool
    artifacts_only: bool
    static_prefix: str
    allowed_hosts: Sequence[str]
    prometheus: bool
    host: str
    port: int
    grpc_uri: str
    http_port: int | None
    workers: int
    tls_cert: Path | None
    tls_key: Path | None
    tls_client_ca: Path | None
    tokens_file: Path | None
    insecure: bool
    log_level: str
    log_format: str
    readiness_grace_seconds: float
    drain_seconds: float
    connection_age_seconds: float
    tail_retention_seconds: float
    spool_intake: bool
    failpoint: str
    compaction_rows: int
    traces_exporter: str

    @property
    def is_volatile(self) -> bool:
        """Whether something of what is stored is gone when the server ends."""
        return MEMORY in (self.store_uri, self.artifacts_uri)

    @property
    def artifacts_uri_shown(self) -> str:
        """Where artifacts lie, for everybody to read."""
        return uris.without_password(self.artifacts_uri)

    @classmethod
    def read(cls, flags: Mapping[str, str | None], environment: Mapping[str, str]) -> Self:
        """Settings from flags and environment, by the names in SETTINGS. Raises InvalidArgument by name and value."""
        values = _Values(flags, environment)
        data_dir = values.read("data_dir", parse.folder)
        store_uri = values.read("store_uri", uris.store_uri, default=f"sqlite:///{data_dir}/trackwire.db")
        artifacts_uri = values.read("artifacts_uri", uris.artifacts_uri, default=str(data_dir / "artifacts"))
        config = cls(
            data_dir=data_dir,
            store_uri=store_uri,
            store_pool_size=values.read("store_pool_size", parse.connections),
            store_statement_timeout_seconds=values.read("store_statement_timeout_seconds", parse.seconds),
            artifacts_uri=artifacts_uri,
            artifacts_folder=uris.artifacts_folder(artifacts_uri),
            artifacts_password_file=values.read("artifacts_password_file", parse.path_or_none),
            sftp_known_hosts=values.read("sftp_known_hosts", parse.path_or_none),
            s3_endpoint_url=values.read("s3_endpoint_url", uris.endpoint_url),
            s3_encryption=values.read("s3_encryption", parse.s3_encryption),
            s3_kms_key_id=values.read("s3_kms_key_id", str.strip),
            s3_locations=values.read("s3_locations", uris.s3_locations),
            default_artifact_root=values.read("default_artifact_root", uris.artifact_root),
            serve_artifacts=values.read("serve_artifacts", parse.switch),
            artifacts_only=values.read("artifacts_only", parse.switch),
            static_prefix=values.read("static_prefix", parse.static_prefix),
            allowed_hosts=values.read("allowed_hosts", parse.host_patterns),
            prometheus=values.read("prometheus", parse.switch),
            host=values.read("host", parse.host),
            port=values.read("port", parse.port),
            grpc_uri=values.read("grpc_uri", uris.grpc_uri),
            http_port=values.read("http_port", parse.port_or_off),
            workers=values.read("workers", parse.workers),
            tls_cert=values.read("tls_cert", parse.path_or_none),
            tls_key=values.read("tls_key", parse.path_or_none),
            tls_client_ca=values.read("tls_client_ca", parse.path_or_none),
            tokens_file=values.read("tokens_file", parse.path_or_none),
            insecure=values.read("insecure", parse.switch),
            log_level=values.read("log_level", parse.one_of(LOG_LEVELS)),
            log_format=values.read("log_format", parse.one_of(LOG_FORMATS)),
            readiness_grace_seconds=values.read("readiness_grace_seconds", parse.seconds),
            drain_seconds=values.read("drain_seconds", parse.seconds),
            connection_age_seconds=values.read("connection_age_seconds", parse.seconds),
            tail_retention_seconds=values.read("tail_retention_seconds", parse.seconds),
            spool_intake=values.read("spool_intake", parse.one_of(("on", "off"))) == "on",
            failpoint=values.read("failpoint", parse.failpoint),
            compaction_rows=values.read("compaction_rows", parse.rows),
            traces_exporter=opentelemetry.traces_exporter(environment),
        )
        config._check_together(values)
        return config

    def _check_together(self, values: "_Values") -> None:
        if self.port and self.port == self.http_port:
            port, said = values.find("port")
            raise _bad(port, said or str(self.port), "must not be the port of HTTP, which --http-port names, as well")
        workers, _ = values.find("workers")
        if self.workers > 1 and not uris.is_shareable(self.store_uri):
            expected = "a file or a memory is one process's own: name a database by --store-uri postgresql://…"
            raise _bad(workers, str(self.workers), expected)
        if self.workers > 1 and self.artifacts_uri == MEMORY:
            expected = "artifacts in memory are one process's own: name a folder or a bucket for them"
            raise _bad(workers, str(self.workers), expected)
        registry, said = values.find("registry_store_uri")
        if said is not None and not uris.same_store(said, self.store_uri):
            expected = f"must be the database of all else, {uris.without_password(self.store_uri)}: leave it out"
            raise _bad(registry, said, expected)
        key, said = values.find("s3_kms_key_id")
        if self.s3_kms_key_id and not self.s3_encryption.startswith("aws:kms"):
            raise _bad(key, said or self.s3_kms_key_id, "needs --s3-encryption aws:kms or aws:kms:dsse")
        password_file, said = values.find("artifacts_password_file")
        place = remote_place(self.artifacts_uri)
        if self.artifacts_password_file is not None and (place is None or not place.user or place.password):
            expected = "needs --artifacts-uri sftp://user@host/folder or ftp://…, with a user and without a password"
            raise _bad(password_file, said or "", expected)
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
        exposed, said = values.find("expose_prometheus")
        if values.read("expose_prometheus", parse.folder_or_none) is not None and not self.prometheus:
            raise _bad(exposed, said or "", "can't be given with --no-prometheus")
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

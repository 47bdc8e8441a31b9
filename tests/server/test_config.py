"""Settings: flags before the environment before defaults; a bad value is refused by name and value."""

from pathlib import Path

import pytest

from trackwire_server.config import SETTINGS, Config, argument_parser
from trackwire_server.core.errors import InvalidArgument


def read(*arguments: str, **environment: str) -> Config:
    """As the process reads them."""
    return Config.read(vars(argument_parser().parse_args(arguments)), environment)


def test_defaults_keep_everything_below_the_working_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    config = read()
    assert config.data_dir == tmp_path / ".trackwire"
    assert config.store_uri == f"sqlite:///{tmp_path}/.trackwire/trackwire.db"
    assert config.artifacts_folder == tmp_path / ".trackwire" / "artifacts"
    assert (config.host, config.port) == ("127.0.0.1", 5051)
    assert (config.log_level, config.log_format, config.drain_seconds) == ("info", "text", 10)


def test_flag_wins_over_the_environment() -> None:
    assert read("--port", "1", TRACKWIRE_PORT="2").port == 1
    assert read(TRACKWIRE_PORT="2").port == 2


def test_bad_variable_does_not_matter_under_a_good_flag() -> None:
    assert read("--port", "0", TRACKWIRE_PORT="many").port == 0


def test_every_setting_has_a_flag_and_a_variable() -> None:
    help_text = argument_parser().format_help()
    for setting in SETTINGS:
        for name in (*setting.flags, *setting.variables):
            assert name in help_text


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("/data/artifacts", "/data/artifacts"),
        ("file:///data/my%20artifacts", "/data/my artifacts"),
        ("memory:", None),
        ("s3://bucket/folder", None),
    ],
)
def test_artifacts_lie_in_a_folder_a_bucket_or_in_memory(uri: str, folder: str | None) -> None:
    config = read("--artifacts-uri", uri)
    assert config.artifacts_folder == (None if folder is None else Path(folder))


@pytest.mark.parametrize(
    "uri",
    ["s3://", "s3:bucket", "s3://a/../b", "s3://bucket/a//b", "s3://user@bucket/a", "s3://bucket/a?b=c", "s3://-b"],
)
def test_bucket_that_can_be_none_is_refused(uri: str) -> None:
    with pytest.raises(InvalidArgument, match="--artifacts-uri") as refused:
        read("--artifacts-uri", uri)
    assert refused.value.value == uri


@pytest.mark.parametrize(
    ("uri", "form"),
    [
        ("sftp://", "sftp://user@host/folder"),
        ("sftp://me@host/a/../b", "sftp://user@host/folder"),
        ("ftp://me:se/cret@host/a", "ftp://user@host/folder"),
        ("ftp://me:se@cret@host/a", "ftp://user@host/folder"),
        ("gs://me@bucket", "gs://bucket/folder"),
        ("abfs://a:secret@b/c", "abfs://container@account"),
        ("hdfs://host:many/folder", "hdfs://namenode:8020/folder"),
    ],
)
def test_place_elsewhere_that_can_be_none_is_refused_by_its_form(uri: str, form: str) -> None:
    with pytest.raises(InvalidArgument, match=form) as refused:
        read("--artifacts-uri", uri)
    assert "cret" not in str(refused.value)


def test_password_of_a_place_elsewhere_is_not_shown() -> None:
    config = read("--artifacts-uri", "sftp://me:se%40cret@host/folder")
    assert config.artifacts_uri_shown == "sftp://me:***@host/folder"
    assert config.artifacts_folder is None
    assert not config.is_volatile


@pytest.mark.parametrize("uri", ["sftp://host/folder", "ftp://me:secret@host", "s3://bucket", "/data"])
def test_password_file_needs_a_user_without_a_password(uri: str) -> None:
    with pytest.raises(InvalidArgument, match=r"--artifacts-password-file: .*needs --artifacts-uri sftp://user@host"):
        read("--artifacts-uri", uri, "--artifacts-password-file", "/run/secrets/password")


@pytest.mark.parametrize("location", ["s3://bucket", "s3://bucket/folder", "s3://bucket/folder/below"])
def test_location_in_or_above_the_servers_own_store_is_refused(location: str) -> None:
    with pytest.raises(InvalidArgument, match=r"--s3-locations: .*must lie apart"):
        read("--artifacts-uri", "s3://bucket/folder", "--s3-locations", location)


def test_locations_stand_beside_each_other_behind_commas() -> None:
    places = read("--artifacts-uri", "s3://bucket/own", "--s3-locations", "s3://bucket/a, s3://other,").s3_locations
    assert places == [("bucket", "a"), ("other", "")]


def test_only_what_lies_in_memory_is_volatile() -> None:
    assert read("--artifacts-uri", "memory:").is_volatile
    assert not read("--artifacts-uri", "s3://bucket").is_volatile
    assert not read("--artifacts-uri", "/data").is_volatile


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("s3-encryption", "aes", "must be one of AES256, aws:kms, aws:kms:dsse"),
        ("s3-endpoint-url", "minio:9000", "must be a URL such as http://minio:9000"),
        ("s3-endpoint-url", "http://me:secret@minio", "must be a URL such as http://minio:9000"),
        ("s3-kms-key-id", "key", "needs --s3-encryption aws:kms"),
        ("s3-locations", "s3://a,/data", "must be URIs such as s3://bucket/folder"),
    ],
)
def test_bad_setting_of_s3_is_refused(name: str, value: str, expected: str) -> None:
    with pytest.raises(InvalidArgument, match=expected) as refused:
        read(f"--{name}", value)
    assert refused.value.field == f"--{name}"
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("path", ["with space", "per%cent", "ünïcode", "#hash"])
def test_data_directory_may_have_any_name(tmp_path: Path, path: str) -> None:
    config = read("--data-dir", str(tmp_path / path))
    assert config.store_uri == f"sqlite:///{tmp_path}/{path}/trackwire.db"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("data_dir", ""),
        ("data_dir", "what?"),
        ("store_uri", ""),
        ("store_uri", "trackwire.db"),
        ("store_uri", "sqlite://"),
        ("store_uri", "sqlite:///:memory:"),
        ("store_uri", "redis://there"),
        ("default_artifact_root", ""),
        ("default_artifact_root", "/data/../etc"),
        ("default_artifact_root", "trackwire-artifacts:/7"),
        ("default_artifact_root", "mlflow-artifacts://host/7"),
        ("default_artifact_root", "memory:"),
        ("static_prefix", "trackwire"),
        ("static_prefix", "/trackwire/"),
        ("static_prefix", "/a b"),
        ("allowed_hosts", "a, ,b"),
        ("allowed_hosts", "http://tracker.example"),
        ("grpc_uri", "https://tracker.example"),
        ("grpc_uri", "tracker.example:443/path"),
        ("grpc_uri", 'a"b:443'),
        ("expose_prometheus", "what?"),
        ("artifacts_uri", ""),
        ("artifacts_uri", "r2://bucket"),
        ("artifacts_uri", "file:relative"),
        ("host", ""),
        ("host", "local host"),
        ("port", "-1"),
        ("port", "65536"),
        ("port", "1e3"),
        ("port", "５"),
        ("log_level", "INFO"),
        ("log_format", "xml"),
        ("drain_seconds", "-1"),
        ("drain_seconds", "nan"),
        ("drain_seconds", "inf"),
        ("connection_age_seconds", "soon"),
        ("readiness_grace_seconds", "-1"),
        ("workers", "0"),
        ("workers", "65"),
        ("spool_intake", "yes"),
    ],
)
def test_bad_value_is_refused_by_name_and_value(name: str, value: str) -> None:
    setting = next(setting for setting in SETTINGS if setting.name == name)
    with pytest.raises(InvalidArgument) as by_flag:
        read(f"{setting.flag}={value}")
    assert by_flag.value.message.startswith(f"{setting.flag}: {value!r}: must be ")
    with pytest.raises(InvalidArgument) as by_variable:
        read(**{setting.variable: value})
    assert by_variable.value.message.startswith(f"{setting.variable}: {value!r}: must be ")


@pytest.mark.parametrize(
    ("arguments", "source"),
    [
        (("--port", "5000"), "--port: '5000'"),
        (("--http-port", "5051"), "--port: '5051'"),
        (("--http-port", "7", "--port", "7"), "--port: '7'"),
    ],
)
def test_one_port_for_both_protocols_is_refused(arguments: tuple[str, ...], source: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read(*arguments)
    assert refused.value.message.startswith(f"{source}: must not be the port of HTTP")
    assert read("--port", "0", "--http-port", "0").http_port == 0
    assert read("--port", "5000", "--http-port", "off").port == 5000


# What an MLflow server is told, in its own words.


def test_store_by_mlflows_names() -> None:
    assert read("--backend-store-uri", "sqlite:///mlflow.db").store_uri == "sqlite:///mlflow.db"
    assert read("--artifacts-destination", "/data/files").artifacts_folder == Path("/data/files")
    assert read(MLFLOW_BACKEND_STORE_URI="memory:", MLFLOW_ARTIFACTS_DESTINATION="memory:").is_volatile
    assert read(MLFLOW_HOST="0.0.0.0").host == "0.0.0.0"


def test_flags_go_before_variables_and_ours_before_mlflows() -> None:
    said = {"TRACKWIRE_STORE_URI": "sqlite:///c.db", "MLFLOW_BACKEND_STORE_URI": "sqlite:///d.db"}
    assert read("--backend-store-uri", "sqlite:///b.db", "--store-uri", "memory:", **said).store_uri == "memory:"
    assert read("--backend-store-uri", "sqlite:///b.db", **said).store_uri == "sqlite:///b.db"
    assert read(**said).store_uri == "sqlite:///c.db"
    assert read(MLFLOW_BACKEND_STORE_URI="").store_uri == read().store_uri


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("./mlruns", "there are no file stores"),
        ("/data/mlruns", "there are no file stores"),
        ("file:///data/mlruns", "there are no file stores"),
        ("oracle+oracledb://there/db", "not supported yet"),
        ("mssql+pyodbc://there/db", "not supported yet"),
    ],
)
def test_store_that_is_not_there_is_refused_with_those_that_are(uri: str, why: str) -> None:
    for source, refused in (
        ("--backend-store-uri", lambda: read("--backend-store-uri", uri)),
        ("MLFLOW_BACKEND_STORE_URI", lambda: read(MLFLOW_BACKEND_STORE_URI=uri)),
    ):
        with pytest.raises(InvalidArgument) as error:
            refused()
        assert error.value.field == source
        assert "sqlite:///relative/path.db, sqlite:////absolute/path.db or memory:" in error.value.message
        assert why in error.value.message
        assert "secret" not in error.value.message


def test_one_store_holds_models_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    read("--backend-store-uri", "sqlite:///a.db", "--registry-store-uri", f"sqlite:///{tmp_path}/a.db")
    for source, refused in (
        ("--registry-store-uri", lambda: read("--registry-store-uri", "sqlite:///b.db")),
        (
            "MLFLOW_REGISTRY_STORE_URI",
            lambda: read("--store-uri", "memory:", MLFLOW_REGISTRY_STORE_URI="sqlite:///b.db"),
        ),
    ):
        with pytest.raises(InvalidArgument, match="must be the database of all else") as error:
            refused()
        assert error.value.field == source


@pytest.mark.parametrize(
    ("said", "root"),
    [
        ("trackwire-artifacts:/", ""),
        ("mlflow-artifacts:/", ""),
        ("mlflow-artifacts:///", ""),
        ("s3://bucket/runs", "s3://bucket/runs"),
        ("/data/runs", "/data/runs"),
        ("file:///data/my%20runs", "file:///data/my%20runs"),
        ("./runs", "{working_folder}/runs"),
    ],
)
def test_artifact_root_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, root: str) -> None:
    monkeypatch.chdir(tmp_path)
    expected = root.format(working_folder=tmp_path)
    assert read("--default-artifact-root", said).default_artifact_root == expected
    assert read(MLFLOW_DEFAULT_ARTIFACT_ROOT=said).default_artifact_root == expected


def test_artifact_root_leaves_room_for_the_experiment() -> None:
    with pytest.raises(InvalidArgument, match="must have at most 2,028 characters"):
        read("--default-artifact-root", "s3://" + "b" * 2_024)


def test_artifact_root_in_the_servers_own_store_is_refused(tmp_path: Path) -> None:
    for root in (str(tmp_path), str(tmp_path / "runs"), tmp_path.as_uri()):
        with pytest.raises(InvalidArgument, match=r"^--default-artifact-root: .*own artifact store"):
            read("--artifacts-destination", str(tmp_path), "--default-artifact-root", root)


def test_without_serving_a_place_for_artifacts_is_named() -> None:
    assert read().serve_artifacts
    assert read("--serve-artifacts", MLFLOW_SERVE_ARTIFACTS="false").serve_artifacts
    config = read("--no-serve-artifacts", "--default-artifact-root", "s3://bucket")
    assert (config.serve_artifacts, config.default_artifact_root) == (False, "s3://bucket")
    with pytest.raises(InvalidArgument, match=r"^--no-serve-artifacts: .*name one by --default-artifact-root"):
        read("--no-serve-artifacts")
    with pytest.raises(InvalidArgument, match=r"^MLFLOW_SERVE_ARTIFACTS: 'FALSE': "):
        read(MLFLOW_SERVE_ARTIFACTS="FALSE")
    with pytest.raises(InvalidArgument, match=r"^TRACKWIRE_SERVE_ARTIFACTS: 'maybe': must be one of on, "):
        read(TRACKWIRE_SERVE_ARTIFACTS="maybe", MLFLOW_SERVE_ARTIFACTS="true")


def test_artifacts_alone_are_served_where_asked() -> None:
    assert not read().artifacts_only
    assert read("--artifacts-only").artifacts_only
    assert read(MLFLOW_ARTIFACTS_ONLY="1").artifacts_only
    with pytest.raises(InvalidArgument, match=r"^--artifacts-only: 'on': leaves nothing to serve"):
        read("--artifacts-only", "--no-serve-artifacts", "--default-artifact-root", "s3://bucket")


@pytest.mark.parametrize("store", ["sqlite:////data/a.db", "memory:"])
def test_workers_need_a_store_that_they_can_share(store: str) -> None:
    assert read("--store-uri", store, "--workers", "1").workers == 1
    assert read("--store-uri", "postgresql://db/trackwire", "--workers", "64").workers == 64
    with pytest.raises(InvalidArgument, match=r"^--workers: '2': .* --store-uri postgresql://"):
        read("--store-uri", store, "--workers", "2")


def test_workers_need_artifacts_that_they_can_share() -> None:
    with pytest.raises(InvalidArgument, match=r"^--workers: '2': artifacts in memory"):
        read("--store-uri", "postgresql://db/trackwire", "--artifacts-uri", "memory:", "--workers", "2")


def test_prefix_is_off_unless_named() -> None:
    assert read().static_prefix == ""
    assert read("--static-prefix", "/team/trackwire").static_prefix == "/team/trackwire"


def test_hosts_are_named_behind_commas() -> None:
    assert read().allowed_hosts == ()
    assert read("--allowed-hosts", "a.example, *.b:*").allowed_hosts == ("a.example", "*.b:*")
    assert read(MLFLOW_SERVER_ALLOWED_HOSTS="*").allowed_hosts == ("*",)


@pytest.mark.parametrize(
    "uri", ["tracker.example", "grpcs://[::1]:5051", "grpc://dns:///trackwire:5051", "grpcs://10.0.0.1:51,10.0.0.2:51"]
)
def test_clients_may_reach_grpc_elsewhere(uri: str) -> None:
    assert read().grpc_uri == ""
    assert read("--grpc-uri", uri).grpc_uri == uri


def test_prometheus_is_on_unless_told_otherwise() -> None:
    assert read().prometheus
    assert read(MLFLOW_EXPOSE_PROMETHEUS="metrics").prometheus
    assert not read("--no-prometheus").prometheus
    with pytest.raises(InvalidArgument, match=r"^--expose-prometheus: 'metrics': can't be given with --no-prometheus"):
        read("--no-prometheus", "--expose-prometheus", "metrics")


def test_short_flag_is_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        argument_parser().parse_args(["-h"])
    assert ended.value.code == 0
    assert "--host" in capsys.readouterr().out

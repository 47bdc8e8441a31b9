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
        assert setting.flag in help_text
        assert setting.variable in help_text


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("/data/artifacts", "/data/artifacts"),
        ("file:///data/my%20artifacts", "/data/my artifacts"),
        ("memory:", None),
    ],
)
def test_artifacts_lie_in_a_folder_or_in_memory(uri: str, folder: str | None) -> None:
    config = read("--artifacts-uri", uri)
    assert config.artifacts_folder == (None if folder is None else Path(folder))


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
        ("artifacts_uri", ""),
        ("artifacts_uri", "s3://bucket"),
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

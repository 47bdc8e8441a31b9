"""A server is not open to a network by accident, and says by name what is wrong with certificates."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from structlog.testing import LogCapture
from structlog.typing import FilteringBoundLogger
from tests.certificates import Authority
from tests.conftest import ServerProcess

from trackwire_server.config import Config
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.exposure import is_loopback, require_guard
from trackwire_server.guarding import guard_of
from trackwire_server.tls import Tls, TlsFiles

MakeServer = Callable[..., ServerProcess]
CERTIFICATE = {"tls_cert": "c.pem", "tls_key": "k.pem"}
TOKENS = {"tokens_file": "t.toml"}


def config(**flags: str) -> Config:
    return Config.read(flags, {})


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_alone_needs_no_guard(host: str, log: FilteringBoundLogger, log_capture: LogCapture) -> None:
    assert is_loopback(host)
    require_guard(config(host=host), log)
    assert log_capture.entries == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "tracker.example", "localhost.example"])
@pytest.mark.parametrize(
    ("flags", "missing"),
    [
        ({}, "--tls-cert and --tls-key and --tokens-file (or --tls-client-ca)"),
        (TOKENS, "--tls-cert and --tls-key"),
        (CERTIFICATE, "--tokens-file (or --tls-client-ca)"),
    ],
)
def test_network_needs_tls_and_tokens_or_a_word(
    host: str, flags: dict[str, str], missing: str, log: FilteringBoundLogger, log_capture: LogCapture
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        require_guard(config(host=host, **flags), log)
    expected = f"would be open to the network: give {missing}, or --insecure to have it so"
    assert (caught.value.field, caught.value.value, caught.value.expected) == ("--host", host, expected)
    require_guard(config(host=host, insecure="on", **flags), log)
    (warning,) = log_capture.entries
    assert (warning["log_level"], warning["host"], warning["missing"]) == ("warning", host, missing)


@pytest.mark.parametrize("known_by", [TOKENS, {"tls_client_ca": "a.pem"}])
def test_network_is_fine_with_tls_and_callers_that_are_known(
    known_by: dict[str, str], log: FilteringBoundLogger, log_capture: LogCapture
) -> None:
    require_guard(config(host="0.0.0.0", **CERTIFICATE, **known_by), log)
    assert log_capture.entries == []


def test_server_that_would_be_open_does_not_start(make_server_process: MakeServer) -> None:
    server = make_server_process("--host", "0.0.0.0")
    assert server.launch().wait(30) == 2
    assert server.log_text() == (
        "trackwire server: --host: '0.0.0.0': would be open to the network: give --tls-cert and --tls-key and"
        " --tokens-file (or --tls-client-ca), or --insecure to have it so\n"
    )
    assert not server.data_dir.exists()


@pytest.mark.parametrize("given", ["tls_cert", "tls_key", "tls_client_ca"])
def test_part_of_tls_is_refused(given: str) -> None:
    with pytest.raises(InvalidArgument, match=r"is of no use without --tls-(cert|key)") as caught:
        guard_of(config(**{given: "/there"}), lambda: 0)
    assert caught.value.field == f"--{given.replace('_', '-')}"


def refused(files: TlsFiles) -> tuple[str, str]:
    """The flag, and what is wrong with its file."""
    with pytest.raises(InvalidArgument) as caught:
        Tls(files)
    return caught.value.field, caught.value.expected


def test_files_that_are_not_there_are_told_by_their_flags(authority: Authority, tmp_path: Path) -> None:
    pair, nothing = authority.issue(), tmp_path / "nothing.pem"
    said = "can't be read: No such file or directory"
    assert refused(TlsFiles(nothing, pair.key)) == ("--tls-cert", said)
    assert refused(TlsFiles(pair.certificate, nothing)) == ("--tls-key", said)
    assert refused(TlsFiles(pair.certificate, pair.key, nothing)) == ("--tls-client-ca", said)


def test_files_that_hold_something_else_are_told_by_their_flags(authority: Authority, tmp_path: Path) -> None:
    pair, text = authority.issue(), tmp_path / "text.pem"
    text.write_text("nothing of the kind\n")
    assert refused(TlsFiles(text, pair.key)) == ("--tls-cert", "holds no certificate in PEM")
    assert refused(TlsFiles(pair.certificate, text)) == ("--tls-key", "holds no private key in PEM")
    assert refused(TlsFiles(pair.certificate, pair.key, text)) == ("--tls-client-ca", "holds no certificates in PEM")


def test_key_of_another_certificate_is_refused(authority: Authority) -> None:
    one, two = authority.issue(label="one"), authority.issue(label="two")
    flag, words = refused(TlsFiles(one.certificate, two.key))
    assert (flag, words) == ("--tls-key", f"is not the key of the certificate {one.certificate}")


def test_key_with_a_passphrase_is_refused(authority: Authority, tmp_path: Path) -> None:
    pair, encrypted = authority.issue(), tmp_path / "encrypted.pem"
    key = load_pem_private_key(pair.key.read_bytes(), None)
    encrypted.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    assert refused(TlsFiles(pair.certificate, encrypted)) == (
        "--tls-key",
        "is encrypted: give a key without a passphrase",
    )


@pytest.mark.parametrize(
    ("days", "words"), [(-1, "certificate has expired"), (1, "certificate is not yet valid")], ids=["past", "future"]
)
def test_certificate_that_is_not_valid_now_is_refused(authority: Authority, days: int, words: str) -> None:
    around = datetime.now(UTC) + timedelta(days=days)
    pair = authority.issue(not_before=around - timedelta(hours=1), not_after=around + timedelta(hours=1))
    flag, said = refused(TlsFiles(pair.certificate, pair.key))
    assert (flag, said) == ("--tls-cert", f"would be refused by clients: {words}")


def test_bad_files_end_the_start_with_one_line(make_server_process: MakeServer, tmp_path: Path) -> None:
    server = make_server_process("--tokens-file", str(tmp_path / "tokens.toml"))
    assert server.launch().wait(30) == 2
    (line,) = server.log_text().splitlines()
    assert line.startswith(
        f"trackwire server: tokens_file: '{tmp_path}/tokens.toml': does not exist: `trackwire tokens"
    )

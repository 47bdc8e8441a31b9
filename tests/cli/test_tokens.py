"""`trackwire tokens`, which hands all on to the server's own command."""

from pathlib import Path

from tests.cli.conftest import invoke

from trackwire_server.core.tokens import digest_of
from trackwire_server.tokens_file import read_tokens


def test_tokens_are_made_listed_and_revoked(tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    created = invoke("tokens", "create", "ci", "--expires", "90d", "--file", file, address="")
    assert created.returncode == 0, created.stderr
    (token,) = read_tokens(file)
    assert token.digest == digest_of(created.stdout.strip())
    listed = invoke("tokens", "list", "--file", file, address="")
    assert listed.stdout.splitlines()[1].split()[:2] == ["ci", "write"]
    revoked = invoke("tokens", "revoke", "ci", "--file", file, address="")
    assert revoked.stdout == "token 'ci' revoked\n"
    assert read_tokens(file) == []


def test_help_is_the_servers_own() -> None:
    helped = invoke("tokens", "create", "--help", address="")
    assert helped.returncode == 0
    assert "--expires TIME" in helped.stdout

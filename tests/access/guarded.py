"""A server behind TLS and tokens on both ports, and what its clients need."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.certificates import Authority, Pair
from tests.conftest import ROOT, ServerProcess

LIBRARIES = os.pathsep.join(str(ROOT / folder) for folder in ("client", "server"))
_VARIABLES = ("TRACKWIRE_TOKEN", "TRACKWIRE_CA_CERT", "TRACKWIRE_CLIENT_CERT", "TRACKWIRE_CLIENT_KEY")


@dataclass
class Guarded:
    """A server, its file of tokens, and the secrets by name."""

    server: ServerProcess
    authority: Authority
    pair: Pair
    tokens_file: Path
    client: Pair
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """As clients name it."""
        return self.server.address

    @property
    def url(self) -> str:
        """The same of HTTP."""
        return self.server.url

    def create(self, name: str, scope: str = "write", *more: str) -> str:
        """Makes a token by the command of users; its secret."""
        made = tokens_command("create", name, "--scope", scope, *more, file=self.tokens_file)
        self.secrets[name] = made.strip()
        return self.secrets[name]

    def trust(self, monkeypatch: pytest.MonkeyPatch, token: str | None = None) -> None:
        """Sets the environment of a client: whom it trusts, and its token, by name."""
        for name in _VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in self.environment(token).items():
            monkeypatch.setenv(name, value)

    def environment(self, token: str | None = None) -> Mapping[str, str]:
        """The same for another process."""
        said = {"TRACKWIRE_CA_CERT": str(self.authority.path)}
        return said if token is None else {**said, "TRACKWIRE_TOKEN": self.secrets[token]}


def tokens_command(*arguments: str, file: Path) -> str:
    """`trackwire tokens …`, which must do well; what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "trackwire_server", "tokens", *arguments, "--file", str(file)],
        env={**os.environ, "PYTHONPATH": LIBRARIES},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def guarded_server(folder: Path, *arguments: str, mutual: bool = False) -> Guarded:
    """A server on free ports that is not started yet, with a token of each scope."""
    authority = Authority(folder, "authority")
    pair = authority.issue()
    tokens_file = folder / "tokens.toml"
    flags = ["--tls-cert", str(pair.certificate), "--tls-key", str(pair.key), "--tokens-file", str(tokens_file)]
    if mutual:
        flags += ["--tls-client-ca", str(authority.path)]
    server = ServerProcess(folder / "data", [*flags, "--log-level", "debug", *arguments], http_port="0")
    guarded = Guarded(server, authority, pair, tokens_file, authority.issue("trainer@example.org", label="client"))
    for scope in ("read", "write", "admin"):
        guarded.create(scope, scope)
    return guarded

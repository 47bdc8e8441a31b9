"""Who may reach the server: TLS and tokens."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from structlog.typing import FilteringBoundLogger

from trackwire_server.config import Config
from trackwire_server.core.clock import Clock
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.tokens import Gate, Scope, Token, digest_of, new_secret
from trackwire_server.renewal import Renewal
from trackwire_server.tls import CERTIFICATE, CLIENT_CA, KEY, Tls, TlsFiles

if TYPE_CHECKING:
    import grpc


@dataclass(frozen=True, slots=True)
class Guard:
    """What stands before the ports: tokens, TLS, both or nothing. Make it by `guard_of`."""

    gate: Gate | None
    tls: Tls | None
    tokens_file: Path | None
    tokens_renewal: Renewal
    tls_renewal: Renewal

    @property
    def is_there(self) -> bool:
        """Whether not everybody who reaches a port is let in."""
        return self.gate is not None or self.tls is not None

    @property
    def grpc_credentials(self) -> "grpc.ServerCredentials | None":
        """What gRPC's port speaks TLS by."""
        return None if self.tls is None else self.tls.grpc_credentials()

    async def keep_current(self, stack: AsyncExitStack, log: FilteringBoundLogger) -> None:
        """Reads the files anew when they change, until the stack is unwound."""
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        if self.gate is not None:
            watching = tasks.create_task(self.tokens_renewal.watch(self._renew_tokens, log), name="tokens")
            stack.callback(watching.cancel)
        if self.tls is not None:
            watching = tasks.create_task(self.tls_renewal.watch(self.tls.renew, log), name="certificate")
            stack.callback(watching.cancel)

    async def _renew_tokens(self) -> None:
        if self.gate is not None and self.tokens_file is not None:
            self.gate.replace(await asyncio.to_thread(_read_tokens, self.tokens_file))


def guard_of(config: Config, clock: Clock) -> Guard:
    """Reads the files that the settings name. Raises InvalidArgument by name."""
    files = _tls_files(config)
    # Before the files are read: what changes meanwhile is seen at the first look.
    tokens_renewal = Renewal("the tokens are", [config.tokens_file] if config.tokens_file else [])
    tls_renewal = Renewal("the certificate is", [files.certificate, files.key] if files else [])
    gate = None if config.tokens_file is None else Gate(_read_tokens(config.tokens_file), clock)
    return Guard(gate, None if files is None else Tls(files), config.tokens_file, tokens_renewal, tls_renewal)


def own_gate(clock: Clock) -> tuple[Gate, str]:
    """A gate for what this server starts itself, and its one token, which lives as long as this process."""
    secret = new_secret()
    return Gate([Token("own", digest_of(secret), Scope.WRITE, created_ms=clock())], clock), secret


def _read_tokens(path: Path) -> Sequence[Token]:
    # TOML takes 6 ms of a start, which one without tokens does not need.
    from trackwire_server.tokens_file import read_tokens

    return read_tokens(path)


def _tls_files(config: Config) -> TlsFiles | None:
    if config.tls_cert is not None and config.tls_key is not None:
        return TlsFiles(config.tls_cert, config.tls_key, config.tls_client_ca)
    given = {CERTIFICATE: config.tls_cert, KEY: config.tls_key, CLIENT_CA: config.tls_client_ca}
    for flag, path in given.items():
        if path is not None:
            missing = " and ".join(name for name in (CERTIFICATE, KEY) if given[name] is None)
            raise InvalidArgument(flag, str(path), f"is of no use without {missing}", reason="BAD_SETTING")
    return None
